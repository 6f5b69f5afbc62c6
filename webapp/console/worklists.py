"""The worklist of customers without a registration, and invitations from it (B2)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Response, request
from markupsafe import Markup

from services import randomness
from services.refusal import OutOfTurn, Refusal
from services.staff import StaffSession
from services.worklists import Batch, Line, View
from services.worklists.lists import ALL, INVITATION, INVITED, NO_ADDRESS, NOT_INVITED, OVERDUE, REMINDER
from services.worklists.unregistered import MOST_COUNTED
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import blueprint, console_page, needed
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, day
from webapp.ui.language import say
from webapp.ui.respond import go_on

LISTED = {ALL: "mind", NOT_INVITED: "meghivhato", NO_ADDRESS: "hivando", INVITED: "meghivott", OVERDUE: "lejart"}
"""The lists by the words that name them in an address."""
_BY_WORD = {word: listed for listed, word in LISTED.items()}
_ORDERS = {"invite": INVITATION, "invite-all": INVITATION, "remind": REMINDER, "remind-all": REMINDER}
_FIELDS = Fields({"due_on": "worklist.deadline", "customers": "worklist.unregistered.heading"})
_LISTS = "/munkalistak"
_BATCH = f"{_LISTS}/kuldes/<batch_id>"
ROOM = "unregistered"
"""The endpoint where the worklists begin; the navigation marks it as the present place."""
_USUAL_TIME = timedelta(days=21)
"""The form's first value for the deadline."""


@blueprint.get(_LISTS)
@needed
def unregistered(seen: StaffSession) -> Response:
    """Show a page of customers who have not registered."""
    return _show(seen, request.args)


@blueprint.post(_LISTS)
@needed
def order(seen: StaffSession) -> Response:
    """Open a customer of the list, choose an adviser, or send mails; mails to everybody need a confirmation."""
    form = request.form
    if "customer" in form:
        case_id = current_parts().worklists.unregistered.open(seen, form["customer"])
        return go_on(cases.address(case_id), lambda: cases.show_case(seen, case_id))
    kind = _ORDERS.get(form.get("action", ""))
    if kind is None:
        chosen = {**form, "utan": "", "kijelolve": ""}
        return go_on(_address(chosen), lambda: _show(seen, chosen))
    everybody, invitations = form["action"].endswith("-all"), current_parts().worklists.invitations
    try:
        deadline_at = invitations.end_of(form.get("due_on", "")) if kind == INVITATION else None
        if everybody and "sure" not in form:
            of_all = {**form, "utan": "", "mit": form["action"], "nap": form.get("due_on", "") if deadline_at else ""}
            return go_on(staff_sessions.address("everybody") + query(of_all), lambda: _ask(seen, of_all))
        batch_id = invitations.order(
            seen,
            form.get("form", ""),
            kind,
            marks=None if everybody else form.getlist("customers"),
            view=view_of(seen, form),
            deadline_at=deadline_at,
        )
    except Refusal as refusal:
        return _show(seen, form, explain([("", refusal)], _FIELDS, form))
    return go_on(_batch_address(batch_id), lambda: _show_batch(seen, batch_id))


@blueprint.get(f"{_LISTS}/mindenki")
@needed
def everybody(seen: StaffSession) -> Response:
    """Ask for confirmation before mails go to everybody in a list."""
    return _ask(seen, request.args)


@blueprint.get(_BATCH)
@needed
def batch_progress(seen: StaffSession, batch_id: str) -> Response:
    """Show a batch's progress; the page asks again by itself, which does not prolong the session."""
    return _show_batch(seen, batch_id)


@blueprint.post(_BATCH)
@needed
def stop_batch(seen: StaffSession, batch_id: str) -> Response:
    """Stop a batch."""
    try:
        current_parts().worklists.invitations.stop(seen, batch_id)
    except OutOfTurn:
        current_parts().worklists.invitations.batch(seen, batch_id)  # over already; or not to be seen at all
    return go_on(_batch_address(batch_id), lambda: _show_batch(seen, batch_id))


