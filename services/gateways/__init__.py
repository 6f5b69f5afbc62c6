"""The world outside, as small protocols."""
