"""What is said to customers by mail and SMS: written to an outbox, composed, and delivered from there."""
