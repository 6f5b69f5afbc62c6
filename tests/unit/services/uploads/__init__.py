"""Tests of files that customers add."""
