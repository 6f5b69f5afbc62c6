"""The rules of a new password: the profile's, and two that hold everywhere (NIST SP 800-63B-4, 3.1.1.2)."""

import re
import unicodedata
from ast import literal_eval
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from services.passwords.hashing import normal_form
from services.profiles import PasswordRules
from services.values.spelling import fold

# What Hungarians choose; the international list comes from zxcvbn.
_LOCAL = frozenset(
    {"jelszo", "jelszó", "jelszavam", "titok", "titkos", "asdfghjklé", "qwertz", "qwertzuiop", "kiskutya"}
    | {"cicamica", "szeretlek", "magyarorszag", "magyarország", "ferencvaros", "biztositas", "biztosítás"}
)
_TELLING = 5
"""A shorter number stands in many passwords by chance: a year has four digits."""
_USUAL_ENDING = re.compile(r"(?:1|12|123|1234|12345|123456)?[!.?*]?$")


@dataclass(frozen=True)
class Rule:
    """One rule, and whether a password meets it. `key` is the end of its text's key, ``password.rule.<key>``."""

    key: str
    is_met: bool
    reason: str  # the end of the error's key, ``error.password.<reason>``


def judge(password: str, rules: PasswordRules, *, email: str, name: str, identifiers: Sequence[str]) -> list[Rule]:
    """Return every rule in force with its verdict on `password`.

    `email`, `name` and `identifiers` (policy numbers and others) are what it must not be like; an identifier of less
    than five characters forbids nothing.
    """
    password = normal_form(password)
    return list(_judge(password, rules, email, name, identifiers))


def _judge(password: str, rules: PasswordRules, email: str, name: str, identifiers: Sequence[str]) -> Iterator[Rule]:
    yield Rule("length", len(password) >= rules.min_length, "too_short")
    if rules.upper:
        yield Rule("upper", any(sign.isupper() for sign in password), "upper")
    if rules.lower:
        yield Rule("lower", any(sign.islower() for sign in password), "lower")
    if rules.digit:
        yield Rule("digit", any(sign.isdecimal() for sign in password), "digit")
    if not rules.special:
        # Letters of any script count as letters: accents are not special characters.
        yield Rule("no_special", all(unicodedata.category(s)[0] in "LMN" for s in password), "special")
    yield Rule("not_common", not is_common(password), "common")
    is_like_email = is_alike(password, [email, email.partition("@")[0]])
    is_like_record = is_alike(password, [name]) or any(
        fold(identifier) in fold(password) for identifier in identifiers if len(identifier) >= _TELLING
    )
    yield Rule("not_alike", not (is_like_email or is_like_record), "like_email" if is_like_email else "like_record")


def is_common(password: str) -> bool:
    """Tell whether `password` is a much used one, or one with a usual ending such as 123."""
    folded = password.casefold()
    words = {folded, _USUAL_ENDING.sub("", folded)} - {""}
    return any(word in _LOCAL or ("," not in word and f",{word}," in _common()) for word in words)


def is_alike(password: str, references: list[str]) -> bool:
    """Tell whether `password` is, for the most part, made of one of `references` or of their words."""
    folded = fold(password)
    return any(_share(folded, fold(reference)) >= 0.5 for reference in references)


def _share(password: str, reference: str) -> float:
    words = {word for word in re.split(r"\W+|_", reference) if len(word) >= 3}
    # Every occurrence counts, and each letter once: a name twice is no better than a name.
    covered = {
        place
        for word in words
        for start in range(len(password) - len(word) + 1)
        if password.startswith(word, start)
        for place in range(start, start + len(word))
    }
    contained = len(covered) / max(len(password), 1)
    ratio = SequenceMatcher(None, password[:100], reference[:100]).ratio()
    return max(contained, 0.5 if ratio >= 0.75 else 0.0)


@cache
def _common() -> str:
    """Return zxcvbn's list of passwords as one text, a comma before and after each.

    Read as a file: importing the package would load all its lists, 16 MB. A set of the words would take 4 MB;
    to search the text takes a tenth of a millisecond.
    """
    package = find_spec("zxcvbn")
    if package is None or not package.origin:
        raise ModuleNotFoundError("zxcvbn")
    lists = Path(package.origin).with_name("frequency_lists.py").read_text("utf-8")
    found = re.search(r'"passwords": ("(?:[^"\\]|\\.)+")', lists)
    if found is None:
        raise RuntimeError("zxcvbn keeps its list of passwords in another form now")
    return f",{literal_eval(found[1])},"
