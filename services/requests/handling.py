"""The insurer's side of a request: take it over, ask, answer, close (P37, P42, P43)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from services import audit, events
from services.base import Base
from services.refusal import OutOfTurn, Refusal
from services.register.conditions import is_advised_by
from services.requests import rows
from services.requests.files import RequestFiles
from services.requests.mails import RequestMails
from services.requests.request import LONGEST_TEXT, Event, EventType, Request, State
from services.store.tables.letters import letters
from services.store.tables.requests import requests


class Handling:
    """What the insurer's system and its staff do with requests. Each public method is one transaction.

    `actor` is who does it; with `adviser`, an adviser's code, it reaches the requests of that adviser's customers
    alone. What comes out of order raises OutOfTurn: it is taken before it is asked about or answered,
    and nothing happens to it after its end. The last deed repeated by its actor, to the letter, changes nothing (P42).
    """

    def __init__(self, base: Base, mails: RequestMails, files: RequestFiles | None = None) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._mails = mails
        self._files = files

    def find(self, request_id: str, *, adviser: str | None = None) -> tuple[Request, tuple[Event, ...]]:
        """Return a request and what happened to it, oldest first. Raises OutOfTurn."""
        with self._store.read() as connection:
            row = connection.execute(rows.REQUEST.where(requests.c.id == request_id, *_reached(adviser))).first()
            if row is None:
                raise OutOfTurn
            return Request(**row._mapping), rows.events_of(connection, request_id)

    def take(self, request_id: str, *, actor: str, number: str | None = None, adviser: str | None = None) -> Request:
        """Take a request over, under a `number` of the insurer's own."""
        return self._do(request_id, ("sent",), "taken", "taken", actor, adviser=adviser, number=number, holder=actor)

    def ask(self, request_id: str, text: str, *, actor: str, adviser: str | None = None) -> Request:
        """Ask the customer something, who is told by mail. Raises Refusal ``request.text`` for none or a long one."""
        now = self._clock.now()
        answer_by = (now.astimezone(self._profile.zone) + self._profile.request_rules.answer).date()
        return self._do(
            request_id, ("taken",), "question", "question", actor, text=_checked(text), answer_by=answer_by,
            mail="request_question", adviser=adviser,
        )  # fmt: skip

    def answer(
        self,
        request_id: str,
        text: str | None,
        letter_ids: Sequence[str] = (),
        *,
        actor: str,
        adviser: str | None = None,
    ) -> Request:
        """Answer a request, by words, by letters of this customer, or both.

        Raises Refusal ``request.text`` without either, ``request.letter`` for a letter that the customer has not got.
        """
        said = _checked(text) if text or not letter_ids else None
        return self._do(
            request_id, ("taken", "question"), "answered", "answered", actor, text=said, letter_ids=letter_ids,
            mail="request_answered", adviser=adviser,
        )  # fmt: skip

    def close(self, request_id: str, text: str | None = None, *, actor: str, adviser: str | None = None) -> Request:
        """Close a request; after its answer, or without one where there is nothing to answer."""
        said = _checked(text) if text else None
        before: tuple[State, ...] = ("taken", "question", "answered")
        return self._do(
            request_id, before, "closed", "closed", actor, text=said, mail="request_closed", adviser=adviser
        )

    def pass_on(self, request_id: str, to: str, note: str | None = None, *, actor: str) -> Request:
        """Pass a request on to another member of staff, whose id `to` is; `note` is for that member alone.

        Raises Refusal ``request.text`` for a long note.
        """
        said, now = _checked(note) if note else None, self._clock.now()
        c = requests.c
        passed = (
            update(requests)
            .where(c.id == request_id, c.state.in_(("taken", "question", "answered")), c.holder.is_distinct_from(to))
            .values(holder=to, holder_note=said, changed_at=now)
            .returning(*rows.REQUEST.selected_columns)
        )
        with self._store.write() as connection:
            row = connection.execute(passed).first()
            if row is None:
                raise OutOfTurn
            audit.record(
                connection, "request_passed", kutid=row.kutid, at=now, actor=actor, request=request_id, to=to
            )  # fmt: skip
        return Request(**row._mapping)

    def _do(
        self,
        request_id: str,
        before: Sequence[State],
        after: State,
        event: EventType,
        actor: str,
        *,
        text: str | None = None,
        letter_ids: Sequence[str] = (),
        mail: str | None = None,
        adviser: str | None = None,
        **values: Any,
    ) -> Request:
        now = self._clock.now()
        with self._store.write() as connection:
            changes = {"answer_by": None, "ended_at": now if after == "closed" else None, "changed_at": now}
            try:
                request = rows.move(connection, request_id, before, after, *_reached(adviser), **changes | values)
            except OutOfTurn:
                done = (event, actor, text, tuple(letter_ids))
                return _repeated(connection, request_id, done, values.get("number"), *_reached(adviser))
            _check_letters(connection, request.kutid, letter_ids)
            rows.note(connection, request_id, event, now, actor, text=text, letters=letter_ids)
            _record(connection, request, event, now, actor)
            if event == "answered":
                events.note(connection, "request.answered", now, kutid=request.kutid, request=request_id, by="insurer")
            if event == "taken" and self._files is not None:
                self._files.hand_over(connection, request_id)
            if mail is not None:
                self._mails.tell(connection, request, mail, request.answer_by)
        return request


def _repeated(
    connection: Connection, request_id: str, deed: Any, number: str | None, *only_if: ColumnElement[bool]
) -> Request:
    """Return a request whose last deed is this one: a caller who got no answer asks again. Raises OutOfTurn."""
    row = connection.execute(rows.REQUEST.where(requests.c.id == request_id, *only_if)).first()
    last = rows.events_of(connection, request_id)[-1:]
    is_same = [(one.type, one.actor, one.text, one.letters) for one in last] == [deed]
    if row is None or not is_same or (number is not None and number != row.number):
        raise OutOfTurn
    return Request(**row._mapping)


def _reached(adviser: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if adviser is None else (is_advised_by(requests.c.kutid, adviser),)


def _checked(text: str | None) -> str:
    text = (text or "").strip()
    if not text or len(text) > LONGEST_TEXT:
        raise Refusal("request", "text")
    return text


def _check_letters(connection: Connection, kutid: str | None, letter_ids: Sequence[str]) -> None:
    known = select(func.count()).where(letters.c.id.in_(letter_ids), letters.c.kutid == kutid)
    if letter_ids and connection.execute(known).scalar_one() != len(set(letter_ids)):
        raise Refusal("request", "letter")


def _record(connection: Connection, request: Request, event: str, now: datetime, actor: str) -> None:
    audit.record(connection, f"request_{event}", kutid=request.kutid, at=now, actor=actor, request=request.id)
