"""Customers in front of staff: finding them, and recording how they were identified before anything is shown (M28)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, insert, or_, select, true, update

from services import audit, email_addresses, identifiers, masking, randomness
from services.accounts.account import fingerprint
from services.clock import Clock
from services.policyholders import has_mobile
from services.profiles import Profile
from services.refusal import OutOfTurn, Refusal
from services.staff.member import Member, StaffSession
from services.store import tables
from services.store.engine import Store

METHODS = ("call", "branch", "telecode", "callback")
"""How a member of staff may have identified a customer."""
IDENTIFIED_FOR = timedelta(hours=1)
"""A conversation is over then: whoever calls again is identified anew."""
_MOST = 10
_OWN = 50

_c, _k = tables.customers.c, tables.staff_cases.c
_p, _a, _r = tables.policies.c, tables.accounts.c, tables.registrations.c
_s, _m = tables.staff_sessions.c, tables.staff.c
_REFERENCE = re.compile(r"[2-9A-HJKMNP-Z]{3}[ -]?[2-9A-HJKMNP-Z]{3}")
_DATE = re.compile(r"(\d{4})[-./ ]{1,2}(\d{1,2})[-./ ]{1,2}(\d{1,2})\.?|\b(\d{4})(\d{2})(\d{2})\b")


@dataclass(frozen=True)
class Hit:
    """A customer whom a search found, or whom the member has looked at before; masked until identified."""

    mark: str
    """What opens them; it tells nothing and is good in this session alone."""
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

    def __init__(self, store: Store, clock: Clock, profile: Profile) -> None:
        self._store = store
        self._clock = clock
        self._profile = profile

    # --- Finding -----------------------------------------------------------------------------------------------

    def search(self, session: StaffSession, text: str) -> str | None:
        """Search by whatever `text` may be, and remember whom it found; return the case if it was one customer.

        A policy number, KÜTID or another number of the register, a name with a birth date, an email address, a phone
        number, or the reference code of a dead end. Raises Refusal ``search.empty``, ``search.none`` or
        ``search.too_many``; to an adviser others' customers are not there.
        """
        text = " ".join(unicodedata.normalize("NFC", text).split())
        if not text:
            raise Refusal("search", "empty")
        now = self._clock.now()
        case_id = None
        with self._store.write() as connection:
            found = self._find(connection, text[:200], session.member)
            shown = found if len(found) <= _MOST else []
            connection.execute(update(tables.staff_sessions).where(_s.id == session.id).values(found=shown))
            audit.record(connection, "searched", kutid=None, at=now, actor=session.member.id, found=str(len(found)))
            if len(found) == 1:
                case_id = self._open(connection, session, found[0], now)
        if len(found) > _MOST:
            raise Refusal("search", "too_many")
        if not found:
            raise Refusal("search", "none")
        return case_id

    def found(self, session: StaffSession) -> list[Hit] | None:
        """Return whom the session's last search found; None when it has not searched."""
        return None if session.found is None else self._hits(session, session.found)

    def own(self, session: StaffSession) -> list[Hit]:
        """Return an adviser's customers, the first of them (Ügyfeleim, M30)."""
        with self._store.read() as connection:
            kutids = self._own(connection, session.member)
        return self._hits(session, kutids)

    def recent(self, session: StaffSession) -> list[Hit]:
        """Return the customers whom the member has looked at in this session, the last one first."""
        looked = (
            select(_k.kutid, func.max(_k.opened_at).label("at"))
            .where(_k.session_id == session.id)
            .group_by(_k.kutid)
            .order_by(func.max(_k.opened_at).desc())
            .limit(_MOST)
        )
        with self._store.read() as connection:
            kutids = [row.kutid for row in connection.execute(looked)]
        return self._hits(session, kutids)

    def open(self, session: StaffSession, mark: str) -> str:
        """Look at a customer whom a list shows, and return the case. Raises OutOfTurn when no list shows them."""
        now = self._clock.now()
        with self._store.write() as connection:
            seen = select(_k.kutid).where(_k.session_id == session.id).distinct()
            known = [
                *(session.found or ()),
                *connection.execute(seen).scalars(),
                *self._own(connection, session.member),
            ]
            kutid = next((one for one in known if _mark(session, one) == mark), None)
            if kutid is None or not self._is_allowed(connection, session.member, kutid):
                raise OutOfTurn
            return self._open(connection, session, kutid, now)

    # --- Identifying -------------------------------------------------------------------------------------------

    def case(self, session: StaffSession, case_id: str) -> Case:
        """Return a case of this session. Raises OutOfTurn, also for an adviser whose customer it is no more."""
        with self._store.read() as connection:
            return self.hold(connection, session, case_id, needs_identification=False)

    def identify(self, session: StaffSession, case_id: str, method: str) -> None:
        """Record how the customer was identified; from now on their data are shown.

        Raises Refusal ``identified_by.empty`` or OutOfTurn.
        """
        if method not in METHODS:
            raise Refusal("identified_by", "empty")
        now = self._clock.now()
        with self._store.write() as connection:
            case = self.hold(connection, session, case_id, needs_identification=False)
            connection.execute(
                update(tables.staff_cases).where(_k.id == case_id).values(identified_by=method, identified_at=now)
            )
            audit.record(connection, "identified", kutid=case.kutid, at=now, actor=session.member.id, method=method)

    def hold(
        self, connection: Connection, session: StaffSession, case_id: str, *, needs_identification: bool = True
    ) -> Case:
        """Return the case in a caller's transaction, if the session lasts and the customer is the member's to see.

        Raises OutOfTurn.
        """
        now = self._clock.now()
        row = connection.execute(
            select(*tables.staff_cases.c)
            .join_from(tables.staff_cases, tables.staff_sessions)
            .join(tables.staff)
            .where(_k.id == case_id, _k.session_id == session.id)
            .where(_s.ended_at.is_(None), _s.ends_at > now, _m.disabled_at.is_(None))
            .with_for_update(of=tables.staff_cases)
        ).first()
        if row is None or not self._is_allowed(connection, session.member, row.kutid):
            raise OutOfTurn
        is_identified = row.identified_at is not None and row.identified_at > now - IDENTIFIED_FOR
        if needs_identification and not is_identified:
            raise OutOfTurn
        return Case(
            row.id, row.kutid, is_identified,
            row.email, row.email_key, row.mobile, row.language, row.confirmed_at, row.registration_id,
        )  # fmt: skip

    # --- Inside ------------------------------------------------------------------------------------------------

    def _open(self, connection: Connection, session: StaffSession, kutid: str, now: datetime) -> str:
        # A case that is still open for this customer is gone on with: one look, however often the page is opened.
        going_on = (
            select(_k.id)
            .where(_k.session_id == session.id, _k.kutid == kutid)
            .where(func.coalesce(_k.identified_at, _k.opened_at) > now - IDENTIFIED_FOR)
            .order_by(_k.opened_at.desc())
            .limit(1)
        )
        case_id: str | None = connection.execute(going_on).scalar()
        if case_id is None:
            case_id = randomness.opaque_id()
            connection.execute(
                insert(tables.staff_cases).values(id=case_id, session_id=session.id, kutid=kutid, opened_at=now)
            )
            audit.record(connection, "viewed", kutid=kutid, at=now, actor=session.member.id)
        return case_id

    def _is_allowed(self, connection: Connection, member: Member, kutid: str) -> bool:
        found = select(_c.kutid).where(_c.kutid == kutid, _is_theirs(member))
        return connection.execute(found).first() is not None

    def _own(self, connection: Connection, member: Member) -> list[str]:
        if not member.is_adviser:
            return []
        own = select(_c.kutid).where(_is_theirs(member)).order_by(_c.name, _c.kutid).limit(_OWN)
        return list(connection.execute(own).scalars())

    def _find(self, connection: Connection, text: str, member: Member) -> list[str]:
        found: dict[str, None] = {}
        for query, names in self._queries(text):
            rows = connection.execute(query.where(_is_theirs(member)).distinct().limit(2000 if names else _MOST + 1))
            found.update(dict.fromkeys(row.kutid for row in rows if names is None or names <= _words(row.name)))
        return list(found)[: _MOST + 1]

    def _queries(self, text: str) -> Iterator[tuple[Select[Any], frozenset[str] | None]]:
        """Yield what `text` may mean: the query, and the words that the name must have if it is about a name."""
        customer = select(_c.kutid, _c.name)
        code = _parsed(lambda: identifiers.code(text, "code"))
        if code is not None:
            yield customer.where(_c.kutid == code), None
            yield customer.where(_c.customer_number == code), None
            yield customer.join(tables.policies).where(_p.policy_number == code), None
            account = tables.customer_accounts.c
            is_number = or_(account.account_number == code, account.old_number == code)
            yield customer.join(tables.customer_accounts).where(is_number), None
        if _REFERENCE.fullmatch(text.upper()):
            reference, codes = re.sub(r"[ -]", "", text.upper()), tables.reference_codes.c
            yield (
                customer.join(tables.reference_codes, codes.kutid == _c.kutid).where(
                    codes.code == f"{reference[:3]}-{reference[3:]}"
                ),
                None,
            )
        if "@" in text:
            address = _parsed(lambda: email_addresses.parse(text))
            if address is not None:
                yield customer.join(tables.accounts).where(_a.email_key == address.key), None
                yield customer.join(tables.registrations).where(_r.email_key == address.key), None
        phone = _parsed(lambda: identifiers.phone(text, self._profile.country))
        if phone is not None:
            held, learnt = tables.phones.c, tables.contact_changes.c
            yield customer.join(tables.phones, held.kutid == _c.kutid).where(held.number == phone), None
            yield customer.join(tables.contact_changes).where(learnt.after == phone), None
            yield customer.join(tables.accounts).where(_a.mobile == phone), None
        match = _DATE.search(text)
        names = _words(_DATE.sub(" ", text))
        if match and names:
            born = _parsed(lambda: date(*(int(part) for part in match.groups() if part)))
            if born is not None:
                yield customer.where(_c.birth_date == born), names

    def _hits(self, session: StaffSession, kutids: list[str] | tuple[str, ...]) -> list[Hit]:
        if not kutids:
            return []
        now = self._clock.now()
        columns = [
            _c.kutid, _c.name,
            exists().where(_a.kutid == _c.kutid).label("has_account"),
            has_mobile(_c.kutid).label("has_mobile"),
        ]  # fmt: skip
        with self._store.read() as connection:
            people = {
                row.kutid: row
                for row in connection.execute(select(*columns).where(_c.kutid.in_(kutids), _is_theirs(session.member)))
            }
            policies = connection.execute(
                select(_p.kutid, _p.policy_number, _p.status)
                .where(_p.kutid.in_(kutids))
                .order_by((_p.status == "live").asc(), _p.policy_number.desc())
            )
            held = {row.kutid: row for row in policies}  # the first live one comes last, and stays
            cases = {
                row.kutid: row
                for row in connection.execute(
                    select(_k.kutid, _k.id, _k.identified_at)
                    .where(_k.session_id == session.id, _k.kutid.in_(kutids))
                    .order_by(_k.opened_at)
                )
            }
        return [self._hit(session, people[kutid], held.get(kutid), cases.get(kutid), now) for kutid in kutids
                if kutid in people]  # fmt: skip

    @staticmethod
    def _hit(session: StaffSession, person: Any, policy: Any, case: Any, now: datetime) -> Hit:
        is_shown = case is not None and case.identified_at is not None and case.identified_at > now - IDENTIFIED_FOR
        number = policy.policy_number if policy else ""
        return Hit(
            mark=_mark(session, person.kutid),
            name=person.name if is_shown else masking.name(person.name),
            policy_number=number if is_shown else masking.identifier(number),
            is_live=policy is not None and policy.status == "live",
            has_account=bool(person.has_account),
            has_mobile=bool(person.has_mobile),
            case_id=case.id if case else None,
        )


def _is_theirs(member: Member) -> ColumnElement[bool]:
    """Return the condition that a customer is there for this member: for an adviser, their own alone."""
    if not member.is_adviser:
        return true()
    return exists().where(tables.advisers.c.kutid == _c.kutid, tables.advisers.c.adviser == member.adviser)


def _mark(session: StaffSession, kutid: str) -> str:
    return fingerprint(f"{session.id} {kutid}")[:24]


def _words(text: str) -> frozenset[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return frozenset(re.findall(r"\w+", plain))


def _parsed(read: Any) -> Any:
    try:
        return read()
    except (Refusal, ValueError):
        return None
