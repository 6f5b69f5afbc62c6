"""Tests: `unit` in seconds, `e2e` in browsers, `bench` for the speed; `world` is what they share."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the repository."""
