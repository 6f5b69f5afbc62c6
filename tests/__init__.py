"""Tests: `unit` in seconds, `e2e` in browsers, `bench` for the speed."""
