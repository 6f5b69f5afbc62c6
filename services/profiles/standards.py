"""What a profile's rules are worth: the chance of guessing a code, and where they depart from today's standards.

OWASP ASVS 5.0 (the V6 chapter, Authentication) and NIST SP 800-63B-4 (2025), by paragraph.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from services.profiles.profile import OneTimeCode, PasswordRules, Profile

_BITS = 19.9  # “20 bits … 6 random digits is sufficient” (ASVS 5.0, 6.5.4): six digits are 19.93


@dataclass(frozen=True)
class Departure:
    """One rule of the profile that is laxer, or stricter where it must not be, than a paragraph asks for."""

    paragraphs: str
    asks: str
    has: str


def guessing_chance(rules: OneTimeCode) -> float:
    """Return the chance that all guesses of a customer's budget together find a code."""
    return min(1.0, rules.guesses / 10.0**rules.typed)


def departures(profile: Profile) -> list[Departure]:
    """Return where the profile's rules depart from the standards, in the order of the registration."""
    return [*_of_codes(profile.one_time_code), *_of_passwords(profile.password)]


def _of_codes(rules: OneTimeCode) -> Iterator[Departure]:
    bits = math.log2(10**rules.typed)
    if bits < _BITS:
        yield Departure(
            "ASVS 6.5.4; NIST 3.1.3.2",
            "a code of at least 20 bits, such as 6 digits",
            f"{rules.typed} digits that count, {bits:.1f} bits; {rules.guesses} guesses in {rules.budget_hours} hours",
        )
    if rules.minutes > 10:
        yield Departure("ASVS 6.5.5; NIST 3.1.3.2", "a code that is valid for 10 minutes", f"{rules.minutes} minutes")
    yield Departure(
        "ASVS 6.6.1; NIST 3.1.3.3",
        "SMS only beside a stronger way",
        "SMS alone proves the mobile, because the insurer's documents name it",
    )


def _of_passwords(rules: PasswordRules) -> Iterator[Departure]:
    if rules.min_length < 8:
        yield Departure("ASVS 6.2.1", "at least 8 characters", f"{rules.min_length} characters")
    if rules.min_length < 15:
        yield Departure(
            "NIST 3.1.1.2",
            "at least 15 characters where the password is the only factor (ASVS 6.2.1 recommends it)",
            f"{rules.min_length} characters",
        )
    asked = [name for name, is_on in (("upper", rules.upper), ("lower", rules.lower), ("digit", rules.digit)) if is_on]
    if asked:
        yield Departure("ASVS 6.2.5; NIST 3.1.1.2", "no rules of composition", f"asks for {', '.join(asked)}")
    if not rules.special:
        yield Departure("ASVS 6.2.5; NIST 3.1.1.2", "every character allowed", "letters and digits only")
