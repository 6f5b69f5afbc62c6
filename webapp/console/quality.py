"""The worklist of data to be put right: by kind, and each case closed with a note."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from markupsafe import Markup

from services.refusal import Refusal
from services.staff import StaffSession
from services.worklists import KINDS, QualityLine
from services.worklists.quality import OF_TRIES
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import blueprint, console_page, needed
from webapp.console.worklists import ROOM, adviser_of, asked, choice_of_advisers, query
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time
from webapp.ui.language import say
from webapp.ui.respond import go_on

_ISSUES = "/munkalistak/adatok"


@blueprint.get(_ISSUES)
@needed
def quality(seen: StaffSession) -> Response:
    """Show a page of the cases."""
    return _show(seen, request.args)


@blueprint.post(_ISSUES)
@needed
def choose(seen: StaffSession) -> Response:
    """Open a customer of the list, or choose an adviser."""
    if "customer" in request.form:
        case_id = current_parts().worklists.unregistered.open(seen, request.form["customer"])
        return go_on(cases.address(case_id), lambda: cases.show_case(seen, case_id))
    chosen = {**request.form, "utan": ""}
    return go_on(_address(chosen), lambda: _show(seen, chosen))


@blueprint.post(f"{_ISSUES}/<case_id>")
@needed
def close(seen: StaffSession, case_id: str) -> Response:
    """Close a case with a note. A case that a colleague has closed meanwhile is gone from the list."""
    note = " ".join(request.form.get("note", "").replace("\0", "").split())
    try:
        is_closed = current_parts().worklists.data_issues.close(seen, case_id, note)
    except Refusal as refusal:
        field = f"note-{case_id}"
        return _show(seen, request.form, explain([("", refusal)], Fields({field: "worklist.note"}), {field: note}))
    if is_closed:
        staff_sessions.flash.leave("worklist.quality.was_closed")
    return go_on(_address(request.form), lambda: _show(seen, request.form))


def _home() -> str:
    return staff_sessions.address("quality")


def _address(values: Mapping[str, str], **other: str) -> str:
    return _home() + query(values, **other)


def _show(seen: StaffSession, values: Mapping[str, str], form: SentForm | None = None) -> Response:
    form, values = form or SentForm(), asked(values)
    kind, closed = values.get("adat", ""), bool(values.get("lezart"))
    kind = kind if kind in KINDS else ""
    page = current_parts().worklists.data_issues.page(
        seen, kind, values.get("utan", ""), adviser=adviser_of(seen, values), closed=closed
    )
    if form.problems and form.problems[0].field_id not in {f"note-{line.id}" for line in page.lines}:
        form = SentForm()  # the case is gone
    chosen = {**values, "utan": ""}
    return console_page(
        "console/quality.html",
        form.status,
        room=ROOM,
        form=form,
        problems=form.problems,
        notice=staff_sessions.flash.take(),
        address=_home(),
        kinds=[("", _address(chosen, adat=""), not kind)]
        + [(one, _address(chosen, adat=one), one == kind) for one in KINDS],
        states=[(_address(chosen, lezart=""), "open", not closed), (_address(chosen, lezart="1"), "closed", closed)],
        kept={name: values.get(name, "") for name in ("adat", "lezart", "tanacsado", "utan")},
        closed=closed,
        **choice_of_advisers(seen, values),
        lines=[_line(line) for line in page.lines],
        more_url=_address(values, utan=page.more) if page.more else None,
        first_url=_address(chosen) if values.get("utan") else None,
    )


def _line(line: QualityLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "mark": line.mark,
        "name": line.hit.name,
        "policy_number": line.hit.policy_number,
        "kind": line.kind,
        "tone": "bad" if line.kind in OF_TRIES else "off",
        "found": say()("worklist.found", date=date_and_time(line.found_at)),
        "past": _past(line),
        "note": line.note,
    }


def _past(line: QualityLine) -> Markup | None:
    t = say()
    if line.closed_at is not None:
        when = date_and_time(line.closed_at)
        return (
            t("worklist.closed", staff=line.closed_by, datetime=when)
            if line.closed_by
            else t("worklist.closed.itself", datetime=when)
        )
    if line.closed_by and line.note:
        return t("worklist.closed.before", staff=line.closed_by, note=line.note)
    return None
