"""The rules: plain Python that knows nothing of HTTP or HTML."""
