"""What a customer lets their adviser see, how letters come, and both as staff see them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from services.staff.member import ADVISER, SERVICE, SUPERVISOR
from services.store.tables.register import customer_accounts, customers
from services.values import masking
from webapp.demo import seed
from webapp.demo.states import console, portal
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import PASSWORD, Walker

_PORTAL, _LETTERS, _CONSOLE = "the portal", "letters", "customer service and advisers"
_OWN = "Kaktusz-2026"


def _settings(walker: Walker) -> None:
    """Open the settings of a customer who has an adviser."""
    seed.advise(walker.parts.store, walker.customer.kutid)
    walker.open_active_account()
    walker.visit("account.overview")


def _day(walker: Walker, days: int) -> str:
    now = walker.parts.clock.now().astimezone(walker.parts.profile.zone)
    return (now + timedelta(days=days)).date().isoformat()


def _give(walker: Walker, **fields: str) -> None:
    _settings(walker)
    walker.send("grant", **{"scope": "letters", "until": _day(walker, 30), "action": "give", **fields})


@state(_PORTAL)
def grant(walker: Walker) -> None:
    """The adviser may read the letters."""
    _give(walker)


@state(_PORTAL)
def grant_ended(walker: Walker) -> None:
    """It was taken back."""
    _give(walker)
    walker.send("grant", scope="letters", action="end")


@state(_PORTAL, status=422)
def grant_without_scope(walker: Walker) -> None:
    """It was not said to what."""
    _give(walker, scope="")


@state(_PORTAL, status=422)
def grant_without_day(walker: Walker) -> None:
    """It was not said until when."""
    _give(walker, until="")


@state(_PORTAL, status=422)
def grant_no_such_day(walker: Walker) -> None:
    """There is no such day."""
    _give(walker, until="2026-13-01")


@state(_PORTAL, status=422)
def grant_past(walker: Walker) -> None:
    """The day is over."""
    _give(walker, until="2020-01-01")


@state(_PORTAL, status=422)
def grant_too_far(walker: Walker) -> None:
    """It is for more than a year."""
    _give(walker, until="2099-01-01")


@state(_PORTAL)
def letter_consent(walker: Walker) -> None:
    """Letters come electronically."""
    _settings(walker)
    walker.send("letter-consent", action="agree")


@state(_PORTAL, needs="terms")
def letter_consent_revoked(walker: Walker) -> None:
    """Letters come by post; whose contracts are in an account that they manage themselves cannot have that."""
    _settings(walker)
    walker.send("letter-consent", action="revoke")


def _published(walker: Walker, days: int = 30, **facts: Any) -> str:
    return portal.publish(walker, "premium_notice", "Díjértesítő", latest_on=portal.day(walker, days), **facts)


def _granted(walker: Walker) -> Walker:
    """Be the adviser of a customer who lets them see the letters; return the customer."""
    customer = walker.another()
    _give(customer)
    console.come_in(walker, ADVISER)
    return customer


@state(_CONSOLE)
def adviser_letter(walker: Walker) -> None:
    """A letter that its customer lets the adviser see."""
    letter_id = _published(_granted(walker), data=portal.SAID)
    walker.visit("partner.show_granted", letter_id=letter_id)


@state(_CONSOLE, status=404)
def adviser_letter_ended(walker: Walker) -> None:
    """The customer has taken it back."""
    customer = _granted(walker)
    letter_id = _published(customer)
    customer.send("grant", scope="letters", action="end")
    walker.visit("partner.show_granted", letter_id=letter_id)


@state(_CONSOLE)
def adviser_contracts(walker: Walker) -> None:
    """The contracts that the customer lets the adviser see."""
    customer = walker.another()
    _give(customer, scope="contracts")
    console.find(walker, ADVISER, customer)
    console.open_in_case(walker, "show_granted_contracts", ADVISER)


@state(_CONSOLE, asks="account_number")
def adviser_managed(walker: Walker) -> None:
    """What the adviser does for a customer account that they manage."""
    is_managed = customer_accounts.c.manager == "intermediary"
    walker.cast.be_holder_of(customer_accounts.c.account_number, is_managed)
    seed.advise(walker.parts.store, walker.customer.kutid)
    console.find(walker, ADVISER)
    console.open_in_case(walker, "show_managed", ADVISER)


def _name_of(walker: Walker) -> str:
    own = select(customers.c.name).where(customers.c.kutid == walker.customer.kutid)
    with walker.parts.store.read() as connection:
        return str(connection.execute(own).scalar_one())


@state(_CONSOLE)
def adviser_desk(walker: Walker) -> None:
    """A customer has an unread letter that has a day; they have no address."""
    seed.advise(walker.parts.store, walker.customer.kutid)
    _published(walker, days=0)  # among the most urgent, so it is listed
    console.come_in(walker, ADVISER)
    buttons = [button for form in walker.forms for button in form.all("button")]
    name = masking.name(_name_of(walker))
    mark = next(one["value"] for one in buttons if one["name"] == "nudge" and name in one["aria-label"])
    walker.send_to(walker.address_of("partner.act_at_desk"), nudge=mark)


@state(_CONSOLE)
def staff_letters(walker: Walker) -> None:
    """The letters of a customer, and their states."""
    _letters_of(walker, SUPERVISOR)


@state(_CONSOLE, status=422)
def staff_letters_no_address(walker: Walker) -> None:
    """There is no address to notify."""
    _letters_of(walker)
    walker.act("notify")


@state(_CONSOLE, status=422)
def staff_letters_too_early(walker: Walker) -> None:
    """A mail about the letter has left just now."""
    customer = walker.another()
    customer.open_active_account()
    _published(customer)
    console.find(walker, SERVICE, customer)
    console.record_identification(walker)
    console.open_in_case(walker, "show_letters")
    walker.act("notify")


@state(_CONSOLE, status=422)
def staff_letters_no_reason(walker: Walker) -> None:
    """A letter is to be withdrawn without a reason."""
    _letters_of(walker, SUPERVISOR)
    walker.act("withdraw", reason="")


@state(_CONSOLE)
def staff_unread_letters(walker: Walker) -> None:
    """Letters that nobody opened, by their day."""
    _published(walker)
    walker.visit(f"{console.come_in(walker)}.unread_letters")


def _letters_of(walker: Walker, role: str = SERVICE) -> None:
    _published(walker)
    console.find(walker, role)
    console.record_identification(walker)
    console.open_in_case(walker, "show_letters", role)


@state(_CONSOLE, letters="encrypted_mail")
def staff_letter_password(walker: Walker) -> None:
    """The customer has a password of their own."""
    _password_of(walker)


@state(_CONSOLE, letters="encrypted_mail", status=422)
def staff_letter_password_unchecked(walker: Walker) -> None:
    """The number was not checked with the customer."""
    _password_of(walker)
    walker.act("send")


@state(_CONSOLE, letters="encrypted_mail")
def staff_letter_password_reset(walker: Walker) -> None:
    """It was taken away."""
    _password_of(walker)
    walker.act("reset")


def _password_of(walker: Walker) -> None:
    customer = walker.another()
    customer.open_active_account()
    customer.visit("letter_password.show")
    own = {"letter_password": _OWN, "letter_password_confirm": _OWN, "current_password": PASSWORD}
    customer.send("letter-password", **own)
    console.find(walker, SERVICE, customer)
    console.record_identification(walker)
    console.open_in_case(walker, "show_letter_password")
