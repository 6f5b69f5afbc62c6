"""HTTP itself: addresses, static files, compression, security headers, limits, cookies."""
