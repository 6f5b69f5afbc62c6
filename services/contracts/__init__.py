"""The customer's contracts as the register brings them: what they cover, what they cost, their dates (P5–P9)."""
