"""The console: what customer service, advisers and supervisors see."""

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from services import randomness
from services.payments.ledger import NewInvoice, bring
from services.payments.statement_files import Entry
from services.staff.member import ADVISER, SERVICE, SUPERVISOR
from services.store.tables.register import policies
from services.values import identifiers
from services.worklists.scan import SEVERAL
from webapp.console.staff_sessions import PARTNER as PARTNER_DOOR
from webapp.console.staff_sessions import SERVICE as SERVICE_DOOR
from webapp.demo.invoices import amounts
from webapp.demo.seed import STAFF, STAFF_PASSWORD
from webapp.demo.states.cast import Customer
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_CONSOLE = "customer service and advisers"
_DOORS = {SERVICE: SERVICE_DOOR, SUPERVISOR: SERVICE_DOOR, ADVISER: PARTNER_DOOR}

_CANCELLED = "940000004"
"""A policy of all profiles' demo customers."""


def come_in(walker: Walker, role: str = SERVICE) -> str:
    """Sign in at the role's own entrance, and return its name."""
    door = _DOORS[role]
    walker.visit(f"{door}.home")
    email = next(email for email, _, is_in in STAFF if is_in == role)
    walker.send("staff-login", email=email, password=STAFF_PASSWORD)
    return door


@state(_CONSOLE)
def staff_login(walker: Walker) -> None:
    """The entrance."""
    walker.visit(f"{SERVICE_DOOR}.home")


@state(_CONSOLE, status=422)
def staff_login_failed(walker: Walker) -> None:
    """Something of what was typed is not right."""
    walker.visit(f"{SERVICE_DOOR}.home")
    walker.send("staff-login", email="nincs.ilyen@example.hu", password="x")


@state(_CONSOLE, status=429)
def staff_login_wait(walker: Walker) -> None:
    """So many tries failed that the next one has to wait."""
    for _ in range(walker.parts.profile.sign_in.tries + 1):
        walker.visit(f"{SERVICE_DOOR}.home")
        walker.send("staff-login", email=walker.email, password="x")  # nobody's address: it keeps nobody out


@state(_CONSOLE)
def staff_signed_out(walker: Walker) -> None:
    """After signing out."""
    come_in(walker)
    walker.send("logout")


@state(_CONSOLE, moves_clock=True, status=403)
def staff_session_over(walker: Walker) -> None:
    """The session had ended when a form was sent."""
    come_in(walker)
    walker.advance(minutes=walker.parts.profile.sign_in.idle_minutes + 1)
    walker.send("staff-search", policy_number=walker.email)


@state(_CONSOLE)
def staff_home(walker: Walker) -> None:
    """The search."""
    come_in(walker)


@state(_CONSOLE)
def adviser_home(walker: Walker) -> None:
    """The search, and an adviser's own customers."""
    come_in(walker, ADVISER)


@state(_CONSOLE, status=422)
def staff_search_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    come_in(walker)
    walker.send("staff-search")


@state(_CONSOLE, status=404)
def staff_search_none(walker: Walker) -> None:
    """Nobody is found."""
    come_in(walker)
    walker.send("staff-search", policy_number="999999999")


@state(_CONSOLE, status=422)
def staff_search_name_alone(walker: Walker) -> None:
    """A name without a date of birth."""
    come_in(walker)
    walker.send("staff-search", policy_number="Kovács Anna")


@state(_CONSOLE, needs="email-sent")
def staff_search_several(walker: Walker) -> None:
    """Several customers are found: they have given the same address."""
    _search_shared_address(walker, 2)


@state(_CONSOLE, needs="email-sent", moves_clock=True, status=422)
def staff_search_too_many(walker: Walker) -> None:
    """Too many customers are found."""
    _search_shared_address(walker, 11)


def _search_shared_address(walker: Walker, count: int) -> None:
    customers: dict[str, Customer] = {}
    while len(customers) < count:
        one = walker.cast.somebody()
        customers[one.kutid] = one
    for place, customer in enumerate(customers.values(), 1):
        if place % walker.parts.profile.registration.mails_an_hour == 0:
            walker.advance(minutes=61)
        walker.forget()
        walker.be(customer)
        walker.visit()
        walker.walk_to("email-sent")
    walker.forget()
    come_in(walker)
    walker.send("staff-search", policy_number=walker.email)