# --- What both worklists share -------------------------------------------------------------------------------------


def adviser_of(seen: StaffSession, values: Mapping[str, str]) -> str | None:
    """Return the code of the adviser who was chosen."""
    return current_parts().worklists.unregistered.adviser(seen, values.get("tanacsado", ""))


def view_of(seen: StaffSession, values: Mapping[str, str]) -> View:
    """Return the list that is asked for, and the adviser."""
    return View(_BY_WORD.get(values.get("lista", ""), ALL), adviser_of(seen, values)).seen_by(seen)


def asked(values: Mapping[str, str]) -> dict[str, str]:
    """Return what an address or a form of the worklists asks for: our own words and marks, nothing else."""
    known = ("lista", "adat", "lezart", "tanacsado", "utan", "mit", "nap", "kijelolve")
    found = {name: values.get(name, "") for name in known}
    return {name: value for name, value in found.items() if value.replace("-", "").replace("_", "").isalnum()}


def query(values: Mapping[str, str], **other: str) -> str:
    """Return the query of an address, without what is empty."""
    pairs = [f"{name}={value}" for name, value in asked({**values, **other}).items()]
    return f"?{'&'.join(pairs)}" if pairs else ""


def choice_of_advisers(seen: StaffSession, values: Mapping[str, str]) -> dict[str, Any]:
    """Return whom a member may choose, and who is chosen."""
    return {"advisers": current_parts().worklists.unregistered.advisers(seen), "adviser": values.get("tanacsado", "")}


# --- What the pages show -------------------------------------------------------------------------------------------


def _home() -> str:
    return staff_sessions.address(ROOM)


def _address(values: Mapping[str, str], **other: str) -> str:
    return _home() + query(values, **other)


def _batch_address(batch_id: str) -> str:
    return staff_sessions.address("batch_progress", batch_id=batch_id)


def _show(seen: StaffSession, values: Mapping[str, str], form: SentForm | None = None) -> Response:
    parts, values = current_parts(), asked(values)
    is_all_chosen = "kijelolve" in values
    values.pop("kijelolve", None)
    view = view_of(seen, values)
    page = parts.worklists.unregistered.page(seen, view, values.get("utan", ""))
    chosen = set(request.form.getlist("customers"))
    form, start = form or _usual(), {**values, "utan": ""}
    return console_page(
        "console/unregistered.html",
        form.status,
        room=ROOM,
        form=form,
        problems=form.problems,
        address=_home(),
        lists=[(name, _address(start, lista=word), name == view.listed) for name, word in LISTED.items()],
        listed=view.listed,
        word=LISTED[view.listed],
        place=values.get("utan", ""),
        **choice_of_advisers(seen, values),
        count=None if page.count is None else _count(page.count),
        lines=[_line(line, line.mark in chosen or is_all_chosen) for line in page.lines],
        is_all_chosen=is_all_chosen,
        all_url=_address(values, kijelolve="mind"),
        none_url=_address(values),
        more_url=_address(values, utan=page.more) if page.more else None,
        first_url=_address(start) if values.get("utan") else None,
        **_possible(seen, view.listed),
        form_id=randomness.opaque_id(),
        batches=[(_batch(one), _batch_address(one.id)) for one in parts.worklists.invitations.recent(seen)],
    )


def _show_batch(seen: StaffSession, batch_id: str) -> Response:
    batch = current_parts().worklists.invitations.batch(seen, batch_id)
    return console_page(
        "console/batch.html", room=ROOM, batch=_batch(batch), address=_batch_address(batch_id), lists=_home()
    )


def _usual() -> SentForm:
    """Return the form with the usual deadline."""
    usual = current_parts().clock.now() + _USUAL_TIME
    return SentForm({"due_on": usual.astimezone(current_parts().profile.zone).date().isoformat()})


