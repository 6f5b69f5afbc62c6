"""What staff see of a customer: the register's data, the account, and the state of the registrations."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from services.accounts.conditions import account_of
from services.base import Base
from services.codes.one_time_codes import CodeState, OneTimeCodes
from services.register.conditions import learnt
from services.registrations.assisted import AssistedRegistrations, Progress
from services.staff.cases import Case
from services.staff.timeline import Event, Timeline
from services.store.tables.codes import one_time_codes as one_time_codes_table
from services.store.tables.register import customers
from services.store.tables.register import phones as phones_table
from services.store.tables.register import policies as policies_table
from services.store.tables.worklists import invitations

_PERSON = select(
    customers.c.kutid, customers.c.name, customers.c.holder_type, customers.c.email,
    invitations.c.invited_at, invitations.c.deadline_at,
).outerjoin_from(customers, invitations)  # fmt: skip
_CODE = select(one_time_codes_table)


@dataclass(frozen=True)
class Policy:
    """A contract, and the numbers on it."""

    number: str
    status: str
    product: str | None
    ended_on: date | None
    phones: tuple[str, ...]


@dataclass(frozen=True)
class CustomerFile:
    """A customer as a member of staff sees them after identification."""

    kutid: str
    name: str
    holder_type: str
    policies: tuple[Policy, ...]
    phones: tuple[str, ...]
    """All numbers, mobiles first, with what staff have recorded."""
    account_since: datetime | None
    account_email: str | None
    awaits_activation: bool
    """Whether the account waits for the code that was mailed: its address is not proved."""
    email: str | None
    """On record, or as staff have recorded it since."""
    invited_at: datetime | None
    deadline_at: datetime | None
    account_registration_id: str | None
    """The registration that opened the account."""
    registrations: tuple[Progress, ...]
    """Open and past ones that are still stored, the newest first."""
    code: CodeState | None
    """What is left of the customer's allowance, whichever registration spent it."""
    events: tuple[Event, ...]

    @property
    def registration(self) -> Progress | None:
        """The newest one that is still stored."""
        return self.registrations[0] if self.registrations else None

    @property
    def is_live(self) -> bool:
        """Whether a contract is in force, without which nobody registers (M7)."""
        return any(policy.status == "live" for policy in self.policies)


class CustomerFiles:
    """Reads what staff see; changes nothing."""

    def __init__(self, base: Base, registrations: AssistedRegistrations, codes: OneTimeCodes) -> None:
        self._store = base.store
        self._clock = base.clock
        self._registrations = registrations
        self._codes = codes

    def of(self, case: Case, *, events_of: Collection[str] | None = None) -> CustomerFile:
        """Return the customer's file; the case decides which part may be shown.

        The timeline holds what the actors `events_of` did, by their ids in the audit trail, or what everybody did.
        """
        now = self._clock.now()
        with self._store.read() as connection:
            account = connection.execute(account_of(case.kutid)).first()
            registrations = self._registrations.of_customer(connection, case.kutid)
            code = connection.execute(_CODE.where(one_time_codes_table.c.kutid == case.kutid)).first()
            person = connection.execute(_PERSON.where(customers.c.kutid == case.kutid)).one()
            timeline = Timeline(connection, case.kutid, account, registrations)
            return CustomerFile(
                kutid=person.kutid,
                name=person.name,
                holder_type=person.holder_type,
                policies=tuple(_policies(connection, case.kutid)),
                phones=tuple(_phones(connection, case.kutid)),
                account_since=account.created_at if account else None,
                account_email=account.email if account else None,
                awaits_activation=account is not None and bool(account.is_waiting),
                email=_email(connection, case.kutid) or person.email,
                invited_at=person.invited_at,
                deadline_at=person.deadline_at,
                account_registration_id=account.registration_id if account else None,
                registrations=tuple(registrations),
                code=self._codes.state(code._mapping) if code else None,
                events=tuple(timeline.events(now, events_of)),
            )


def _policies(connection: Connection, kutid: str) -> Iterator[Policy]:
    numbers: dict[str, list[str]] = {}
    for row in connection.execute(
        select(phones_table.c.policy_number, phones_table.c.number)
        .where(phones_table.c.kutid == kutid)
        .order_by(phones_table.c.number)
    ):
        numbers.setdefault(row.policy_number, []).append(row.number)
    rows = connection.execute(
        select(*policies_table.c)
        .where(policies_table.c.kutid == kutid)
        .order_by(policies_table.c.status.desc(), policies_table.c.policy_number)
    )
    for row in rows:
        phones = tuple(numbers.get(row.policy_number, ()))
        yield Policy(row.policy_number, row.status, row.product, row.ended_on, phones)


def _phones(connection: Connection, kutid: str) -> list[str]:
    held = (
        select(phones_table.c.number)
        .where(phones_table.c.kutid == kutid)
        .order_by(phones_table.c.is_mobile.desc(), phones_table.c.policy_number, phones_table.c.number)
    )
    return list(
        dict.fromkeys(
            [
                *connection.execute(learnt(kutid, "mobile")).scalars(),
                *connection.execute(held).scalars(),
            ]
        )
    )


def _email(connection: Connection, kutid: str) -> str | None:
    return connection.execute(learnt(kutid, "email").limit(1)).scalar()
