"""Amounts of money: whole numbers of a currency's smallest unit in use, as forints and cents."""

import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from babel.numbers import format_currency, get_territory_currencies, list_currencies

from services.refusal import Refusal

_MOST = 10**15
_GROUPS = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3})")
_AMOUNT = re.compile(r"(\d+)(?:[.,](\d+))?", re.ASCII)


@lru_cache
def digits(currency: str) -> int:
    """Return how many decimals a currency has in use, by CLDR: none for the forint, two for the euro."""
    fractions = get_global("currency_fractions")
    found: tuple[int, int, int, int] = fractions.get(currency, fractions["DEFAULT"])
    return found[2]


@lru_cache
def currency_of(country: str) -> str:
    """Return the currency of a country (ISO 3166), as ISO 4217."""
    return str(get_territory_currencies(country)[0])


def currency(text: str) -> str:
    """Return the currency that `text` names (ISO 4217). Raises Refusal ``currency.malformed``."""
    code = text.strip().upper()
    if code not in _currencies():
        raise Refusal("currency", "malformed")
    return code


def parse(text: str, in_currency: str) -> int:
    """Return the amount in `text`, in the currency's smallest unit.

    A whole number is one already. One with exactly the decimals of the currency is taken apart: 120,50 is 12050 cents.
    Raises Refusal ``premium.malformed``.
    """
    match = _AMOUNT.fullmatch(_GROUPS.sub("", text.strip()))
    if match is None or len(match[2] or "") not in (0, digits(in_currency)):
        raise Refusal("premium", "malformed")
    amount = int(match[1] + (match[2] or ""))
    if amount > _MOST:
        raise Refusal("premium", "malformed")
    return amount


def in_main_unit(amount: int, in_currency: str) -> Decimal:
    """Return an amount in the currency's main unit: 12050 cents are 120.50."""
    return Decimal(amount).scaleb(-digits(in_currency))


def in_words(amount: int, in_currency: str, language: str) -> str:
    """Return an amount of the currency's smallest unit as a language writes it; it does not break across lines."""
    locale = "en_GB" if language == "en" else language
    decimals = digits(in_currency)
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    written = pattern.replace(".00", f".{'0' * decimals}" if decimals else "")
    value = in_main_unit(amount, in_currency)
    words = format_currency(value, in_currency, format=written, locale=locale, currency_digits=False)
    return words.replace(" ", "\u00a0")


@lru_cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())
