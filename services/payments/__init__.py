"""Invoices: brought by the insurer, seen and paid by the customer (P47–P52; T5, B4)."""
