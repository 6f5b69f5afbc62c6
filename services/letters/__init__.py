"""Letters: published by the insurer, read by the customer, proved (P10–P24)."""
