"""What an intermediary does in a customer's place: requests, invoices and letters of the accounts they manage (P55)."""

from functools import partial
from typing import Any

from flask import Response, request, url_for

from services.refusal import OutOfTurn, Refusal
from services.requests.request import Request
from services.staff import StaffSession
from services.staff.managed import Managed
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import PARTNER, blueprint, console_page, flash, needed
from webapp.parts import current_parts
from webapp.portal import contract_lines, invoices, request_flow, uploads
from webapp.portal.request_door import Door
from webapp.portal.request_page import Follower, act, add_file, show
from webapp.portal.request_words import line, line_of_draft, takes, title_of
from webapp.ui.formats import date_in_words
from webapp.ui.language import say
from webapp.ui.respond import see_other

_MANAGED = "/ugyfel/<case_id>/kezelt"
_NEW = f"{_MANAGED}/uj/<kind>"
_REQUEST = f"{_MANAGED}/ugy/<request_id>"


@blueprint.get(_MANAGED)
@needed
def show_managed(seen: StaffSession, case_id: str) -> Response:
    """Show what belongs to the managed account, and what can be asked for; the look is on record."""
    parts = current_parts()
    managed = parts.staff.managed.look(seen, case_id)
    papers, services = parts.staff.managed.papers(managed), parts.portal.requests
    drafts = [one for one in services.drafts.all(managed.applicant) if one.kind in parts.profile.requests]
    return console_page(
        "console/managed.html",
        customer=managed.customer,
        case_url=cases.address(case_id),
        notice=flash.take(),
        contracts=[contract_lines.line(one)["name"] + f", {one.number}" for one in managed.contracts],
        drafts=[{**line_of_draft(one), "href": _new(case_id, one.kind)} for one in drafts],
        requests=[_line(case_id, one) for one in services.own.all(managed.applicant)],
        offers=[
            {"title": title_of(one.kind.name), "about": takes(one.kind), "href": _new(case_id, one.kind.name)}
            for one in services.kinds.offers(managed.applicant)
            if one.is_suitable
        ],
        invoices=[invoices.shown(one) for one in papers.invoices],
        letters=[
            {
                "title": one.title,
                "about": date_in_words(one.issued_on),
                "href": staff_sessions.address("show_granted", letter_id=one.id),
            }
            for one in papers.letters
        ],
    )


@blueprint.route(_NEW, methods=["GET", "POST"])
@needed
def fill_in_managed(seen: StaffSession, case_id: str, kind: str) -> Response:
    """Show a page of a new request, or keep its answers (P35)."""
    managed = current_parts().staff.managed.look(seen, case_id)
    offer = current_parts().portal.requests.kinds.offer(managed.applicant, kind)
    if not offer.is_suitable:
        raise OutOfTurn
    return (request_flow.submit if request.method == "POST" else request_flow.show)(_door(case_id, managed), offer)


@blueprint.route(f"{_NEW}/fajlok", methods=["GET", "POST"])
@needed
def add_managed_file(seen: StaffSession, case_id: str, kind: str) -> Response:
    """Take a file for a question of a new request (P38)."""
    managed = current_parts().staff.managed.look(seen, case_id)
    return request_flow.add_file(
        _door(case_id, managed), current_parts().portal.requests.kinds.offer(managed.applicant, kind)
    )


@blueprint.route(_REQUEST, methods=["GET", "POST"])
@needed
def follow_managed(seen: StaffSession, case_id: str, request_id: str) -> Response:
    """Show a request of the managed account, answer the insurer's question, or withdraw it."""
    managed = current_parts().staff.managed.look(seen, case_id)
    return (act if request.method == "POST" else show)(_follower(case_id, managed), request_id)


@blueprint.route(f"{_REQUEST}/fajlok", methods=["GET", "POST"])
@needed
def add_managed_answer_file(seen: StaffSession, case_id: str, request_id: str) -> Response:
    """Take a file for the answer to the insurer's question."""
    return add_file(_follower(case_id, current_parts().staff.managed.look(seen, case_id)), request_id)


@blueprint.get(f"{_MANAGED}/fajl/<upload_id>")
@needed
def read_managed_file(seen: StaffSession, case_id: str, upload_id: str) -> Response:
    """Send the rendition of a file of a draft or request of the managed account; 409 as long as it has none."""
    parts = current_parts()
    managed = parts.staff.managed.look(seen, case_id)
    try:
        opened = parts.portal.uploads.reading.open(managed.kutid, upload_id)
    except Refusal:
        return uploads.unchecked(_home(case_id))
    owner = opened.upload.owner
    if owner not in {one.id for one in parts.portal.requests.drafts.all(managed.applicant)}:
        parts.portal.requests.own.find(managed.applicant, owner)  # or it is another's
    return uploads.send(opened)


def turn_away() -> Response | None:
    """Return the answer to a file from somebody who is not signed in; None for a member of staff."""
    return None if staff_sessions.current() is not None else see_other(url_for(f"{PARTNER}.home"))


def _home(case_id: str) -> str:
    return staff_sessions.address("show_managed", case_id=case_id)


def _new(case_id: str, kind: str, page_id: str | None = None, **_values: Any) -> str:
    return staff_sessions.address("fill_in_managed", case_id=case_id, kind=kind, kerdes=page_id)


def _one(case_id: str, request_id: str) -> str:
    return staff_sessions.address("follow_managed", case_id=case_id, request_id=request_id)


def _line(case_id: str, one: Request) -> dict[str, Any]:
    return {**line(one), "href": _one(case_id, one.id)}


def _door(case_id: str, managed: Managed) -> Door:
    def show_sent(request_id: str, *, is_twice: bool = False) -> Response:
        return show(_follower(case_id, managed), request_id)

    return Door(
        by=managed.applicant,
        kutid=managed.kutid,
        address=partial(_new, case_id),
        files=lambda kind, question: staff_sessions.address(
            "add_managed_file", case_id=case_id, kind=kind, kerdes=question
        ),
        home=_home(case_id),
        place=say()("adviser.desk.managed.back"),
        sent=lambda request_id, *, is_twice=False: _one(case_id, request_id),
        show_sent=show_sent,
        was_sent=partial(request_flow.was_sent, managed.applicant),
        say=flash.leave,
        notice=flash.take,
        file=lambda _kind: partial(_file, case_id),
        render=console_page,
    )


def _follower(case_id: str, managed: Managed) -> Follower:
    return Follower(
        by=managed.applicant,
        kutid=managed.kutid,
        home=_home(case_id),
        place=say()("adviser.desk.managed.back"),
        address=partial(_one, case_id),
        files=lambda request_id: staff_sessions.address(
            "add_managed_answer_file", case_id=case_id, request_id=request_id
        ),
        say=flash.leave,
        notice=flash.take,
        file=partial(_file, case_id),
        render=console_page,
    )


def _file(case_id: str, upload_id: str) -> str:
    return staff_sessions.address("read_managed_file", case_id=case_id, upload_id=upload_id)
