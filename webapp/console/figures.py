"""Registrations in figures: how far they came, where they ended, what the messages cost, and the month's SMS budget."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Concatenate

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from flask import Response, abort, make_response, request

from services.figures import CHANNELS, STOPPED, Chosen, Passage, Report
from services.figures.report import Mistake, Sent
from services.messages.sms_budget import Budget
from services.refusal import OutOfTurn, Refusal
from services.staff import StaffSession
from webapp.account import sessions
from webapp.console import staff_sessions
from webapp.console.staff_sessions import P, blueprint, console_page
from webapp.http.devices import OTHER_BROWSER
from webapp.parts import current_parts
from webapp.portal.request_words import title_of
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.language import language, say
from webapp.ui.respond import go_on

_FIGURES = "/regisztraciok"
_PERIODS = {"1": "today", "7": "week", "30": "month"}
_LONGEST = 366
_DAY_BARS = 120
"""How high the highest day is drawn, in pixels."""
_ROW = 48
_PERIOD = Fields({"first": "funnel.first", "last": "funnel.last"})
_RELEASE = Fields({"more": "funnel.sms_budget.more", "reason": "staff.takeover.reason"})


def for_service(view: Callable[Concatenate[StaffSession, P], Response]) -> Callable[P, Response]:
    """Show a view to customer service and supervisors; for advisers it is 404."""
    return sessions.staff.guard(view, ask=staff_sessions.ask, first=_refuse_advisers)


def _refuse_advisers(seen: StaffSession) -> Response | None:
    if seen.member.is_adviser:
        abort(404)
    return staff_sessions.own_door_first(seen)


@blueprint.get(_FIGURES)
@for_service
def show_figures(seen: StaffSession) -> Response:
    """Show the figures of a period; by default, today and the six days before."""
    chosen, form = _chosen()
    return _show(chosen, form)


@blueprint.get(f"{_FIGURES}.csv")
@for_service
def figures_csv(seen: StaffSession) -> Response:
    """Answer with the table of the steps as CSV, as spreadsheets open it: with semicolons, and a mark in front."""
    chosen, _ = _chosen()
    current_parts().figures.funnel.flush()
    report = current_parts().figures.reports.export(chosen, actor=seen.actor, now=current_parts().clock.now())
    t, sheet = say(), io.StringIO()
    rows = csv.writer(sheet, delimiter=";", lineterminator="\r\n")
    rows.writerow([t.plain(f"funnel.{head}") for head in ("step", "entered", "finished", "left", "share")])
    for name, passage in report.steps.items():
        share = "" if passage.percent is None else f"{passage.percent}%"
        rows.writerow([_step_title(name), passage.entered, passage.finished, passage.left, share])
    response = make_response(f"\ufeff{sheet.getvalue()}".encode())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"regisztraciok-{chosen.first.isoformat()}-{chosen.last.isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post(_FIGURES)
@for_service
def release_sms(seen: StaffSession) -> Response:
    """Let more text messages leave this month; supervisors alone."""
    if not seen.member.is_supervisor:
        abort(404)
    typed = {name: request.form.get(name, "").strip() for name in ("more", "reason")}
    more, known = (_whole(request.form.get(name, "")) for name in ("more", "seen"))
    try:
        current_parts().staff.sms_releases.release(seen, more, " ".join(typed["reason"].split()), seen=known or 0)
    except Refusal as refusal:
        chosen, form = _chosen()
        return _show(chosen, explain([("", refusal)], _RELEASE, {**form.values, **typed}))
    except OutOfTurn:
        pass  # done by a second click or by a colleague: the page shows the present state
    else:
        staff_sessions.flash.leave("funnel.sms_budget.released", count=more or 0)
    # The whole page, because the alarm is outside of the main part.
    return go_on(staff_sessions.address("show_figures"))


# --- What is chosen ----------------------------------------------------------------------------------------------


def _chosen() -> tuple[Chosen, SentForm]:
    """Return the period in the address, or the last week where it is wrong, and the form with its errors."""
    today = current_parts().clock.now().astimezone(current_parts().profile.zone).date()
    given = {name: request.args.get(name, "").replace("\0", "")[:40] for name in ("first", "last")}
    only = {
        "channel": channel if (channel := request.args.get("channel", "")) in CHANNELS else "",
        "browser": request.args.get("browser", "").replace("\0", "")[:32],
    }
    days = request.args.get("days", "")
    week = Chosen(today - timedelta(days=int(days) - 1 if days in _PERIODS else 6), today, **only)
    if days in _PERIODS or not any(given.values()):
        return week, SentForm({"first": week.first.isoformat(), "last": week.last.isoformat()})
    first, last = _date(given["first"]), _date(given["last"])
    if first is None or last is None or not 0 <= (last - first).days < _LONGEST:
        place = "last" if first is not None else "first"
        # A field for dates can hold nothing else.
        dates = {name: text for name, text in given.items() if _date(text)}
        return week, explain([(place, Refusal("period", "malformed", count=_LONGEST))], _PERIOD, dates)
    return Chosen(first, last, **only), SentForm(given)


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 a day has no time zone
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    text = "".join(text.split())
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _report(chosen: Chosen) -> Report:
    current_parts().figures.funnel.flush()
    return current_parts().figures.reports.report(chosen)


# --- What the page shows -----------------------------------------------------------------------------------------


def _show(chosen: Chosen, form: SentForm) -> Response:
    report, budget = _report(chosen), current_parts().messages.sms_budget.budget()
    days = request.args.get("days", "" if request.args.get("first") else "7")
    return console_page(
        "console/figures.html",
        form.status,
        form=form,
        notice=staff_sessions.flash.take(),
        room="show_figures",
        here_url=staff_sessions.address("show_figures"),
        chosen=chosen,
        period=_period(chosen),
        periods=[(_address(chosen, days=one), f"funnel.period.{name}", one == days) for one, name in _PERIODS.items()],
        csv_url=_address(chosen, "figures_csv", first=chosen.first.isoformat(), last=chosen.last.isoformat()),
        channels=[(name, f"funnel.channel.{name}") for name in CHANNELS],
        browsers=[(name, _browser(name)) for name in sorted({*report.known_browsers, chosen.browser} - {""})],
        is_empty=report.is_empty,
        steps=_rows(report.steps, _step_title),
        row=_ROW,
        day_bars=_day_bars(report.days),
        high=_DAY_BARS,
        days=_rows({day: one for day, one in report.days.items() if one.entered or one.finished}, _short_day),
        by_channel=_rows(report.channels, lambda name: say().plain(f"funnel.channel.{name}")),
        by_browser=_rows(report.browsers, _browser),
        mistakes=[_mistake(one) for one in report.mistakes],
        messages=[_message(one) for one in report.messages],
        has_price=current_parts().profile.messages.sms_price is not None,
        sms_cost=None if report.sms_cost is None else _money(report.sms_cost),
        budget=_budget(budget),
        asked=_asked(chosen),
        late=_late(),
        in_time=current_parts().portal.letters.figures.in_time(chosen.first, chosen.last),
    )


def _asked(chosen: Chosen) -> list[list[str]]:
    """Return a row of the table of requests for each kind."""
    found = current_parts().portal.requests.figures.of_days(chosen.first, chosen.last)
    return [
        [
            title_of(kind),
            _number(one.received),
            _number(one.answered),
            _hours(one.hours_to_answer),
            _number(one.closed),
            _hours(one.hours_to_close),
        ]
        for kind, one in found.items()
    ]


def _hours(hours: float | None) -> str:
    return "–" if hours is None else format_decimal(round(hours, 1), locale=_locale())


def _late() -> str:
    standing = current_parts().portal.requests.figures.standing()
    return say().plain("funnel.requests.late", open=_number(standing.open), late=_number(standing.late))


def _address(chosen: Chosen, endpoint: str = "show_figures", **query: str) -> str:
    kept = {"channel": chosen.channel, "browser": chosen.browser}
    return staff_sessions.address(endpoint, **query, **{name: value for name, value in kept.items() if value})


@dataclass(frozen=True)
class _Row:
    title: str
    entered: str
    finished: str
    left: str
    share: str
    came: float
    """The length of the bar for those who came, in percent of the longest, and its part for those who finished."""
    through: float


def _rows(passages: Mapping[Any, Passage], title: Callable[[Any], str]) -> list[_Row]:
    most = max((max(one.entered, one.finished) for one in passages.values()), default=0) or 1
    return [
        _Row(
            title(name),
            _number(one.entered),
            _number(one.finished),
            _number(one.left),
            "–" if one.percent is None else f"{one.percent}%",
            round(100 * one.entered / most, 2),
            round(100 * one.finished / most, 2),
        )
        for name, one in passages.items()
    ]


def _day_bars(days: Mapping[date, Passage]) -> list[dict[str, Any]]:
    """Return a bar for each day, in percent of the width and pixels of the height; none where there is one day."""
    if len(days) < 2:
        return []
    most, wide = max((max(one.entered, one.finished) for one in days.values()), default=0) or 1, 100 / len(days)
    labelled = {0: "start", len(days) - 1: "end"}
    return [
        {
            "at": round(place * wide + wide * 0.12, 3),
            "wide": round(wide * 0.76, 3),
            "came": round(_DAY_BARS * one.entered / most, 1),
            "through": round(_DAY_BARS * min(one.finished, most) / most, 1),
            "label": _short_day(day) if place in labelled else "",
            "anchor": labelled.get(place, ""),
            "most": _number(most),
        }
        for place, (day, one) in enumerate(days.items())
    ]


def _step_title(name: str) -> str:
    key = f"step.{name.replace('-', '_')}"
    texts = current_parts().profile.texts
    return say().plain(key) if texts.has(key, language()) else name


def _browser(name: str) -> str:
    return say().plain("funnel.browser.other") if name == OTHER_BROWSER else name


def _mistake(one: Mistake) -> dict[str, str]:
    kind = "dead_end" if one.what == STOPPED else "error"
    return {"step": _step_title(one.step), "what": _in_words(one.error, kind), "count": _number(one.count)}


def _in_words(error: str, kind: str) -> str:
    """Return the catalogue's text for an error: the one for staff, or else the customer's."""
    t, texts, error = say(), current_parts().profile.texts, error.removesuffix(".tail").removesuffix(".with_id")
    for key in (f"funnel.error.{error}", f"staff.event.refused.{error}", f"{kind}.{error}.heading", f"error.{error}"):
        if texts.has(key, language()):
            return texts.template(key, language(), {"count": 2}).format_map(_Unknown(texts.facts(language())))
    return t.plain("staff.event.refused.other", what=error)


_SEVERAL = {"count": 2}
"""Texts with plural forms are shown in the form for several."""


class _Unknown(dict[str, Any]):
    """A text's facts; facts that were known only at the time stay open."""

    def __missing__(self, key: str) -> str:
        return "…"


