"""The test-only header by which a browser asks for pages without scripts; see `sandbox`."""

HEADER = "X-Test-Without-Scripts"
