"""The world that tests live in: its customers, its clock, its post, and the ways to walk through it."""
