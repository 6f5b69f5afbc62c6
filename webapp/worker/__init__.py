"""What runs beside the pages: delivery of messages, recurring jobs, erasure, figures, signals."""
