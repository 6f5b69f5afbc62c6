"""The console: what customer service, advisers and supervisors see."""

import re

from services import identifiers
from services.demo_data import STAFF, STAFF_PASSWORD
from services.staff.member import ADVISER, SERVICE, SUPERVISOR
from services.worklists.sweep import SEVERAL
from webapp.demo_inbox import arrived
from webapp.states.catalogue import state
from webapp.states.walker import Walker

_CONSOLE = "customer service and advisers"
_DOORS = {SERVICE: "/ugyfelszolgalat", SUPERVISOR: "/ugyfelszolgalat", ADVISER: "/partner"}


def _come_in(walker: Walker, role: str = SERVICE) -> str:
    door = _DOORS[role]
    walker.get(door)
    email = next(email for email, _, is_in in STAFF if is_in == role)
    walker.send("staff-login", email=email, password=STAFF_PASSWORD)
    return door


@state(_CONSOLE)
def staff_login(walker: Walker) -> None:
    """The entrance."""
    walker.get(_DOORS[SERVICE])


@state(_CONSOLE, status=422)
def staff_login_failed(walker: Walker) -> None:
    """Something of what was typed is not right."""
    walker.get(_DOORS[SERVICE])
    walker.send("staff-login", email="nincs.ilyen@example.hu", password="x")


@state(_CONSOLE)
def staff_home(walker: Walker) -> None:
    """The search."""
    _come_in(walker)


@state(_CONSOLE)
def adviser_home(walker: Walker) -> None:
    """The search, and an adviser's own customers."""
    _come_in(walker, ADVISER)


@state(_CONSOLE, status=422)
def staff_search_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    _come_in(walker)
    walker.send("staff-search")


@state(_CONSOLE, status=404)
def staff_search_none(walker: Walker) -> None:
    """Nobody is found."""
    _come_in(walker)
    walker.send("staff-search", policy_number="999999999")


@state(_CONSOLE)
def staff_masked(walker: Walker) -> None:
    """Somebody is found, and not identified yet."""
    _find(walker)


@state(_CONSOLE, status=422)
def staff_not_identified(walker: Walker) -> None:
    """It was not said how the customer was identified."""
    case = _find(walker)
    walker.press(case)


@state(_CONSOLE, by_staff=True)
def staff_record(walker: Walker) -> None:
    """Identified; the contact data are to be recorded."""
    _identify(walker)


@state(_CONSOLE, status=422, by_staff=True)
def staff_record_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    _identify(walker)
    walker.send("staff-record", email="", email_confirm="", mobile="")


@state(_CONSOLE, by_staff=True)
def staff_code(walker: Walker) -> None:
    """The code has left; the customer reads it out."""
    _send_code(walker)


@state(_CONSOLE, status=422, by_staff=True)
def staff_code_wrong(walker: Walker) -> None:
    """What was read out is not the code."""
    walker.send("staff-code", sms_code=walker.wrong_code(_send_code(walker)))


@state(_CONSOLE, by_staff=True)
def staff_done(walker: Walker) -> None:
    """The customer has got the mail."""
    walker.send("staff-code", sms_code=walker.code(_send_code(walker)))


@state(_CONSOLE)
def staff_stuck(walker: Walker) -> None:
    """A registration that got stuck, with its timeline, as a supervisor sees it."""
    _find_stuck(walker, SUPERVISOR)


@state(_CONSOLE, status=422)
def staff_stuck_no_reason(walker: Walker) -> None:
    """It is to be ended, and no reason was given."""
    _find_stuck(walker, SUPERVISOR)
    walker.act("end", reason="")


@state(_CONSOLE)
def staff_ended(walker: Walker) -> None:
    """It was ended."""
    _find_stuck(walker, SUPERVISOR)
    walker.act("end", reason="Más címet szeretne")


@state(_CONSOLE, status=410)
def ended_by_staff(walker: Walker) -> None:
    """The same for the customer."""
    customer = walker.another()
    customer.to("sms-code")
    _find(walker, SUPERVISOR, customer)
    _record_identification(walker)
    walker.act("end", reason="Más címet szeretne")
    walker.become(customer)
    walker.get("/regisztracio")


@state(_CONSOLE)
def staff_account(walker: Walker) -> None:
    """A customer who has an account."""
    customer = walker.another()
    customer.to("done")
    _find(walker, SERVICE, customer)
    _record_identification(walker)


@state(_CONSOLE)
def staff_forgot(walker: Walker) -> None:
    """The mail for a new password was sent to the customer."""
    staff_account(walker)
    walker.act("forgot")


@state(_CONSOLE, status=404)
def adviser_not_yours(walker: Walker) -> None:
    """Somebody else's customer, or nobody: one answer."""
    _come_in(walker, ADVISER)
    walker.send("staff-search", policy_number="999999999")


