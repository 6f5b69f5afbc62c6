"""The requests that a demonstration begins with (contract, "The demo data set")."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from services.base import Base
from services.randomness import opaque_id
from services.requests.drafts import working_days_after
from services.requests.past import add_past_requests
from services.requests.request import CUSTOMER, Event, EventType, Request, State
from services.store.tables.letters import letters
from services.store.tables.register import policies
from webapp.demo.letters import ANNA

_ACTOR = "insurer"
_ANNAS_CAR = "940000001"
_IBANS = {"HU": "HU42117730161111101800000000", "SK": "SK3112000000198742637541"}
_ANSWERED = ("premium-certificate", "policy-copy", "green-card")
"""Kinds that a letter answers, the one that suits the demonstration's letters best first."""


def add_requests(base: Base) -> None:
    """Give 10000001 a request under way, and one that was answered with a letter."""
    past = _Past(base)
    add_past_requests(base.store, [*past.under_way(), *past.answered()])


class _Past:
    def __init__(self, base: Base) -> None:
        self._base = base
        self._kinds = base.profile.requests
        self._now = base.clock.now().astimezone(base.profile.zone)

    def under_way(self) -> Iterator[tuple[Request, list[Event]]]:
        """Yield a claim that was taken over this week."""
        if "claim-motor" not in self._kinds or not self._has_car():
            return
        answers = {
            "contract": _ANNAS_CAR,
            "happened_on": self._day(4).date().isoformat(),
            "happened_at": "17:40",
            "place": "Budapest, Váci út 45.",
            "description": "A parkolóban egy másik autó meghúzta a bal hátsó ajtót. Az elkövető üzenetet hagyott.",
            "police": "no",
            "account": _IBANS.get(self._base.profile.country, _IBANS["HU"]),
            "statement": True,
        }
        sent, taken = self._at(self._day(3), 9, 12), self._at(self._day(2), 10, 5)
        yield (
            self._request("claim-motor", "U-7KX2MD", "taken", answers, sent),
            [_event("sent", sent, CUSTOMER), _event("taken", taken, _ACTOR)],
        )

    def answered(self) -> Iterator[tuple[Request, list[Event]]]:
        """Yield a request for a document that a letter answered."""
        kind = next((one for one in _ANSWERED if one in self._kinds), None)
        letter = self._letter()
        if kind is None or letter is None or not self._has_car():
            return
        year = letter.published_at.year
        answers = {
            "premium-certificate": {"contract": _ANNAS_CAR, "year": str(year - 1), "purpose": "Adóbevalláshoz"},
            "policy-copy": {"contract": _ANNAS_CAR, "what": "policy", "issued": str(year)},
            "green-card": {"contract": _ANNAS_CAR, "from": letter.published_at.date().isoformat()},
        }[kind]
        at = letter.published_at
        sent, taken = at - timedelta(days=2), at - timedelta(days=1)
        yield (
            self._request(kind, "U-4QHWN8", "answered", answers, sent, changed_at=at),
            [
                _event("sent", sent, CUSTOMER),
                _event("taken", taken, _ACTOR),
                _event("answered", at, _ACTOR, letters=(letter.id,)),
            ],
        )

    def _request(
        self, kind: str, reference: str, state: State, answers: dict[str, Any], sent: datetime, **more: Any
    ) -> Request:
        return Request(
            id=opaque_id(),
            reference=reference,
            number=None,
            kutid=ANNA,
            kind=kind,
            policy_number=answers["contract"],
            state=state,
            answers=answers,
            sent_at=sent,
            promised_on=working_days_after(sent.date(), self._kinds[kind].days + 2),
            answer_by=None,
            changed_at=more.get("changed_at", sent),
            ended_at=None,
        )

    def _has_car(self) -> bool:
        car = select(policies.c.kutid).where(policies.c.policy_number == _ANNAS_CAR, policies.c.kutid == ANNA)
        with self._base.store.read() as connection:
            return connection.execute(car).first() is not None

    def _letter(self) -> Any:
        of_anna = letters.c.kutid == ANNA, letters.c.type == "certificate", letters.c.withdrawn_at.is_(None)
        newest = select(letters.c.id, letters.c.published_at).where(*of_anna).order_by(letters.c.published_at.desc())
        with self._base.store.read() as connection:
            return connection.execute(newest.limit(1)).first()

    def _day(self, ago: int) -> datetime:
        return self._now - timedelta(days=ago)

    def _at(self, day: datetime, hour: int, minute: int) -> datetime:
        return datetime.combine(day.date(), time(hour, minute), self._base.profile.zone)


def _event(kind: EventType, at: datetime, actor: str, letters: tuple[str, ...] = ()) -> Event:
    return Event(kind, at, actor, None, letters)