def _message(one: Sent) -> dict[str, str]:
    texts = current_parts().profile.texts
    keys = (f"funnel.message.{one.message}", f"mail.{one.message}.subject")
    key = next((key for key in keys if texts.has(key, language())), None)
    facts = _Unknown(texts.facts(language()))
    return {
        "kind": say().plain(f"funnel.kind.{one.kind}"),
        "text": texts.template(key, language(), _SEVERAL).format_map(facts) if key else one.message,
        "sent": _number(one.sent),
        "delivered": _number(one.delivered),
        "given_up": _number(one.given_up),
        "parts": _number(one.parts) if one.kind == "sms" else "–",
        "cost": "–" if one.cost is None else _money(one.cost),
    }


def _budget(budget: Budget | None) -> dict[str, Any] | None:
    if budget is None:
        return None
    return {
        "used": _number(budget.used),
        "allowed": _number(budget.allowed),
        "percent": budget.percent,
        "bar": min(100, budget.percent),
        "more": budget.more,
        "is_stopped": budget.is_stopped,
        "is_short": budget.is_short,
    }


def _period(chosen: Chosen) -> str:
    return _day(chosen.first) if chosen.first == chosen.last else f"{_day(chosen.first)} – {_day(chosen.last)}"


def _locale() -> str:
    return "en_GB" if language() == "en" else language()


def _day(day: date, form: str = "long") -> str:
    return format_date(day, form, _locale())


def _short_day(day: date) -> str:
    return _day(day, "d MMM" if language() == "en" else "MMM d.").replace(" ", "\N{NO-BREAK SPACE}")


def _number(number: int) -> str:
    return format_decimal(number, locale=_locale())


def _money(amount: Any) -> str:
    return format_currency(amount, current_parts().profile.messages.currency or "", locale=_locale())
