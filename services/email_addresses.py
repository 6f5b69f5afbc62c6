"""Email addresses: what was typed, the form in which they are unique, and a hint for likely typing errors."""

import difflib
import re
from dataclasses import dataclass

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from email_validator.exceptions import EmailSyntaxError

from services.refusal import Refusal

# The providers that Hungarian customers use most; a near miss of one of them is worth a question.
_WELL_KNOWN = (
    "gmail.com", "freemail.hu", "citromail.hu", "hotmail.com", "outlook.com", "outlook.hu", "yahoo.com",
    "icloud.com", "live.com", "t-online.hu", "upcmail.hu", "indamail.hu", "vipmail.hu", "digikabel.hu",
    "chello.hu", "invitel.hu", "gmx.com", "protonmail.com", "azet.sk", "centrum.sk", "zoznam.sk",
)  # fmt: skip

_PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)
"""What most addresses look like: those of a whole register go through the library in minutes, by this in seconds."""

_LONGEST = 320
"""No address is longer; a megabyte is refused before anything looks at it."""
_LONGEST_PLAIN, _LONGEST_LOCAL = 254, 64
"""RFC 5321, 4.5.3.1, and what is left of it for an address."""


_INVISIBLE = re.compile("[\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""What comes along when an address is copied, marks of direction and of line breaks; none may be in an address."""


@dataclass(frozen=True)
class EmailAddress:
    """`typed` is shown and written to; `key` is what must be unique (case, Unicode form and IDN made one)."""

    typed: str
    key: str


def parse(text: str) -> EmailAddress:
    """Read an address. Raises Refusal: ``email.empty``, ``email.malformed`` or ``email.domain``."""
    typed = _INVISIBLE.sub("", text).strip()
    if not typed:
        raise Refusal("email", "empty")
    if len(typed) > _LONGEST:
        raise Refusal("email", "malformed")
    try:
        valid = validate_email(typed, check_deliverability=False)
    except EmailSyntaxError as error:
        is_domain = "@" in typed and "after the @-sign" in str(error) and not typed.endswith("@")
        raise Refusal("email", "domain" if is_domain else "malformed") from error
    except EmailNotValidError as error:
        raise Refusal("email", "domain") from error
    return EmailAddress(typed, f"{valid.local_part.casefold()}@{valid.ascii_domain}")


def normalised(text: str) -> str | None:
    """Return the address of a register in `text` with its domain in small letters; None where it is none."""
    text = text.strip()
    plain = _PLAIN.fullmatch(text)
    if plain and len(text) <= _LONGEST_PLAIN and "--" not in plain[1]:
        local, domain = text[: plain.start(1) - 1], plain[1].lower()
        if len(local) <= _LONGEST_LOCAL and domain.rpartition(".")[2] not in SPECIAL_USE_DOMAIN_NAMES:
            return f"{local}@{domain}"
    if not text or len(text) > _LONGEST:
        return None
    try:
        valid = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return None
    return f"{valid.local_part}@{valid.domain}"


def suggestion(address: str) -> str | None:
    """Return the address that was probably meant, when the domain is a near miss of a well-known one."""
    local, _, domain = address.rpartition("@")
    domain = domain.casefold()
    if domain in _WELL_KNOWN:
        return None
    near = difflib.get_close_matches(domain, _WELL_KNOWN, n=1, cutoff=0.84)
    return f"{local}@{near[0]}" if near else None