@state(_CONSOLE)
def worklist(walker: Walker) -> None:
    """Who has not registered yet."""
    _open_list(walker)


@state(_CONSOLE, status=422)
def worklist_nobody_chosen(walker: Walker) -> None:
    """Invitations are to be sent, and nobody was chosen."""
    _open_list(walker)
    walker.act("invite")


@state(_CONSOLE)
def worklist_everybody(walker: Walker) -> None:
    """Everybody in the list is to be invited: are they?"""
    _open_list(walker)
    walker.act("invite-all")


@state(_CONSOLE)
def worklist_batch(walker: Walker) -> None:
    """Invitations are on their way."""
    _order(walker)


@state(_CONSOLE)
def worklist_batch_done(walker: Walker) -> None:
    """All of them have left."""
    _order(walker)
    address = walker.page.request.path
    walker.parts.chores.finish()
    walker.get(address)


@state(_CONSOLE)
def worklist_empty(walker: Walker) -> None:
    """There is nothing to do in the list."""
    door = _come_in(walker, ADVISER)
    walker.get(f"{door}/munkalistak?lista=lejart")


@state(_CONSOLE)
def worklist_data(walker: Walker) -> None:
    """Data to be put right."""
    _find_case(walker)


@state(_CONSOLE, status=422)
def worklist_note_empty(walker: Walker) -> None:
    """A case is to be closed, and no note was given."""
    _find_case(walker)
    found = re.search(r'action="([^"]+/munkalistak/adatok/[^"]+)"', walker.page.text)
    assert found is not None
    walker.press(found[1], note="")


@state(_CONSOLE)
def invitation(walker: Walker) -> None:
    """The link of an invitation has filled in the number."""
    _order(walker.another())
    walker.parts.chores.finish()
    links = [link for message in arrived(walker.parts) for link in message["links"] if "meghivo=" in link]
    walker.get(links[-1])


@state(_CONSOLE)
def invitation_over(walker: Walker) -> None:
    """The link of an invitation is of no use any more."""
    walker.get("/regisztracio?meghivo=x")


def _open_list(walker: Walker) -> None:
    door = _come_in(walker, SUPERVISOR)
    walker.get(f"{door}/munkalistak?lista=meghivhato")
    if "invite" not in {action for form in walker.forms for action in form.actions}:
        walker.get(f"{door}/munkalistak")  # everybody who can be has been


def _order(walker: Walker) -> None:
    """Invite the first of the list."""
    _open_list(walker)
    found = re.search(r'name="customers" value="([^"]+)"', walker.page.text)
    walker.act("invite", customers=found[1] if found else "")


def _find_case(walker: Walker) -> None:
    """Try a customer's number with the wrong datum, and look at the cases that come of it."""
    stranger = walker.another()
    for _ in range(SEVERAL):
        stranger.forget()
        stranger.get("/regisztracio")
        stranger.send("identify", **{**stranger.customer.fields, "birth_date": "1901-02-03"})
    walker.parts.chores.finish()
    door = _come_in(walker)
    walker.get(f"{door}/munkalistak/adatok")


@state(_CONSOLE)
def staff_figures(walker: Walker) -> None:
    """Registrations in figures, as a supervisor sees them."""
    walker.another().to("sms-code")
    _see_figures(walker, "?days=30")


@state(_CONSOLE)
def staff_figures_none(walker: Walker) -> None:
    """Nobody registered in that time."""
    _see_figures(walker, "?first=2020-01-01&last=2020-01-31")


@state(_CONSOLE, status=422)
def staff_figures_wrong_period(walker: Walker) -> None:
    """There is no such day."""
    _see_figures(walker, "?first=2026-02-30&last=2026-03-01")


def _see_figures(walker: Walker, query: str) -> None:
    walker.get(f"{_come_in(walker, SUPERVISOR)}/regisztraciok{query}")


def _find(walker: Walker, role: str = SERVICE, customer: Walker | None = None) -> str:
    """Come in, look a customer up, and return the address of the case."""
    _come_in(walker, role)
    rules = walker.parts.profile.identification
    walker.send("staff-search", policy_number=(customer or walker).customer.fields[rules.field])
    return walker.page.request.path


def _identify(walker: Walker) -> None:
    _find(walker)
    _record_identification(walker)


def _record_identification(walker: Walker) -> None:
    walker.press(walker.page.request.path, identified_by="call")


def _send_code(walker: Walker) -> str:
    """Record the contact data, and return the number that the code went to."""
    _identify(walker)
    mobile = walker.customer.mobile
    email = walker.email
    walker.send("staff-record", email=email, email_confirm=email, mobile=identifiers.written(mobile))
    return mobile


def _find_stuck(walker: Walker, role: str) -> None:
    customer = walker.another()
    customer.to("sms-code")
    customer.send("sms-code", sms_code=customer.wrong_code())
    _find(walker, role, customer)
    _record_identification(walker)
