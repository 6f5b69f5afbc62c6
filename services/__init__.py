"""The rules of a registration: plain Python that knows nothing of HTTP or HTML."""
