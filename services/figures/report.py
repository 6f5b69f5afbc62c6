"""What the counts tell of a period: how far registrations came, where they ended, and what the messages cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select

from services import audit
from services.base import Base
from services.figures.observations import ENTERED, FINISHED, REFUSED, STOPPED
from services.store.tables.figures import figures
from services.store.tables.messages import message_figures

CHANNELS = ("web", "service", "adviser", "api")

_WEB = ("", "web")
_COUNT = func.sum(figures.c.count)


@dataclass(frozen=True)
class Chosen:
    """Which counts are looked at: of these days, both included, and of one channel or browser or of all."""

    first: date
    last: date
    channel: str = ""
    browser: str = ""

    @property
    def days(self) -> list[date]:
        """Every day of the period."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Passage:
    """How many came to a step, or to the whole journey, and how many came through it."""

    entered: int = 0
    finished: int = 0

    @property
    def left(self) -> int:
        """How many have not come through: they gave up, or are still at it."""
        return max(0, self.entered - self.finished)

    @property
    def percent(self) -> int | None:
        """The share that went on; None where nobody came. Of those who came on an earlier day some count today."""
        return min(100, round(100 * self.finished / self.entered)) if self.entered else None


@dataclass(frozen=True)
class Mistake:
    """How often a form was refused, or a registration came to a dead end, for one reason."""

    step: str
    what: str
    error: str
    count: int


@dataclass(frozen=True)
class Sent:
    """How many messages of one text were handed over, were accepted, and were given up."""

    kind: str
    message: str
    sent: int
    delivered: int
    given_up: int
    parts: int
    cost: Decimal | None


@dataclass(frozen=True)
class Report:
    """The figures of a period."""

    chosen: Chosen
    steps: Mapping[str, Passage]
    days: Mapping[date, Passage]
    channels: Mapping[str, Passage]
    browsers: Mapping[str, Passage]
    mistakes: Sequence[Mistake]
    messages: Sequence[Sent]
    known_browsers: Sequence[str]

    @property
    def is_empty(self) -> bool:
        """Whether nobody came."""
        return not any(passage.entered or passage.finished for passage in self.steps.values())

    @property
    def sms_cost(self) -> Decimal | None:
        """What the text messages cost; None without a price."""
        costs = [one.cost for one in self.messages if one.kind == "sms"]
        return None if any(cost is None for cost in costs) or not costs else sum(map(_or_nothing, costs), Decimal())


class Figures:
    """Reads the counts; each public method is one transaction."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._profile = base.profile

    def export(self, chosen: Chosen, *, actor: str, now: datetime) -> Report:
        """Return the same to a member of staff who takes it along; a row of the audit trail says so."""
        with self._store.write() as connection:
            audit.record(connection, "exported", kutid=None, at=now, actor=actor, what="figures")
        return self.report(chosen)

    def report(self, chosen: Chosen) -> Report:
        """Return the figures of what was chosen: of registrations all of it, of messages the period alone."""
        journey = self._profile.journey
        with self._store.read() as connection:
            steps = self._passages(connection, chosen, figures.c.step, journey, journey)
            # The whole journey ends with the step that opens the account; the activation comes after it.
            ends = journey[:1], [name for name in journey if name != "activation"][-1:]
            days = self._passages(connection, chosen, figures.c.day, *ends)
            channels = self._passages(connection, chosen, figures.c.channel, *ends)
            by_themselves = replace(chosen, channel="web")
            is_web = chosen.channel in _WEB
            browsers = self._passages(connection, by_themselves, figures.c.browser, *ends) if is_web else {}
            named = select(figures.c.browser).where(*_within(chosen)).distinct().order_by(figures.c.browser)
            return Report(
                chosen,
                {name: steps.get(name, Passage()) for name in (*journey, *sorted(set(steps) - set(journey)))},
                {day: days.get(day, Passage()) for day in chosen.days},
                {name: channels[name] for name in CHANNELS if name in channels},
                dict(sorted(browsers.items(), key=lambda one: (-one[1].entered, one[0]))),
                self._mistakes(connection, chosen),
                self._messages(connection, chosen),
                [name for name in connection.execute(named).scalars() if name],
            )

    def _passages(
        self,
        connection: Connection,
        chosen: Chosen,
        by: Column[Any],
        first: Iterable[str],
        last: Iterable[str],
    ) -> dict[Any, Passage]:
        """Return, for each value of `by`, how many entered a step of `first` and how many finished one of `last`."""
        found = connection.execute(
            select(by, figures.c.step, figures.c.what, _COUNT)
            .where(*_within(chosen), *_only(chosen))
            .group_by(by, figures.c.step, figures.c.what)
        )
        wanted = {*((name, ENTERED) for name in first), *((name, FINISHED) for name in last)}
        is_each = by is figures.c.step  # a step of an older journey is told too
        counts: dict[Any, dict[str, int]] = {}
        for value, step, what, count in found:
            if (step, what) in wanted or (is_each and what in (ENTERED, FINISHED)):
                of_value = counts.setdefault(value, {})
                of_value[what] = of_value.get(what, 0) + int(count)
        return {value: Passage(one.get(ENTERED, 0), one.get(FINISHED, 0)) for value, one in counts.items()}

    def _mistakes(self, connection: Connection, chosen: Chosen) -> list[Mistake]:
        rows = connection.execute(
            select(figures.c.step, figures.c.what, figures.c.error, _COUNT)
            .where(*_within(chosen), *_only(chosen), figures.c.what.in_((REFUSED, STOPPED)))
            .group_by(figures.c.step, figures.c.what, figures.c.error)
            .order_by(_COUNT.desc(), figures.c.step, figures.c.error)
        )
        return [Mistake(step, what, error, int(count)) for step, what, error, count in rows]

    def _messages(self, connection: Connection, chosen: Chosen) -> list[Sent]:
        rows = connection.execute(
            select(
                message_figures.c.kind,
                message_figures.c.message,
                message_figures.c.what,
                func.sum(message_figures.c.count),
                func.sum(message_figures.c.parts),
            )
            .where(message_figures.c.day >= chosen.first, message_figures.c.day <= chosen.last)
            .group_by(message_figures.c.kind, message_figures.c.message, message_figures.c.what)
        )
        counts: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
        for kind, message, what, count, parts in rows:
            counts.setdefault((kind, message), {})[what] = (int(count), int(parts))
        price = self._profile.messages.sms_price
        return [
            _sent(kind, message, one, price if kind == "sms" else None)
            for (kind, message), one in sorted(counts.items())
        ]


def _sent(kind: str, message: str, counts: Mapping[str, tuple[int, int]], price: Decimal | None) -> Sent:
    """Return the line of one message; `counts` are how many of it, and of how many parts, by what became of them."""
    (sent, parts), (delivered, _), (given_up, _) = (
        counts.get(what, (0, 0)) for what in ("sent", "delivered", "given_up")
    )
    cost = None if price is None else price * parts
    return Sent(kind, message, sent=sent, delivered=delivered, given_up=given_up, parts=parts, cost=cost)


def _within(chosen: Chosen) -> tuple[ColumnElement[bool], ...]:
    return (figures.c.day >= chosen.first, figures.c.day <= chosen.last)


def _only(chosen: Chosen) -> tuple[ColumnElement[bool], ...]:
    return (
        *((figures.c.channel == chosen.channel,) if chosen.channel else ()),
        # Where staff begin, the customer's browser only ends: more would come out of it than went in.
        *((figures.c.browser == chosen.browser, figures.c.channel == "web") if chosen.browser else ()),
    )


def _or_nothing(cost: Decimal | None) -> Decimal:
    return cost or Decimal()