@state(_CONSOLE)
def staff_masked(walker: Walker) -> None:
    """Somebody is found, and not identified yet."""
    find(walker)


@state(_CONSOLE, status=422)
def staff_not_identified(walker: Walker) -> None:
    """It was not said how the customer was identified."""
    case = find(walker)
    walker.send_to(case)


@state(_CONSOLE, by_staff=True)
def staff_record(walker: Walker) -> None:
    """Identified; the contact data are to be recorded."""
    _identify(walker)


@state(_CONSOLE, status=429, by_staff=True)
def staff_record_too_many(walker: Walker) -> None:
    """Too many codes have left for the number within an hour, whoever the customers were."""
    used_up = walker.cast.somebody()
    walker.cast.spoilt.add(used_up.kutid)
    mobile = identifiers.written(used_up.mobile)
    come_in(walker)
    while walker.page.status_code == 200:
        walker.be(walker.cast.somebody())
        walker.visit(f"{SERVICE_DOOR}.home")
        number = walker.customer.identification[walker.parts.profile.identification.field]
        walker.send("staff-search", policy_number=number)
        record_identification(walker)
        walker.send("staff-record", email=walker.email, email_confirm=walker.email, mobile=mobile)


@state(_CONSOLE, status=422, by_staff=True)
def staff_record_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    _identify(walker)
    walker.send("staff-record", email="", email_confirm="", mobile="")


@state(_CONSOLE, status=422, by_staff=True)
def staff_record_first_sign(walker: Walker) -> None:
    """The address begins like a spreadsheet's formula."""
    _identify(walker)
    formula = f"={walker.email}"
    mobile = identifiers.written(walker.customer.mobile)
    walker.send("staff-record", email=formula, email_confirm=formula, mobile=mobile)


@state(_CONSOLE, by_staff=True)
def staff_code(walker: Walker) -> None:
    """The code has left; the customer reads it out."""
    send_code(walker)


@state(_CONSOLE, status=422, by_staff=True)
def staff_code_wrong(walker: Walker) -> None:
    """What was read out is not the code."""
    walker.send("staff-code", sms_code=walker.wrong_code(send_code(walker)))


@state(_CONSOLE, status=422, by_staff=True)
def staff_code_tried_out(walker: Walker) -> None:
    """No try is left for this code."""
    mobile = send_code(walker)
    for _ in range(walker.parts.profile.one_time_code.tries):
        walker.send("staff-code", sms_code=walker.wrong_code(mobile))


@state(_CONSOLE, by_staff=True)
def staff_code_undelivered(walker: Walker) -> None:
    """The text message could not be delivered; it does not count."""
    send_code(walker)
    with walker.parts.store.write() as connection:
        walker.parts.codes.one_time_codes.give_back(connection, walker.customer.kutid)
    walker.open(walker.path)


@state(_CONSOLE, status=422, by_staff=True)
def staff_code_too_early(walker: Walker) -> None:
    """Another code is asked for at once; the first one has left."""
    walker.code(send_code(walker))
    walker.send("sms-resend")


@state(_CONSOLE, by_staff=True, moves_clock=True)
def staff_code_sent_again(walker: Walker) -> None:
    """Another code has left."""
    send_code(walker)
    walker.advance(seconds=61)
    walker.send("sms-resend")


@state(_CONSOLE, by_staff=True)
def staff_code_changing(walker: Walker) -> None:
    """The customer misspoke: what was recorded is to be changed."""
    send_code(walker)
    walker.act("change-record")


@state(_CONSOLE, by_staff=True, moves_clock=True)
def staff_used_up(walker: Walker) -> None:
    """The customer has used up all codes."""
    _use_codes_up(walker.another(), walker)


@state(_CONSOLE, moves_clock=True)
def staff_new_budget(walker: Walker) -> None:
    """A supervisor has given new ones."""
    _use_codes_up(walker.another(), walker, SUPERVISOR)
    walker.act("new-budget", reason="A telefon elromlott")


@state(_CONSOLE, moves_clock=True, status=422)
def staff_new_budget_too_often(walker: Walker) -> None:
    """A supervisor has given new ones twice within a day."""
    customer = walker.another()
    customer.walk_to("sms-code")
    find(walker, SUPERVISOR, customer)
    record_identification(walker)
    for _ in range(2):
        walker.act("new-budget", reason="A telefon elromlott")
        walker.advance(seconds=61)
        customer.send("sms-resend")
        walker.open(walker.path)
    walker.act("new-budget", reason="A telefon elromlott")


