"""Minta Pay: the demonstration's payment provider, a company of its own with books, pages and calls (P49).

It knows of the insurer what an order says, as every provider does. `belepo serve` runs it as a process of its own.
Under another server, and in tests, its program answers within the process that asks; its books are the same.
"""
