"""Customers in front of staff: finding them, and recording how they were identified before anything is shown (M28)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select, true, update

from services import audit, randomness
from services.accounts.account import fingerprint
from services.accounts.conditions import is_registered
from services.base import Base
from services.refusal import OutOfTurn, Refusal
from services.register.conditions import has_mobile, is_advised_by
from services.staff.member import Actor, StaffSession
from services.store.tables.accounts import accounts
from services.store.tables.references import reference_codes
from services.store.tables.register import contact_changes, customer_accounts, customers, phones
from services.store.tables.register import policies as policies_table
from services.store.tables.registrations import registrations
from services.store.tables.staff import staff_cases, staff_sessions
from services.values import email_addresses, identifiers, masking, written_dates
from services.values.spelling import fold, plain

METHODS = ("call", "branch", "telecode", "callback")
"""How a member of staff may have identified a customer."""
NUMBERS = ("policy_number", "kutid", "customer_number", "account_number")
"""By what kind of number a customer can be named."""
REFERENCE = "reference"
"""The code that a customer reads out from a dead end names them too."""
IDENTIFIED_FOR = timedelta(hours=1)
"""A conversation is over then: whoever calls again is identified anew."""
_MOST = 10
_OWN = 50


_ANY = true()
_NAME = re.compile(r"(?!.*\d{5})[^@]*[^\W\d_]{2}[^@]*")
_NOT_NAMES = frozenset({
    "dr", "drs", "id", "idosb", "ifj", "ifjabb", "ozv", "ozvegy", "prof", "mgr", "ing", "bc", "judr", "mudr", "phdr",
    "paeddr", "rndr", "mr", "mrs", "ms", "szul", "szuletett", "szuletesi", "nev", "nar", "narodeny", "narodena", "rod",
    "rodena", "born", "nee", "napjan",
})  # fmt: skip
"""Titles, and words about birth: those who call say them, whether or not the register has them."""
_REFERENCE = re.compile(r"[2-9A-HJKMNP-Z]{3}[ -]?[2-9A-HJKMNP-Z]{3}")


@dataclass(frozen=True)
class Hit:
    """A customer whom a search found, or whom the member has looked at before.

    Masked until identified; to a client of the API, always.
    """

    mark: str
    """What opens them; it tells nothing and is good in this session alone."""
    kutid: str = field(repr=False)
    name: str
    policy_number: str
    is_live: bool
    has_account: bool
    has_mobile: bool
    case_id: str | None = None


@dataclass(frozen=True)
class Case:
    """One customer in front of one member of staff, and what they have recorded together so far."""

    id: str
    kutid: str
    is_identified: bool
    email: str | None
    email_key: str | None
    mobile: str | None
    language: str | None
    confirmed_at: datetime | None
    registration_id: str | None


class Cases:
    """The verbs of finding and identifying; each public method is one transaction."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._languages = (*base.profile.languages, "en")

    # --- Finding -----------------------------------------------------------------------------------------------

    def search(self, session: StaffSession, text: str) -> str | None:
        """Search by whatever `text` may be, and remember whom it found; return the case if it was one customer.

        A policy number, KÜTID or another number of the register, a name with a birth date, an email address, a phone
        number, or the reference code of a dead end. Raises Refusal ``search.empty``, ``search.none``,
        ``search.name_alone`` or ``search.too_many``; to an adviser others' customers are not there.
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
            return self._open(connection, session, found[0], now) if len(found) == 1 else None

    def found(self, session: StaffSession) -> list[Hit] | None:
        """Return whom the session's last search found; None when it has not searched."""
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
        """Return these customers as they may see them, those who are not theirs left out."""
        if not kutids:
            return []
        now = self._clock.now()
        columns = [
            customers.c.kutid, customers.c.name,
            is_registered(customers.c.kutid).label("has_account"),
            has_mobile(customers.c.kutid).label("has_mobile"),
        ]  # fmt: skip
        with self._store.read() as connection:
            people = {
                row.kutid: row
                for row in connection.execute(select(*columns).where(customers.c.kutid.in_(kutids), is_theirs(by)))
            }
            policies = connection.execute(
                select(policies_table.c.kutid, policies_table.c.policy_number, policies_table.c.status)
                .where(policies_table.c.kutid.in_(kutids))
                .order_by((policies_table.c.status == "live").asc(), policies_table.c.policy_number.desc())
            )
            held = {row.kutid: row for row in policies}  # the first live one comes last, and stays
            cases = {
                row.kutid: row
                for row in connection.execute(
                    select(staff_cases.c.kutid, staff_cases.c.id, staff_cases.c.identified_at)
                    .where(_belongs_to(by), staff_cases.c.kutid.in_(kutids))
                    .order_by(staff_cases.c.opened_at)
                )
            }
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
            if kutid is not None and self._is_allowed(connection, session, kutid):
                return self._open(connection, session, kutid, now)
        self.note_denied(session, "open", "out_of_turn")
        raise OutOfTurn

    def look(self, by: Actor, kutid: str) -> str:
        """Look at a customer of a worklist, and return the case. Raises OutOfTurn for an adviser who is another's."""
        with self._store.write() as connection:
            if self._is_allowed(connection, by, kutid):
                return self._open(connection, by, kutid, self._clock.now())
        self.note_denied(by, "look", "out_of_turn")
        raise OutOfTurn

    def look_up(self, by: Actor, kind: str, number: str) -> str:
        """Look at the one customer whom a number of a known kind names, and return the case; for clients of the API.

        `kind` is one of `NUMBERS` or `REFERENCE`. A case in which a code was read back is over: the next look begins
        anew. Raises Refusal ``customer.unknown``; others' customers are unknown to an adviser.
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
            return self._open(connection, by, found[0], now, staff_cases.c.confirmed_at.is_(None))

    def hit(self, by: Actor, case_id: str) -> Hit:
        """Return the customer of a case as a list shows them. Raises OutOfTurn."""
        hits = self.hits(by, (self.case(by, case_id).kutid,))
        if not hits:
            raise OutOfTurn
        return hits[0]

    # --- Identifying -------------------------------------------------------------------------------------------

    def case(self, by: Actor, case_id: str) -> Case:
        """Return a case of theirs. Raises OutOfTurn, also for an adviser whose customer it is no more."""
        with self._store.read() as connection:
            return self.hold(connection, by, case_id, needs_identification=False)

    def identify(self, by: Actor, case_id: str, method: str) -> None:
        """Record how the customer was identified; from now on their data are shown.

        Raises Refusal ``identified_by.empty`` or OutOfTurn.
        """
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                case = self.hold(connection, by, case_id, needs_identification=False)
                self.record_identification(connection, by, case, method, now)
        except (Refusal, OutOfTurn) as refusal:
            what = f"{refusal.field}.{refusal.reason}" if isinstance(refusal, Refusal) else "out_of_turn"
            self.note_denied(by, "identify", what, case_id)
            raise

    def record_identification(self, connection: Connection, by: Actor, case: Case, method: str, now: datetime) -> None:
        """Record it in the transaction of what the customer was identified for.

        Raises Refusal ``identified_by.empty`` when `method` is none of `METHODS`.
        """
        if method not in METHODS:
            raise Refusal("identified_by", "empty")
        connection.execute(
            update(staff_cases).where(staff_cases.c.id == case.id).values(identified_by=method, identified_at=now)
        )
        audit.record(connection, "identified", kutid=case.kutid, at=now, actor=by.actor, method=method)

    def hold(self, connection: Connection, by: Actor, case_id: str, *, needs_identification: bool = True) -> Case:
        """Return the case in a caller's transaction, if it is theirs, they may still work, and the customer is theirs.

        Raises OutOfTurn.
        """
        now = self._clock.now()
        row = connection.execute(
            select(*staff_cases.c).where(staff_cases.c.id == case_id, _belongs_to(by), by.lasts(now)).with_for_update()
        ).first()
        if row is None or not self._is_allowed(connection, by, row.kutid):
            raise OutOfTurn
        is_identified = _is_recent(row.identified_at, now)
        if needs_identification and not is_identified:
            raise OutOfTurn
        return Case(
            row.id, row.kutid, is_identified,
            row.email, row.email_key, row.mobile, row.language, row.confirmed_at, row.registration_id,
        )  # fmt: skip

    def read(self, by: Actor, case_id: str) -> Case:
        """Return a case of theirs to a program that asks for it; each time is a row of the audit trail.

        Raises OutOfTurn, as `case`.
        """
        try:
            with self._store.write() as connection:
                case = self.hold(connection, by, case_id, needs_identification=False)
                audit.record(connection, "read", kutid=case.kutid, at=self._clock.now(), actor=by.actor)
        except OutOfTurn:
            self.note_denied(by, "read", "out_of_turn", case_id)
            raise
        return case

    def note_denied(self, by: Actor, deed: str, what: str, case_id: str | None = None) -> None:
        """Write down that `deed` was refused, and why; `what` is a refusal's name, a dead end's kind or out_of_turn."""
        with self._store.write() as connection:
            theirs = select(staff_cases.c.kutid).where(staff_cases.c.id == case_id, _belongs_to(by))
            kutid = connection.execute(theirs).scalar()
            audit.record(connection, "denied", kutid=kutid, at=self._clock.now(), actor=by.actor, deed=deed, what=what)

    # --- Inside ------------------------------------------------------------------------------------------------

    def _open(
        self, connection: Connection, by: Actor, kutid: str, now: datetime, only_if: ColumnElement[bool] = _ANY
    ) -> str:
        # A case that is still open for this customer is gone on with: one look, however often the page is opened.
        going_on = (
            select(staff_cases.c.id)
            .where(_belongs_to(by), staff_cases.c.kutid == kutid, only_if)
            .where(func.coalesce(staff_cases.c.identified_at, staff_cases.c.opened_at) > now - IDENTIFIED_FOR)
            .order_by(staff_cases.c.opened_at.desc())
            .limit(1)
        )
        case_id: str | None = connection.execute(going_on).scalar()
        if case_id is None:
            case_id = randomness.opaque_id()
            connection.execute(insert(staff_cases).values(id=case_id, **by.owner, kutid=kutid, opened_at=now))
            audit.record(connection, "viewed", kutid=kutid, at=now, actor=by.actor)
        return case_id

    def _is_allowed(self, connection: Connection, by: Actor, kutid: str) -> bool:
        found = select(customers.c.kutid).where(customers.c.kutid == kutid, is_theirs(by))
        return connection.execute(found).first() is not None

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
        """Yield what `text` may mean: the query, and the words that the name must have if it is about a name."""
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
        is_identified = case is not None and _is_recent(case.identified_at, now)
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


def is_theirs(by: Actor) -> ColumnElement[bool]:
    """Return the condition that a customer is there for them: for an adviser, their own alone."""
    if by.adviser is None:
        return true()
    return is_advised_by(customers.c.kutid, by.adviser)


def _is_recent(identified_at: datetime | None, now: datetime) -> bool:
    return identified_at is not None and identified_at > now - IDENTIFIED_FOR


def _belongs_to(by: Actor) -> ColumnElement[bool]:
    """Return the condition that a case is theirs."""
    return and_(*(staff_cases.c[column] == value for column, value in by.owner.items()))


def _numbered(kind: str, number: str) -> Select[Any]:
    """Return the query for the customer whom a number of this kind is about."""
    customer = select(customers.c.kutid, customers.c.name)
    if kind == REFERENCE:
        signs, codes = re.sub(r"[ -]", "", number.upper()), reference_codes.c
        is_this = codes.code == f"{signs[:3]}-{signs[3:]}"
        return customer.join(reference_codes, codes.kutid == customers.c.kutid).where(is_this)
    if kind == "policy_number":
        return customer.join(policies_table).where(policies_table.c.policy_number == number)
    if kind == "account_number":
        account = customer_accounts.c
        is_number = or_(account.account_number == number, account.old_number == number)
        return customer.join(customer_accounts).where(is_number)
    return customer.where(customers.c[kind] == number)


def _mark(by: Actor, kutid: str) -> str:
    return fingerprint(f"{by.id} {kutid}")[:24]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", fold(text)))


def _parsed(read: Any) -> Any:
    try:
        return read()
    except (Refusal, ValueError):
        return None
