"""The registration: one page whose current step follows from the facts stored so far."""