def _use_codes_up(customer: Walker, staff: Walker, role: str = SERVICE) -> None:
    customer.walk_to("sms-code")
    rules = customer.parts.profile.one_time_code
    for number in range(rules.codes):
        if number:
            customer.advance(seconds=61)
            customer.send("sms-resend")
        for _ in range(rules.tries):
            customer.send("sms-code", sms_code=customer.wrong_code())
    find(staff, role, customer)
    record_identification(staff)


@state(_CONSOLE, by_staff=True)
def staff_no_policy(walker: Walker) -> None:
    """All policies of the customer are cancelled."""
    come_in(walker)
    walker.send("staff-search", policy_number=_CANCELLED)
    record_identification(walker)


@state(_CONSOLE, by_staff=True)
def staff_none(walker: Walker) -> None:
    """What was begun with the customer was ended: nothing is due."""
    staff_done(walker)
    walker.act("end", reason="Más címet szeretne")


@state(_CONSOLE, by_staff=True)
def staff_done(walker: Walker) -> None:
    """The customer has got the mail."""
    walker.send("staff-code", sms_code=walker.code(send_code(walker)))


@state(_CONSOLE)
def staff_stuck(walker: Walker) -> None:
    """A registration that got stuck, with its timeline, as a supervisor sees it."""
    _find_stuck(walker, SUPERVISOR)


@state(_CONSOLE, status=422)
def staff_stuck_no_reason(walker: Walker) -> None:
    """It is to be ended, and no reason was given."""
    _find_stuck(walker, SUPERVISOR)
    walker.act("end", reason="")


@state(_CONSOLE, status=422)
def staff_stuck_reason_too_long(walker: Walker) -> None:
    """The reason is too long."""
    _find_stuck(walker, SUPERVISOR)
    walker.act("end", reason="Más címet szeretne. " * 11)


@state(_CONSOLE, status=422)
def staff_stuck_reason_personal(walker: Walker) -> None:
    """The reason holds an address, which may be the customer's."""
    _find_stuck(walker, SUPERVISOR)
    walker.act("end", reason=f"Más címet szeretne: {walker.email}")


@state(_CONSOLE, needs="email-sent sms-code", moves_clock=True)
def staff_mailed_again(walker: Walker) -> None:
    """The link was mailed again."""
    _find_stuck(walker, SERVICE)
    walker.advance(seconds=61)
    walker.act("resend-email")


@state(_CONSOLE, needs="email-sent sms-code", status=422)
def staff_mail_too_early(walker: Walker) -> None:
    """It is asked for again at once."""
    _find_stuck(walker, SERVICE)
    walker.act("resend-email")


@state(_CONSOLE)
def staff_ended(walker: Walker) -> None:
    """It was ended."""
    _find_stuck(walker, SUPERVISOR)
    walker.act("end", reason="Más címet szeretne")


@state(_CONSOLE)
def staff_account(walker: Walker) -> None:
    """A customer who has an account."""
    _find_registered(walker, Walker.open_account)


@state(_CONSOLE)
def staff_forgot(walker: Walker) -> None:
    """The mail for a new password was sent to the customer."""
    _find_registered(walker, Walker.open_active_account)
    walker.act("forgot")


@state(_CONSOLE)
def staff_account_as_supervisor(walker: Walker) -> None:
    """A supervisor may end an account that is in use: somebody else may have got hold of it."""
    _find_registered(walker, Walker.open_active_account, SUPERVISOR)


@state(_CONSOLE, status=422)
def staff_account_no_reason(walker: Walker) -> None:
    """It is to be ended, and no reason was given."""
    _find_registered(walker, Walker.open_active_account, SUPERVISOR)
    walker.act("end-active-account", reason="")


@state(_CONSOLE)
def staff_account_ended(walker: Walker) -> None:
    """It was ended, and the customer can register anew."""
    _find_registered(walker, Walker.open_active_account, SUPERVISOR)
    walker.act("end-active-account", reason="Feltörték a fiókját")


def _find_registered(walker: Walker, register: Callable[[Walker], None], role: str = SERVICE) -> None:
    customer = walker.another()
    register(customer)
    find(walker, role, customer)
    record_identification(walker)


