"""Money: whole numbers of a currency's smallest unit (P52)."""

from decimal import Decimal

PLACES = {"HUF": 0, "EUR": 2, "CZK": 2}
"""How many digits of a currency's amount follow the point. The forint has no smaller coin, whatever ISO 4217 says."""


def decimal(amount: int, currency: str) -> Decimal:
    """Return an amount of the smallest unit in the currency itself: 6640 cents are 66.40 euros."""
    return Decimal(amount).scaleb(-PLACES[currency])
