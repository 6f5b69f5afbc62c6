"""What a customer lets their adviser see, and the adviser's reminders to the customer (P53, P54)."""