@state(_CONSOLE, status=404)
def adviser_not_yours(walker: Walker) -> None:
    """Somebody else's customer, or nobody: one answer."""
    come_in(walker, ADVISER)
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
    order(walker)


@state(_CONSOLE)
def worklist_batch_done(walker: Walker) -> None:
    """All of them have left."""
    order(walker)
    address = walker.path
    walker.parts.worklists.worker.finish()
    walker.open(address)


@state(_CONSOLE)
def worklist_empty(walker: Walker) -> None:
    """There is nothing to do in the list."""
    door = come_in(walker, ADVISER)
    walker.visit(f"{door}.unregistered", lista="lejart")


@state(_CONSOLE)
def worklist_data(walker: Walker) -> None:
    """Data to be put right."""
    _find_case(walker)


@state(_CONSOLE, status=422)
def worklist_note_empty(walker: Walker) -> None:
    """A case is to be closed, and no note was given."""
    _close_case(walker, "")


@state(_CONSOLE)
def worklist_case_closed(walker: Walker) -> None:
    """It is closed."""
    _close_case(walker, "Felhívtuk")


@state(_CONSOLE)
def worklist_closed_cases(walker: Walker) -> None:
    """Those that are closed, with their notes."""
    _close_case(walker, "Felhívtuk")
    walker.visit(f"{SERVICE_DOOR}.quality", lezart="1")


@state(_CONSOLE)
def worklist_payments(walker: Walker) -> None:
    """Payments: one to refund, a transfer that matches no invoice, an invoice paid in part, and figures."""
    _see_money(walker)


@state(_CONSOLE, status=422)
def worklist_payments_unknown_invoice(walker: Walker) -> None:
    """A transfer is assigned to an invoice that is not there."""
    _see_money(walker)
    closing = next(
        form for form in walker.forms if any(field["name"] == "invoice_number" for field in form.all("input"))
    )
    walker.send_to(closing["action"], invoice_number="SZ-0", action="assign")


@state(_CONSOLE)
def worklist_all_chosen(walker: Walker) -> None:
    """Everybody on the page is chosen."""
    _open_list(walker)
    walker.open(f"{walker.path}?lista=meghivhato&kijelolve=mind")


@state(_CONSOLE, status=422)
def worklist_no_deadline(walker: Walker) -> None:
    """Invitations are to be sent, and there is no deadline."""
    _send_deadline(walker, "")


@state(_CONSOLE, status=422)
def worklist_deadline_past(walker: Walker) -> None:
    """It is over."""
    _send_deadline(walker, "2020-01-31")


def _send_deadline(walker: Walker, day: str) -> None:
    _open_list(walker)
    walker.act("invite", customers=_first(walker), due_on=day)


@state(_CONSOLE)
def worklist_invited(walker: Walker) -> None:
    """Who has been invited; they can be reminded."""
    order(walker)
    walker.parts.worklists.worker.finish()
    walker.visit(f"{SERVICE_DOOR}.unregistered", lista="meghivott")


@state(_CONSOLE)
def worklist_reminding(walker: Walker) -> None:
    """Reminders are on their way."""
    worklist_invited(walker)
    walker.act("remind", customers=_first(walker))


@state(_CONSOLE)
def worklist_reminding_everybody(walker: Walker) -> None:
    """Everybody who has been invited is to be reminded: are they?"""
    worklist_invited(walker)
    walker.act("remind-all")


@state(_CONSOLE, moves_clock=True)
def worklist_overdue(walker: Walker) -> None:
    """Whose deadline is over."""
    _open_list(walker)
    tomorrow = (walker.parts.clock.now().astimezone(walker.parts.profile.zone) + timedelta(days=1)).date()
    walker.act("invite", customers=_first(walker), due_on=tomorrow.isoformat())
    walker.parts.worklists.worker.finish()
    walker.advance(minutes=3 * 24 * 60)
    door = come_in(walker, SUPERVISOR)
    walker.visit(f"{door}.unregistered", lista="lejart")


@state(_CONSOLE)
def worklist_batch_stopped(walker: Walker) -> None:
    """Nothing more of a batch leaves."""
    order(walker)
    here = walker.path
    if any(form["action"] == here for form in walker.forms):  # else it was too quick
        walker.send_to(here)


def _open_list(walker: Walker) -> None:
    door = come_in(walker, SUPERVISOR)
    walker.visit(f"{door}.unregistered", lista="meghivhato")
    if "invite" not in walker.actions:
        walker.visit(f"{door}.unregistered")  # everybody who can be has been


