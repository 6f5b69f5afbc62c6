"""What monitoring asks: health, readiness, metrics."""
