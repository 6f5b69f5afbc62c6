"""The member of staff behind a request: an opaque secret of its own in the browser's signed session, and two doors."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, Response, g, make_response, redirect, request, session
from markupsafe import Markup

from services.staff import Hit, Member, StaffSession
from webapp.account import sessions
from webapp.parts import wired
from webapp.ui.form_errors import SentForm
from webapp.ui.formats import clock_time, time_left
from webapp.ui.language import say
from webapp.ui.respond import page

P = ParamSpec("P")

SERVICE, PARTNER = "/ugyfelszolgalat", "/partner"
COMPANY = f"{SERVICE}/ceges-belepes"
"""Where the sign-in with the company's own account begins, if it is configured."""
DOORS = {"console": SERVICE, "partner": PARTNER}
"""The blueprint stands at both addresses, under these names."""
blueprint = Blueprint("console", __name__)
_KEY, _NOTICE = sessions.STAFF, "staff_notice"


def door() -> str:
    """Return the address of the entrance that this request came by."""
    return DOORS.get(request.blueprint or "", SERVICE)


def own_door(member: Member) -> str:
    """Return the entrance of a member: advisers have their own."""
    return PARTNER if member.is_adviser else SERVICE


def current() -> StaffSession | None:
    """Return the staff session of this browser while it lasts. Being asked for counts as being active."""
    if _KEY not in g:
        token = held()
        # What a page asks by itself, again and again, is no activity.
        is_activity = not (request.endpoint or "").endswith((".until_when", ".batch_progress", ".follow"))
        g.staff = wired().staff.accounts.resume(token, is_activity=is_activity) if token else None
    seen: StaffSession | None = g.staff
    return seen


def held() -> str | None:
    """Return the secret that this browser holds, whatever has become of the session."""
    token: str | None = session.get(_KEY)
    return token


def enter(token: str) -> None:
    """Have this browser hold a new session: whatever was in it before, a customer's session too, has ended."""
    sessions.let_go()
    session[_KEY] = token
    look_again()


def look_again() -> None:
    """Have `current` read anew what has changed since."""
    g.pop(_KEY, None)


def leave_notice(notice: Markup) -> None:
    """Have the console's next page say this, once.

    Customers' pages flash the keys of texts that they fill themselves: one browser may show both, and neither what is
    the other's.
    """
    session[_NOTICE] = notice


def take_notice() -> Markup | None:
    """Return what was left for this page, if anything was."""
    notice: Markup | None = session.pop(_NOTICE, None)
    return notice


def needed(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let a view be reached by members of staff alone, each by their own door."""

    @wraps(view)
    def guarded(*arguments: P.args, **named: P.kwargs) -> Response:
        seen = current()
        if seen is None:
            return ask()
        if door() != own_door(seen.member):
            return make_response(redirect(own_door(seen.member), 303))
        return view(*arguments, **named)

    return guarded


def ask() -> Response:
    """Ask for a sign-in."""
    ended = "login.ended.idle" if held() else None
    session.pop(_KEY, None)
    if request.method in ("GET", "HEAD"):
        if request.path != door():
            leave_notice(say()(ended or "login.needed"))
            return make_response(redirect(door(), 303))
        return show_login(notice=ended)
    response = show_login(403, notice=ended or "login.needed", is_refused=True)
    response.headers["HX-Push-Url"] = door()
    return response


def show_login(status: int = 200, *, notice: str | None = None, **context: Any) -> Response:
    """Show the sign-in of staff; `notice` is the key of a text that counts more than what was left to be said."""
    left = take_notice()
    shown: dict[str, Any] = {"wait": None, "is_failed": False, "is_refused": False, **context}
    shown["notice"] = say()(notice) if notice else left
    form = shown.setdefault("form", SentForm())
    shown["company_url"] = COMPANY if wired().settings.oidc_issuer else None
    return console_page("console/login.html", status, problems=form.problems, is_demo=wired().settings.demo, **shown)


def console_page(template: str, status: int = 200, **context: Any) -> Response:
    """Render a page in the console's frame, or its fragment."""
    seen = current()
    context.setdefault("form", SentForm())
    context.setdefault("problems", context["form"].problems)
    return page(
        template,
        status,
        layout="layouts/console.html",
        door=door(),
        member=seen.member if seen else None,
        signed_in=False,
        session_note=session_note(),
        sms_budget=wired().messages.sms_budget.budget() if seen else None,
        **context,
    )


def desk_page(template: str, status: int = 200, **context: Any) -> Response:
    """Render a page with the search and the customers looked at beside it."""
    seen = current()
    assert seen is not None
    return console_page(template, status, recent=listed(wired().staff.cases.recent(seen)), **context)


def listed(hits: list[Hit]) -> list[dict[str, Any]]:
    """Return the lines of a list of customers, with the badge that says most."""
    t = say()
    return [
        {
            "mark": hit.mark,
            "name": hit.name,
            "policy_number": hit.policy_number,
            "case_id": hit.case_id,
            "badge": next(
                Markup('<span class="badge {}">{}</span>').format(tone, t(f"staff.state.{key}"))
                for is_so, tone, key in (
                    (hit.has_account, "", "account"),
                    (not hit.is_live, "off", "no_live"),
                    (not hit.has_mobile, "bad", "no_mobile"),
                    (True, "off", "none"),
                )
                if is_so
            ),
        }
        for hit in hits
    ]


def session_note() -> dict[str, object] | None:
    """Return what a page says about the end of the session; None where nobody is signed in."""
    seen = current()
    if seen is None:
        return None
    warning = int(wired().profile.sign_in.warning.total_seconds())
    left = time_left(seen.over_at)
    return {
        "time": clock_time(seen.over_at),
        "is_last": seen.ends_at <= seen.idle_at,
        "is_due": left <= warning,
        "is_extended": session.pop("extended", False),
        "ask_in": left + 1 if left <= warning else left - warning,
        "until_url": f"{door()}/meddig",
        "stay_url": f"{door()}/maradok",
    }
