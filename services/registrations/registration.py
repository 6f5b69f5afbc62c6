"""A registration as one browser may see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from services.codes.one_time_codes import CodeState
from services.figures.observations import CUSTOMER
from services.store.tables.registrations import registrations

EMAIL_CONFIRMED = "email_confirmed_at"
"""The fact that the address was confirmed: this browser holds the link."""

MOBILE_CONFIRMED = "mobile_confirmed_at"
"""The fact that the code sent to the mobile was typed."""

COMPLETE = "is_complete"
"""The fact that the account is open."""


@dataclass(frozen=True)
class Access:
    """What a browser holds: the registration it began or continued, the mailed link it opened, and its own mark.

    The link proves the address. The mobile is proved for the browser in which the newest right code was typed; the
    registration keeps that browser's mark, so an answer lost on its way loses no proof.
    """

    registration_id: str
    link_id: str | None = None
    browser: str | None = None
    """The browser's mark, a hash. None proves no mobile and opens no account."""
    is_staff: bool = False
    """Whether staff act for the customer: what any of the customer's browsers proved counts for them."""
    language: str | None = None
    """Language of this request; later mails and SMS use it. None keeps the stored one."""

    @classmethod
    def by_link(cls, opaque_id: str, browser: str | None = None, language: str | None = None) -> "Access":
        """Return the access of the browser that holds the mailed link with this id."""
        registration_id, _, link_id = opaque_id.partition(".")
        return cls(registration_id, link_id, browser, language=language)


@dataclass(frozen=True)
class Registration:
    """A registration as one browser may see it.

    Without the link the address is not confirmed for it, without the code the mobile is not, and it did not complete
    what another browser completed.
    """

    id: str
    kutid: str
    identifier: str
    language: str
    expires_at: datetime
    email: str | None
    email_key: str | None
    link_id: str | None
    mailed_at: datetime | None
    mails: int
    email_confirmed_at: datetime | None
    is_confirmed_elsewhere: bool
    mobile: str | None
    mobile_confirmed_at: datetime | None
    terms_opened: str | None
    notice_opened: str | None
    terms_version: str | None
    terms_accepted_at: datetime | None
    answers: dict[str, Any]
    begun_by: str = CUSTOMER
    ended_at: datetime | None = None
    browser: str | None = None
    has_account: bool = False  # opened by this registration or by another
    is_complete: bool = False
    """Whether this browser set the password and so opened the account."""
    is_completed_elsewhere: bool = False
    """Whether another browser did, in this registration."""
    is_mail_undelivered: bool = False  # the newest one
    holder_name: str = ""
    code: CodeState | None = None

    @property
    def is_assisted(self) -> bool:
        """Whether a member of staff identified the customer and took the address (M28)."""
        return self.begun_by != CUSTOMER

    def has(self, fact: str) -> bool:
        """Tell whether a step's fact is there: one of the fields above, or an answer to a profile's own step."""
        value = getattr(self, fact) if fact in type(self).__dataclass_fields__ else self.answers.get(fact)
        return value not in (None, False)


_AS_STORED = ({*Registration.__dataclass_fields__} & {*registrations.c.keys()}) - {EMAIL_CONFIRMED}
"""The fields that every browser sees as the row has them."""


def from_row(row: RowMapping, link_id: str | None) -> Registration:
    """Return the registration in `row` as a browser that holds the link `link_id` may see it."""
    is_proven = (
        row[registrations.c.email] is not None
        and row[registrations.c.link_id] is not None
        and row[registrations.c.link_id] == link_id
    )
    confirmed_at = row[registrations.c.email_confirmed_at]
    return Registration(
        **{name: row[registrations.c[name]] for name in _AS_STORED},
        # Holding the link proves the address, even before the first step with it is recorded.
        email_confirmed_at=(confirmed_at or row[registrations.c.mailed_at]) if is_proven else None,
        is_confirmed_elsewhere=confirmed_at is not None and not is_proven,
    )
