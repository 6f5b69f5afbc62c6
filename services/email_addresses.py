"""Email addresses: what was typed, the form in which they are unique, and a hint for likely typing errors."""

import difflib
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from email_validator.exceptions import EmailSyntaxError

from services.refusal import Refusal

# The providers that Hungarian customers use most; a near miss of one of them is worth a question.
_WELL_KNOWN = (
    "gmail.com", "freemail.hu", "citromail.hu", "hotmail.com", "outlook.com", "outlook.hu", "yahoo.com",
    "icloud.com", "live.com", "t-online.hu", "upcmail.hu", "indamail.hu", "vipmail.hu", "digikabel.hu",
    "chello.hu", "invitel.hu", "gmx.com", "protonmail.com", "azet.sk", "centrum.sk", "zoznam.sk",
)  # fmt: skip

_LONGEST = 320
"""No address is longer; a megabyte is refused before anything looks at it."""


@dataclass(frozen=True)
class EmailAddress:
    """`typed` is shown and written to; `key` is what must be unique (case, Unicode form and IDN made one)."""

    typed: str
    key: str


def parse(text: str) -> EmailAddress:
    """Read an address. Raises Refusal: ``email.empty``, ``email.malformed`` or ``email.domain``."""
    typed = text.strip()
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


def suggestion(address: str) -> str | None:
    """Return the address that was probably meant, when the domain is a near miss of a well-known one."""
    local, _, domain = address.rpartition("@")
    domain = domain.casefold()
    if domain in _WELL_KNOWN:
        return None
    near = difflib.get_close_matches(domain, _WELL_KNOWN, n=1, cutoff=0.84)
    return f"{local}@{near[0]}" if near else None
