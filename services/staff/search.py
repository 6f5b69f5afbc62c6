"""Finding customers: by what a caller says, in lists, and by the numbers that systems know (M28)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from services import audit
from services.accounts.conditions import is_registered
from services.base import Base
from services.letters.conditions import withdrawn_as
from services.refusal import OutOfTurn, Refusal
from services.register.conditions import has_mobile, numbered
from services.staff.cases import Cases, belongs_to, is_recent, is_theirs
from services.staff.member import Actor, StaffSession
from services.store.tables.accounts import accounts
from services.store.tables.references import reference_codes
from services.store.tables.register import contact_changes, customers, phones
from services.store.tables.register import policies as policies_table
from services.store.tables.registrations import registrations
from services.store.tables.staff import staff_cases, staff_sessions
from services.values import email_addresses, identifiers, masking, written_dates
from services.values.fingerprints import fingerprint
from services.values.spelling import fold, plain

NUMBERS = ("policy_number", "kutid", "customer_number", "account_number")
"""The kinds of number that name a customer."""
REFERENCE = "reference"
"""The reference code of a dead end, which a customer reads out, names the customer too."""
_MOST = 10
_OWN = 50
_NAME = re.compile(r"(?!.*\d{5})[^@]*[^\W\d_]{2}[^@]*")
_NOT_NAMES = frozenset({
    "dr", "drs", "id", "idosb", "ifj", "ifjabb", "ozv", "ozvegy", "prof", "mgr", "ing", "bc", "judr", "mudr", "phdr",
    "paeddr", "rndr", "mr", "mrs", "ms", "szul", "szuletett", "szuletesi", "nev", "nar", "narodeny", "narodena", "rod",
    "rodena", "born", "nee", "napjan",
})  # fmt: skip
"""Titles, and words about birth: callers say them even where the register has none."""
_REFERENCE = re.compile(r"[2-9A-HJKMNP-Z]{3}[ -]?[2-9A-HJKMNP-Z]{3}")
_PEOPLE = select(
    customers.c.kutid, customers.c.name,
    is_registered(customers.c.kutid).label("has_account"), has_mobile(customers.c.kutid).label("has_mobile"),
)  # fmt: skip
# A customer's last row wins: the first live policy, the newest case.
_POLICIES = select(policies_table.c.kutid, policies_table.c.policy_number, policies_table.c.status).order_by(
    (policies_table.c.status == "live").asc(), policies_table.c.policy_number.desc()
)
_CASES = select(staff_cases.c.kutid, staff_cases.c.id, staff_cases.c.identified_at).order_by(staff_cases.c.opened_at)


@dataclass(frozen=True)
class Hit:
    """A customer whom a search found, or whom the member has looked at before.

    Masked until identification; for a client of the API, always.
    """

    mark: str
    """The selection token that opens the customer; it is good in this session alone."""
    kutid: str = field(repr=False)
    name: str
    policy_number: str
    is_live: bool
    has_account: bool
    has_mobile: bool
    case_id: str | None = None


class CustomerSearch:
    """Finds customers and opens their cases. Each public method is one transaction."""

    def __init__(self, base: Base, cases: Cases) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._cases = cases
        self._languages = (*base.profile.languages, "en")

    def search(self, session: StaffSession, text: str) -> str | None:
        """Search by `text` and remember whom it found; return the case if it was one customer.

        `text` is a policy number, KÜTID or another number of the register, a name with a birth date, an email address,
        a phone number, or the reference code of a dead end. Raises Refusal ``search.empty``, ``search.none``,
        ``search.name_alone`` or ``search.too_many``. An adviser finds their own customers alone.
        """
        text = " ".join(plain(unicodedata.normalize("NFC", text)).split())
        if not text:
            raise Refusal("search", "empty")
        now = self._clock.now()
        with self._store.write() as connection:
            found = self._find(connection, text[:200], session)
            shown = found if len(found) <= _MOST else []
            connection.execute(update(staff_sessions).where(staff_sessions.c.id == session.id).values(found=shown))
            audit.record(connection, "searched", kutid=None, at=now, actor=session.actor, found=str(len(found)))
            if len(found) > _MOST:
                raise Refusal("search", "too_many").counted()
            if not found:
                is_dated = written_dates.find(text, self._languages) != (None, text)
                reason = "name_alone" if _NAME.fullmatch(text) and not is_dated else "none"
                raise Refusal("search", reason).counted()
            return self._cases.begin(connection, session, found[0], now) if len(found) == 1 else None

    def found(self, session: StaffSession) -> list[Hit] | None:
        """Return the customers whom the session's last search found; None before the first search."""
        return None if session.found is None else self.hits(session, session.found)

    def own(self, session: StaffSession) -> list[Hit]:
        """Return an adviser's customers, the first of them (Ügyfeleim, M30)."""
        with self._store.read() as connection:
            kutids = self._own(connection, session)
        return self.hits(session, kutids)

    def recent(self, session: StaffSession) -> list[Hit]:
        """Return the customers whom the member has looked at in this session, the last one first."""
        looked = (
            select(staff_cases.c.kutid, func.max(staff_cases.c.opened_at).label("at"))
            .where(staff_cases.c.session_id == session.id)
            .group_by(staff_cases.c.kutid)
            .order_by(func.max(staff_cases.c.opened_at).desc())
            .limit(_MOST)
        )
        with self._store.read() as connection:
            kutids = [row.kutid for row in connection.execute(looked)]
        return self.hits(session, kutids)

    def hits(self, by: Actor, kutids: list[str] | tuple[str, ...]) -> list[Hit]:
        """Return these customers as the member may see them, without those whom the member may not see."""
        if not kutids:
            return []
        now = self._clock.now()
        asked = [
            _PEOPLE.where(customers.c.kutid.in_(kutids), is_theirs(by)),
            _POLICIES.where(policies_table.c.kutid.in_(kutids)),
            _CASES.where(belongs_to(by), staff_cases.c.kutid.in_(kutids)),
        ]
        with self._store.read() as connection:
            people, held, cases = ({row.kutid: row for row in connection.execute(query)} for query in asked)
        return [self._hit(by, people[kutid], held.get(kutid), cases.get(kutid), now) for kutid in kutids
                if kutid in people]  # fmt: skip

    def open(self, session: StaffSession, mark: str) -> str:
        """Look at a customer whom a list shows, and return the case. Raises OutOfTurn when no list shows them."""
        now = self._clock.now()
        with self._store.write() as connection:
            seen = select(staff_cases.c.kutid).where(staff_cases.c.session_id == session.id).distinct()
            known = [
                *(session.found or ()),
                *connection.execute(seen).scalars(),
                *self._own(connection, session),
            ]
            kutid = next((one for one in known if _mark(session, one) == mark), None)
            if kutid is not None and self._cases.is_allowed(connection, session, kutid):
                return self._cases.begin(connection, session, kutid, now)
        denial = OutOfTurn()
        self._cases.note_denied(session, "open", denial)
        raise denial

    def look(self, by: Actor, kutid: str) -> str:
        """Look at a customer of a worklist, and return the case. Raises OutOfTurn for another adviser's customer."""
        with self._store.write() as connection:
            if self._cases.is_allowed(connection, by, kutid):
                return self._cases.begin(connection, by, kutid, self._clock.now())
        denial = OutOfTurn()
        self._cases.note_denied(by, "look", denial)
        raise denial

    def look_up(self, by: Actor, kind: str, number: str) -> str:
        """Look at the one customer whom a number of a known kind names, and return the case; for clients of the API.

        `kind` is one of `NUMBERS` or `REFERENCE`. A code that was read back ends the case: the next look begins a new
        one. Raises Refusal ``customer.unknown``, also for a customer whom the adviser does not have.
        """
        now = self._clock.now()
        is_code = _REFERENCE.fullmatch(plain(number).upper()) is not None
        key = plain(number) if kind == REFERENCE else _parsed(lambda: identifiers.code(number, "code"))
        with self._store.write() as connection:
            found: list[str] = []
            if key is not None and (is_code or kind != REFERENCE):
                theirs = _numbered(kind, key).where(is_theirs(by)).distinct().limit(2)
                found = [row.kutid for row in connection.execute(theirs)]
            audit.record(connection, "searched", kutid=None, at=now, actor=by.actor, found=str(len(found)))
            if len(found) != 1:
                raise Refusal("customer", "unknown").counted()
            return self._cases.begin(connection, by, found[0], now, staff_cases.c.confirmed_at.is_(None))

    def hit(self, by: Actor, case_id: str) -> Hit:
        """Return the customer of a case as a list shows them. Raises OutOfTurn."""
        hits = self.hits(by, (self._cases.case(by, case_id).kutid,))
        if not hits:
            raise OutOfTurn
        return hits[0]

    def _own(self, connection: Connection, by: Actor) -> list[str]:
        if by.adviser is None:
            return []
        own = select(customers.c.kutid).where(is_theirs(by)).order_by(customers.c.name, customers.c.kutid).limit(_OWN)
        return list(connection.execute(own).scalars())

    def _find(self, connection: Connection, text: str, by: Actor) -> list[str]:
        found: dict[str, None] = {}
        for query, names in self._queries(text):
            rows = connection.execute(query.where(is_theirs(by)).distinct().limit(2000 if names else _MOST + 1))
            found.update(dict.fromkeys(row.kutid for row in rows if names is None or names <= _words(row.name)))
        return list(found)[: _MOST + 1]

    def _queries(self, text: str) -> Iterator[tuple[Select[Any], frozenset[str] | None]]:
        """Yield each meaning of `text`: the query, and for a name the words that it must contain."""
        customer = select(customers.c.kutid, customers.c.name)
        code = _parsed(lambda: identifiers.code(text, "code"))
        if code is not None:
            for kind in NUMBERS:
                yield _numbered(kind, code), None
        if _REFERENCE.fullmatch(text.upper()):
            yield _numbered(REFERENCE, text), None
        if "@" in text:
            address = _parsed(lambda: email_addresses.parse(text))
            if address is not None:
                yield customer.join(accounts).where(accounts.c.email_key == address.key), None
                yield customer.join(registrations).where(registrations.c.email_key == address.key), None
        phone = _parsed(lambda: identifiers.phone(text, self._profile.country))
        if phone is not None:
            held, learnt = phones.c, contact_changes.c
            yield customer.join(phones, held.kutid == customers.c.kutid).where(held.number == phone), None
            yield customer.join(contact_changes).where(learnt.after == phone), None
            yield customer.join(accounts).where(accounts.c.mobile == phone), None
        born, rest = written_dates.find(text, self._languages)
        if born is not None and (names := _words(rest) - _NOT_NAMES or _words(rest)):
            yield customer.where(customers.c.birth_date == born), names

    @staticmethod
    def _hit(by: Actor, person: Any, policy: Any, case: Any, now: datetime) -> Hit:
        is_identified = case is not None and is_recent(case.identified_at, now)
        is_shown = by.sees_identified and is_identified
        number = policy.policy_number if policy else ""
        return Hit(
            mark=_mark(by, person.kutid),
            kutid=person.kutid,
            name=person.name if is_shown else masking.name(person.name),
            policy_number=number if is_shown else masking.identifier(number),
            is_live=policy is not None and policy.status == "live",
            has_account=bool(person.has_account),
            has_mobile=bool(person.has_mobile),
            case_id=case.id if case else None,
        )


def _numbered(kind: str, number: str) -> Select[Any]:
    """Return the query for the customer whom a number of this kind names."""
    if kind == REFERENCE:
        signs = re.sub(r"[ -]", "", number.upper())
        code = f"{signs[:3]}-{signs[3:]}"
        told = select(reference_codes.c.kutid).where(reference_codes.c.code == code)
        is_this = customers.c.kutid.in_(told.union_all(withdrawn_as(code)))
        return select(customers.c.kutid, customers.c.name).where(is_this)
    return numbered(kind, number)


def _mark(by: Actor, kutid: str) -> str:
    return fingerprint(f"{by.id} {kutid}")[:24]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", fold(text)))


def _parsed(read: Any) -> Any:
    try:
        return read()
    except (Refusal, ValueError):
        return None
