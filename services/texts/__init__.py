"""The texts of all languages."""

from services.texts.texts import MissingText, Texts, Unfillable, has_catalogue, placeholders, read_catalogue

__all__ = ["MissingText", "Texts", "Unfillable", "has_catalogue", "placeholders", "read_catalogue"]
