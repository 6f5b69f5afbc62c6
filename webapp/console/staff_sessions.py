"""The member of staff behind a request: their secret in the browser's signed session, and the two entrances."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from flask import Blueprint, Flask, Response, request, url_for
from markupsafe import Markup

from services.sessions import Device
from services.staff import Hit, Member, StaffSession
from webapp.account import sessions
from webapp.http import devices
from webapp.parts import current_parts
from webapp.ui.flash import Flash
from webapp.ui.form_errors import SentForm
from webapp.ui.language import say
from webapp.ui.respond import page, see_other
from webapp.ui.session_note import session_note

P = ParamSpec("P")

SERVICE, PARTNER = "console", "partner"
"""The two entrances, by the blueprint's names there."""
DOORS = {SERVICE: "/ugyfelszolgalat", PARTNER: "/partner"}
"""Their addresses."""
blueprint = Blueprint("console", __name__)
current, held, look_again = sessions.staff.current, sessions.staff.secret, sessions.staff.look_again
flash = Flash("staff")
"""What the console's next page says."""


def open_doors(app: Flask) -> None:
    """Add the console to the application, at each of its entrances."""
    for name, address in DOORS.items():
        app.register_blueprint(blueprint, name=name, url_prefix=address)


def door() -> str:
    """Return the name of the entrance that this request came by; the company's own sign-in leads to the first."""
    return request.blueprint if request.blueprint in DOORS else SERVICE


def address(endpoint: str, **values: Any) -> str:
    """Return the address of a page of the console behind the entrance that this request came by."""
    return url_for(f"{door()}.{endpoint}", **values)


def own_door(member: Member) -> str:
    """Return the name of a member's entrance: advisers have their own."""
    return PARTNER if member.is_adviser else SERVICE


def home_of(seen: StaffSession | None) -> str:
    """Return the address of a member's own entrance; without a session, the entrance that this request came by."""
    return url_for(f"{own_door(seen.member) if seen else door()}.home")


def enter(token: str, device: Device, go: Callable[[str], Response]) -> Response:
    """Give this browser a new session, and lead to the member's own entrance by `go`.

    Its earlier session, also a customer's, has ended.
    """
    sessions.let_go()
    sessions.staff.hold(token)
    response = go(home_of(current()))
    devices.remember(device, response)
    return response


def needed(view: Callable[Concatenate[StaffSession, P], Response]) -> Callable[P, Response]:
    """Let only members of staff reach a view, each by their own entrance; the view gets their session."""

    return sessions.staff.guard(view, ask=ask, first=own_door_first)


def own_door_first(seen: StaffSession) -> Response | None:
    """Lead a member to their own entrance, where the request came by the other one."""
    return None if door() == own_door(seen.member) else see_other(home_of(seen))


def ask() -> Response:
    """Ask for a sign-in."""
    ended = "login.ended.idle" if held() else None
    sessions.staff.drop()
    if request.method in ("GET", "HEAD"):
        if request.path != address("home"):
            flash.leave(ended or "login.needed")
            return see_other(address("home"))
        return show_login(notice=ended)
    response = show_login(403, notice=ended or "login.needed", is_refused=True)
    response.headers["HX-Push-Url"] = address("home")
    return response


def show_login(status: int = 200, *, notice: str | None = None, **context: Any) -> Response:
    """Show the sign-in of staff; `notice` is the key of a text that replaces the waiting one."""
    left = flash.take()
    shown: dict[str, Any] = {"wait": None, "is_failed": False, "is_refused": False, **context}
    shown["notice"] = say()(notice) if notice else left
    form = shown.setdefault("form", SentForm())
    shown["company_url"] = url_for("company.leave") if current_parts().settings.oidc_issuer else None
    return console_page(
        "console/login.html", status, problems=form.problems, is_demo=current_parts().settings.demo, **shown
    )


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
        session_note=note(),
        sms_budget=current_parts().messages.sms_budget.budget() if seen else None,
        **context,
    )


def desk_page(seen: StaffSession, template: str, status: int = 200, **context: Any) -> Response:
    """Render a page with the search and the customers looked at beside it."""
    return console_page(template, status, recent=listed(current_parts().staff.search.recent(seen)), **context)


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


def note() -> dict[str, object] | None:
    """Return what a page says about the end of the session; None where nobody is signed in."""
    if (seen := current()) is None:
        return None
    return session_note(seen, until_url=address("until_when"), stay_url=address("stay"))