def _possible(seen: StaffSession, listed: str) -> dict[str, bool]:
    """Return which mails can be sent to customers chosen in a list, and which of them to everybody in it."""
    can_all = seen.member.is_supervisor or seen.member.is_adviser
    can_invite = listed not in (INVITED, NO_ADDRESS)
    return {
        "can_invite": can_invite,
        "can_remind": listed in (ALL, INVITED),
        "can_invite_all": can_all and can_invite,
        "can_remind_all": can_all and listed == INVITED,
    }


def _ask(seen: StaffSession, values: Mapping[str, str]) -> Response:
    values = asked(values)
    action = values.get("mit", "")
    kind = _ORDERS.get(action)
    if kind is None or not action.endswith("-all"):
        raise OutOfTurn
    view = view_of(seen, values)
    reached = current_parts().worklists.unregistered.count_reached(seen, view, kind)
    names = dict(current_parts().worklists.unregistered.advisers(seen))
    try:
        deadline_at = (
            current_parts().worklists.invitations.end_of(values.get("nap", "")) if kind == INVITATION else None
        )
    except Refusal:
        raise OutOfTurn from None
    return console_page(
        "console/send_to_all.html",
        room=ROOM,
        kind=kind,
        address=_home(),
        back_url=_address(values),
        listed=view.listed,
        adviser_name=names.get(values.get("tanacsado", "")) or (seen.member.name if seen.member.is_adviser else None),
        count=_count(current_parts().worklists.unregistered.count(seen, view)),
        reached=_count(reached),
        deadline=day(deadline_at) if deadline_at else None,
        hidden={
            "form": randomness.opaque_id(), "lista": LISTED[view.listed], "tanacsado": values.get("tanacsado", ""),
            "due_on": values.get("nap", ""), "sure": "1",
        },
        action=action,
    )  # fmt: skip


def _count(count: int) -> Markup:
    if count > MOST_COUNTED:
        return say()("worklist.count.more", count=MOST_COUNTED)
    return say()("worklist.count", count=count)


def _standing(line: Line) -> tuple[Markup, str]:
    """Return how far the customer's invitation is, in words, and the tone that repeats it."""
    t = say()
    if not line.has_address:
        return t("worklist.no_address"), "bad"
    if line.declined_at:
        return t("worklist.declined", date=day(line.declined_at)), "off"
    if line.is_undelivered:
        return t("worklist.undelivered"), "bad"
    if line.deadline_at is None:
        return t("worklist.not_invited"), "off"
    if not line.is_open:
        return t("worklist.deadline.over", date=day(line.deadline_at)), "bad"
    return t("worklist.deadline.at", date=day(line.deadline_at)), ""


def _line(line: Line, is_chosen: bool) -> dict[str, Any]:
    t = say()
    words, tone = _standing(line)
    mailed = (("worklist.invited", line.invited_at), ("worklist.reminded", line.reminded_at))
    past = [t(key, date=day(moment)) for key, moment in mailed if moment]
    return {
        "mark": line.mark,
        "name": line.hit.name,
        "policy_number": line.hit.policy_number,
        "adviser": line.adviser,
        "words": words,
        "tone": tone,
        "past": past,
        "has_address": line.has_address and line.declined_at is None,
        "is_chosen": is_chosen and line.has_address and line.declined_at is None,
    }


def _batch(batch: Batch) -> dict[str, Any]:
    t = say()
    key = "worklist.invite.progress" if batch.kind == INVITATION else "worklist.remind.progress"
    total = batch.total if batch.ended_at is None or batch.total is None else max(batch.total, batch.sent)
    return {
        "kind": batch.kind,
        "by": t("worklist.batch.by", staff=batch.by, datetime=date_and_time(batch.created_at)),
        "deadline": t("worklist.deadline.at", date=day(batch.deadline_at)) if batch.deadline_at else None,
        "sent": batch.sent,
        "done": batch.sent + batch.skipped,
        "total": total,
        "words": t(key, current=batch.sent, total=total) if total is not None else t("worklist.batch.counting"),
        "skipped": t("worklist.batch.skipped", count=batch.skipped) if batch.skipped else None,
        "is_over": batch.ended_at is not None,
        "is_stopped": batch.is_stopped,
    }
