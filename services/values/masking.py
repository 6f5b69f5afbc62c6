"""Personal data made unreadable, for logs and for pages that show what is on record."""

from functools import lru_cache

import phonenumbers

_DOTS = "•••"


def email(address: str) -> str:
    """Return ``k•••a@example.hu`` for ``kovacs.anna@example.hu``.

    Three dots always, so that the length is not told; of a local part of up to three letters only the first
    is shown. What is no address is hidden wholly.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local:
        return _DOTS
    return f"{local[0]}{_DOTS}{local[-1] if len(local) > 3 else ''}@{domain}"


@lru_cache(1000)  # each page of a registration shows the number again
def mobile(number: str) -> str:
    """Return ``+36 20 ••• ••67`` for ``+36201234567``: the prefix and the last two digits (wording, rule 10).

    What is no telephone number is hidden wholly.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return _DOTS
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    digits = sum(character.isdigit() for character in written)
    country = len(str(parsed.country_code))
    shown = country + phonenumbers.length_of_national_destination_code(parsed)
    if digits - shown < 5:
        shown = country
    if digits - shown < 5:
        return f"+{parsed.country_code} {_DOTS}"
    return _hide_digits(written, shown, digits - 2)


def name(text: str) -> str:
    """Return ``K••• A•••`` for ``Kovács Anna``: the first letter of each word."""
    return " ".join(f"{word[0]}{_DOTS}" for word in text.split())


def identifier(text: str) -> str:
    """Return ``9400•••01`` for ``940000001``; of a shorter one less is shown, of the shortest nothing."""
    if len(text) >= 9:
        return f"{text[:4]}{_DOTS}{text[-2:]}"
    return f"{text[0]}{_DOTS}{text[-1]}" if len(text) >= 6 else _DOTS


def recipient(kind: str, address: str) -> str:
    """Return the recipient of an ``email`` or ``sms`` masked."""
    return email(address) if kind == "email" else mobile(address)


def _hide_digits(written: str, first: int, end: int) -> str:
    place = 0
    masked = []
    for character in written:
        hidden = character.isdigit() and first <= place < end
        masked.append("•" if hidden else character)
        place += character.isdigit()
    return "".join(masked)
