"""Counts and waits that hold misuse down, kept in the database."""
