"""How an assisted registration stands, for the client that began it."""

from dataclasses import dataclass
from datetime import datetime

from services.base import Base
from services.codes.one_time_codes import CodeState
from services.figures.observations import CUSTOMER
from services.refusal import OutOfTurn
from services.registrations.assisted import Progress
from services.staff import Case, Cases, CustomerFile, CustomerFiles
from services.staff.contacts import CustomerContacts
from services.staff.member import Actor
from services.staff.timeline import Event

STATES = (
    "code_sent",
    "code_over",
    "codes_used_up",
    "mailed",
    "under_way",
    "completed",
    "ended",
    "expired",
    "account_elsewhere",
)
"""How it may stand: the code waits to be read back; it is over, and another can be sent; the customer's allowance is
used up; the mail with the link has left or is about to; the customer has opened the link; the account is there; staff
have ended it; its time is over; the customer has got an account in another way."""


@dataclass(frozen=True)
class AssistedRegistration:
    """One registration that a client began with a customer."""

    id: str
    state: str
    email: str
    mobile: str
    code: CodeState | None
    """Of the code that was sent for it, as long as it is the customer's newest and was not read back."""
    expires_at: datetime | None
    """Until when the customer can go on from the mailed link."""
    events: tuple[Event, ...] | None
    """The customer's timeline: what the customer and this client did, and nobody else.

    None once the identification is longer ago than an hour.
    """


class ClientRegistrations:
    """Reads how registrations stand."""

    def __init__(self, base: Base, cases: Cases, files: CustomerFiles, contacts: CustomerContacts) -> None:
        self._clock = base.clock
        self._cases = cases
        self._files = files
        self._contacts = contacts

    def read(self, by: Actor, case_id: str) -> AssistedRegistration:
        """Return it as `find` does, with a row of the audit trail, whether it is there or not."""
        return self._shown(by, self._cases.read(by, case_id))

    def find(self, by: Actor, case_id: str) -> AssistedRegistration:
        """Return it. Raises OutOfTurn when there is none with this id, or it is not theirs."""
        return self._shown(by, self._cases.case(by, case_id))

    def _shown(self, by: Actor, case: Case) -> AssistedRegistration:
        if case.mobile is None or case.email is None:
            raise OutOfTurn
        file = self._files.of(case, events_of=(CUSTOMER, by.actor))
        code = self._contacts.code_of(case) if case.confirmed_at is None else None
        own = next((one for one in file.registrations if one.id == case.registration_id), None)
        return AssistedRegistration(
            id=case.id,
            state=self._state(case, file, code, own),
            email=case.email,
            mobile=case.mobile,
            code=code,
            expires_at=own.expires_at if own else None,
            events=file.events if case.is_identified else None,
        )

    def why_not(self, by: Actor, case_id: str) -> str:
        """Return why a customer cannot register with a client: by the text ``api.problem.<why>``."""
        file = self._files.of(self._cases.case(by, case_id))
        if file.account_since is not None:
            return "already_registered"
        return "no_policy" if not file.is_live else "not_possible"

    def _state(self, case: Case, file: CustomerFile, code: CodeState | None, own: Progress | None) -> str:
        now = self._clock.now()
        if file.account_registration_id is not None:
            is_own = file.account_registration_id == case.registration_id
            return "completed" if is_own else "account_elsewhere"
        if case.confirmed_at is None:
            if file.code is not None and file.code.is_dead_end(now):
                return "codes_used_up"
            return "code_sent" if code is not None and code.is_usable(now) else "code_over"
        if own is None or not own.is_open(now):
            return "ended" if own is not None and own.ended_at else "expired"
        return "under_way" if own.email_confirmed_at else "mailed"
