"""What opens a customer's encrypted letters: a password of their own, or the birth number's last digits (P26, S1)."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, select

from services.base import Base
from services.store.tables.letters import letter_passwords
from services.store.tables.register import customers

if TYPE_CHECKING:
    from services.letters.password_box import PasswordBox

OpenerKind = Literal["own", "default4", "default3", "none"]
"""`none`: no birth number is on record, as with companies; their letters are in the portal alone."""
_OLD_LENGTH = 9
"""Digits of a birth number from before 1954: of those three open a letter, of others four (S1)."""


@dataclass(frozen=True)
class Opener:
    """What opens a customer's letters now, and since when it does if it is their own."""

    kind: OpenerKind
    set_at: datetime | None = None
    reset_at: datetime | None = None
    """When staff last took a password away."""
    password: str = field(default="", repr=False)


class Openers:
    """Reads and seals letter passwords, in a caller's transaction."""

    def __init__(self, base: Base) -> None:
        self._profile = base.profile
        self._keys = base.keys.derived_for("letter passwords")

    @property
    def is_used(self) -> bool:
        """Whether this insurer mails encrypted letters."""
        return self._profile.letters == "encrypted_mail"

    @cached_property
    def _box(self) -> "PasswordBox":
        from services.letters.password_box import PasswordBox  # noqa: PLC0415

        return PasswordBox(self._keys)

    def of(self, connection: Connection, kutid: str) -> Opener:
        """Return what opens a customer's letters now.

        A password whose key is no longer among the settings is lost, as after a reset.
        """
        own: Any = connection.execute(select(letter_passwords).where(letter_passwords.c.kutid == kutid)).first()
        reset_at = own.reset_at if own else None
        if own and own.sealed and (password := self._box.open(kutid, own.sealed)):
            return Opener("own", own.set_at, reset_at, password)
        number = connection.execute(select(customers.c.birth_number).where(customers.c.kutid == kutid)).scalar()
        digits = re.sub(r"\D", "", number or "")
        if not digits:
            return Opener("none", reset_at=reset_at)
        if len(digits) == _OLD_LENGTH:
            return Opener("default3", reset_at=reset_at, password=digits[-3:])
        return Opener("default4", reset_at=reset_at, password=digits[-4:])

    def sealed(self, kutid: str, password: str) -> str:
        """Return a password as it is kept."""
        return self._box.close(kutid, password)

    def is_mailed(self, opener: Opener, letter_type: str) -> bool:
        """Tell whether a letter of this type is mailed to whom `opener` opens it (P32)."""
        if not self.is_used or opener.kind == "none":
            return False
        return opener.kind == "own" or letter_type not in self._profile.letter_password.sensitive
