"""The customer's requests that were sent: the list, one of them, answering and withdrawing (P37)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, String, and_, literal, select, union_all

from services import events
from services.base import Base
from services.refusal import OutOfTurn
from services.requests import rows
from services.requests.applicant import By, applicant_of
from services.requests.files import RequestFiles
from services.requests.mails import RequestMails
from services.requests.request import BY_CUSTOMER, CUSTOMER, Event, Request, Waiting
from services.store.tables.requests import request_drafts, requests
from services.store.tables.staff import staff

MOST = 200
"""Requests in one list, the newest."""


class OwnRequests:
    """Shows customers their own requests. Another customer's raises OutOfTurn, as one that never was."""

    def __init__(self, base: Base, mails: RequestMails, files: RequestFiles | None = None) -> None:
        self._store = base.store
        self._clock = base.clock
        self._mails = mails
        self._files = files

    def all(self, by: By, policy_number: str | None = None) -> tuple[Request, ...]:
        """Return the customer's requests, the newest first; of one contract where one is given."""
        query = rows.REQUEST.where(_is_own(by))
        if policy_number is not None:
            query = query.where(requests.c.policy_number == policy_number)
        newest = query.order_by(requests.c.sent_at.desc(), requests.c.id.desc()).limit(MOST)
        with self._store.read() as connection:
            return tuple(Request(**row._mapping) for row in connection.execute(newest))

    def waiting(self, by: By) -> tuple[Waiting, ...]:
        """Return what waits for the customer: the insurer's questions, then what is begun and not sent."""
        kutid, drafts = applicant_of(by).kutid, request_drafts.c
        asked = select(requests.c.id, requests.c.kind, requests.c.reference, requests.c.sent_at.label("at")).where(
            requests.c.kutid == kutid, requests.c.state == "question"
        )
        begun = select(drafts.id, drafts.kind, literal(None, String), drafts.begun_at).where(drafts.kutid == kutid)
        with self._store.read() as connection:
            found = [Waiting(*row) for row in connection.execute(union_all(asked, begun))]
        return tuple(sorted(found, key=lambda one: (one.reference is None, one.at)))

    def find(self, by: By, request_id: str) -> tuple[Request, tuple[Event, ...]]:
        """Return a request and what happened to it, oldest first. Raises OutOfTurn."""
        query = rows.REQUEST.where(requests.c.id == request_id, _is_own(by))
        with self._store.read() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise OutOfTurn
            return Request(**row._mapping), rows.events_of(connection, request_id)

    def kind_of_draft(self, by: By, draft_id: str) -> str:
        """Return the kind of a draft of the customer's. Raises OutOfTurn."""
        c = request_drafts.c
        with self._store.read() as connection:
            kind = connection.execute(
                select(c.kind).where(c.id == draft_id, c.kutid == applicant_of(by).kutid)
            ).scalar()
        if kind is None:
            raise OutOfTurn
        return str(kind)

    def names(self, happened: Sequence[Event]) -> Mapping[str, str]:
        """Return the names of those who acted in the customer's place, by their ids (P55)."""
        actors = {one.actor for one in happened if one.type in BY_CUSTOMER} - {CUSTOMER}
        with self._store.read() as connection:
            found = connection.execute(select(staff.c.id, staff.c.name).where(staff.c.id.in_(actors)))
            return {row.id: row.name for row in found}

    def is_anybodys(self, request_id: str) -> bool:
        """Tell whether there is such a request or draft at all: a mail's link may be opened in another account."""
        with self._store.read() as connection:
            return any(
                connection.execute(select(table.c.id).where(table.c.id == request_id)).first() is not None
                for table in (requests, request_drafts)
            )

    def reply(self, by: By, request_id: str, text: str) -> None:
        """Answer the insurer's question, with the files that were added to the answer.

        Raises OutOfTurn where none is asked, or it is answered already.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            ends = {"answer_by": None, "changed_at": now}
            request = rows.move(connection, request_id, ("question",), "taken", _is_own(by), **ends)
            rows.note(connection, request_id, "replied", now, applicant_of(by).actor, text=text)
            events.note(connection, "request.answered", now, kutid=request.kutid, request=request_id, by=CUSTOMER)
            if self._files is not None:
                self._files.submit(connection, request_id)
                self._files.hand_over(connection, request_id)

    def withdraw(self, by: By, request_id: str) -> None:
        """Withdraw a request that nobody works on yet. Raises OutOfTurn otherwise."""
        now = self._clock.now()
        with self._store.write() as connection:
            ends = {"changed_at": now, "ended_at": now}
            request = rows.move(connection, request_id, ("sent",), "withdrawn", _is_own(by), **ends)
            rows.note(connection, request_id, "withdrawn", now, applicant_of(by).actor)
            events.note(connection, "request.withdrawn", now, kutid=request.kutid, request=request_id)
            self._mails.tell(connection, request, "request_withdrawn")


def _is_own(by: By) -> ColumnElement[bool]:
    who = applicant_of(by)
    is_own = requests.c.kutid == who.kutid
    return is_own if who.policies is None else and_(is_own, requests.c.policy_number.in_(who.policies))