def order(walker: Walker) -> None:
    """Invite the first of the list."""
    _open_list(walker)
    walker.act("invite", customers=_first(walker))


def _first(walker: Walker) -> str:
    """Return the mark of the first customer in the list."""
    found = re.search(r'name="customers" value="([^"]+)"', walker.page.text)
    return found[1] if found else ""


def _close_case(walker: Walker, note: str) -> None:
    _find_case(walker)
    closing = next(form for form in walker.forms if any(field["name"] == "note" for field in form.all("input")))
    walker.send_to(closing["action"], note=note)


def _see_money(walker: Walker) -> None:
    """Have transfers come in that somebody must look at, and look at them."""
    parts, mark = walker.parts, randomness.opaque_id()[:8]
    now = parts.clock.now()
    today = now.astimezone(parts.profile.zone).date()
    currency, _, due, _ = amounts(parts.profile)
    numbers = [f"SZ{mark}-a", f"SZ{mark}-b"]
    with parts.store.write() as connection:
        policy = connection.execute(select(policies.c.policy_number).limit(1)).scalars().one()
        bring(connection, {number: NewInvoice(policy, due, currency, today) for number in numbers}, now)
    came_in = ((numbers[0], due + 500), (numbers[1], due // 2), ("Biztosítási díj", due))
    entries = [Entry(f"{mark} {text}", today, amount, currency, text, "Példa Pál") for text, amount in came_in]
    parts.portal.payments.bank_entries.take_in(entries)
    door = come_in(walker)
    walker.visit(f"{door}.money")


def _find_case(walker: Walker) -> None:
    """Try a customer's number with somebody else's data, and look at the cases that come of it."""
    stranger = walker.another()
    walker.cast.spoilt.add(stranger.customer.kutid)
    for _ in range(SEVERAL):
        stranger.forget()
        stranger.visit()
        stranger.send_others_data()
    walker.parts.worklists.worker.finish()
    door = come_in(walker)
    walker.visit(f"{door}.quality")


@state(_CONSOLE)
def staff_figures(walker: Walker) -> None:
    """Registrations in figures, as a supervisor sees them."""
    walker.another().walk_to("sms-code")
    _see_figures(walker, days="30")


@state(_CONSOLE)
def staff_figures_of_service(walker: Walker) -> None:
    """The same as customer service sees them."""
    walker.visit(f"{come_in(walker)}.show_figures")


@state(_CONSOLE)
def staff_figures_none(walker: Walker) -> None:
    """Nobody registered in that time."""
    _see_figures(walker, first="2020-01-01", last="2020-01-31")


@state(_CONSOLE, status=422)
def staff_figures_wrong_period(walker: Walker) -> None:
    """There is no such day."""
    _see_figures(walker, first="2026-02-30", last="2026-03-01")


def _see_figures(walker: Walker, **chosen: str) -> None:
    walker.visit(f"{come_in(walker, SUPERVISOR)}.show_figures", **chosen)


def find(walker: Walker, role: str = SERVICE, customer: Walker | None = None) -> str:
    """Come in, look a customer up, and return the address of the case."""
    come_in(walker, role)
    rules = walker.parts.profile.identification
    walker.send("staff-search", policy_number=(customer or walker).customer.identification[rules.field])
    return walker.path


def open_in_case(walker: Walker, endpoint: str, role: str = SERVICE) -> None:
    """Open another page of the case that the walker looks at."""
    walker.visit(f"{_DOORS[role]}.{endpoint}", case_id=walker.path.rpartition("/")[2])


def _identify(walker: Walker) -> None:
    find(walker)
    record_identification(walker)


def record_identification(walker: Walker) -> None:
    walker.send_to(walker.path, identified_by="call")


def send_code(walker: Walker) -> str:
    """Record the contact data, and return the number that the code went to."""
    _identify(walker)
    mobile = walker.customer.mobile
    email = walker.email
    walker.send("staff-record", email=email, email_confirm=email, mobile=identifiers.written(mobile))
    return mobile


def _find_stuck(walker: Walker, role: str) -> None:
    customer = walker.another()
    customer.walk_to("sms-code")
    customer.send("sms-code", sms_code=customer.wrong_code())
    find(walker, role, customer)
    record_identification(walker)
