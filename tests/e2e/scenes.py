"""Every sight that the site has to offer, one after the other: for the pictures and for axe.

Each generator leads a visitor on and yields a sight's name whenever there is something new to be seen. They move the
server's clock.
"""

from collections.abc import Iterator

from . import cast
from .cast import PASSWORD
from .visitor import FIRST_HALF, SECOND_HALF, STEPS, Visitor


def steps(visitor: Visitor) -> Iterator[str]:
    """Yield the start page and every step as it is met."""
    visitor.open("/")
    yield "start"
    visitor.open(FIRST_HALF)
    for step in STEPS:
        visitor.walk_to(step)
        yield step
        if step == "identify":
            for holder in ("company", "communication_id"):
                visitor.choose("holder_type", holder)
                yield f"identify-{holder}"
        if step == "terms":
            visitor.read_terms()
            yield "terms-opened"
    visitor.open("/belepes")
    yield "sign-in"
    visitor.open("/aszf")
    yield "terms-page"


def errors(visitor: Visitor) -> Iterator[str]:
    """Yield every step with its form refused, and what else the step can say."""
    visitor.open(FIRST_HALF)
    visitor.submit()
    yield "identify-empty"
    visitor.fill_identity()
    visitor.fill(birth_date__month="13")
    visitor.submit()
    yield "identify-date"
    visitor.fill(birth_date__month="2")
    visitor.submit()
    yield "identify-mismatch"
    visitor.fill_identity()
    visitor.submit()
    visitor.submit()
    yield "email-empty"
    address = visitor.email
    visitor.email = address.replace("@example.hu", "@gmial.com")
    visitor.take_step()
    yield "email-sent-suggestion"
    visitor.email = address
    visitor.act("change-email")
    visitor.take_step()
    visitor.server.advance(seconds=60)
    visitor.open(FIRST_HALF)
    yield "email-sent-again"
    visitor.take_step()
    visitor.fill(mobile="20 765 4321")
    visitor.submit()
    yield "mobile-not-on-record"
    visitor.take_step()
    for tries in (2, 1, 0):
        visitor.fill(sms_code=_wrong(visitor))
        visitor.submit()
        yield f"sms-code-wrong-{tries}"
    visitor.server.advance(seconds=60)
    visitor.open(SECOND_HALF)
    yield "sms-code-used"
    visitor.submit("sms-resend")
    yield "sms-code-sent-again"
    visitor.take_step()
    visitor.submit()
    yield "terms-not-ticked"
    visitor.take_step()
    visitor.fill(password="rovid", password_confirm="masik")
    visitor.submit()
    yield "password-short"
    visitor.server.advance(minutes=55)
    visitor.open(SECOND_HALF)
    yield "password-warning"


def dead_ends(visitor: Visitor) -> Iterator[str]:
    """Yield every page on which a registration cannot go on, and the faults that can be made to happen."""
    visitor.open("/nincs-ilyen")
    yield "not-found"
    visitor.open(f"{SECOND_HALF}?token=x")
    yield "link-unknown"
    visitor.act("restart")
    own, visitor.customer = visitor.customer, cast.LANDLINE
    visitor.fill_identity()
    visitor.submit()
    yield "no-mobile"
    visitor.customer = own
    visitor.fill_identity()
    visitor.browser.clear_cookies()
    visitor.submit()
    yield "form-too-old"
    visitor.open(FIRST_HALF)
    visitor.walk_to("mobile")
    visitor.server.advance(minutes=61)
    visitor.open(SECOND_HALF if "token" not in visitor.path else visitor.path)
    yield "link-expired"
    visitor.act("restart")
    visitor.walk_to("sms-code")
    for code in (1, 2, 3):
        for _ in range(3):
            visitor.fill(sms_code=_wrong(visitor))
            visitor.submit()
        if code < 3:
            visitor.server.advance(seconds=60)
            visitor.open(SECOND_HALF)
            visitor.submit("sms-resend")
    yield "codes-used-up"
    visitor.browser.clear_cookies()
    visitor.customer = cast.ANNA
    visitor.open(FIRST_HALF)
    visitor.walk_to("done")
    visitor.browser.clear_cookies()
    visitor.open(FIRST_HALF)
    visitor.take_step()
    yield "already-registered"


def account(visitor: Visitor) -> Iterator[str]:
    """Yield what a customer with an account meets."""
    server = visitor.server
    visitor.open(FIRST_HALF)
    visitor.walk_to("done")
    visitor.open("/belepes")
    visitor.submit()
    yield "login-empty"
    visitor.sign_in("Nem-ez-a-jelszo-1")
    yield "login-failed"
    for _ in range(5):
        visitor.sign_in("Nem-ez-a-jelszo-1")
    yield "login-wait"
    server.advance(minutes=2)
    visitor.sign_in()
    yield "account"
    visitor.open("/fiok/jelszo")
    yield "password-not-yet"
    visitor.open("/fiok/email")
    yield "email-change"
    visitor.submit()
    yield "email-change-empty"
    visitor.fill(email=f"uj.{visitor.email}", current_password=PASSWORD)
    visitor.submit()
    yield "account-email-pending"
    visitor.open(server.link(f"uj.{visitor.email}"))
    yield "email-confirm"
    visitor.open("/fiok/mobil")
    yield "mobile-change"
    visitor.fill(mobile="30 765 4321", current_password=PASSWORD)
    visitor.submit()
    yield "mobile-code"
    visitor.submit()
    yield "mobile-code-empty"
    visitor.open("/fiok/megszuntetes")
    yield "close"
    server.publish_terms("2026-2")
    visitor.open("/")
    visitor.sign_out()
    yield "signed-out"
    visitor.sign_in()
    yield "terms-update"
    visitor.submit()
    yield "terms-update-not-opened"
    visitor.read_terms()
    visitor.choose("terms")
    visitor.submit()
    server.advance(minutes=24 * 60)
    visitor.sign_in()
    visitor.open("/fiok/jelszo")
    yield "password-change"
    visitor.submit()
    yield "password-change-empty"
    visitor.fill(current_password=PASSWORD, password="Zold3Kapu9Alma", password_confirm="Zold3Kapu9Alma")
    visitor.submit()
    yield "password-changed"
    visitor.open("/sso/ForgotPassword")
    yield "forgot"
    visitor.fill(email=visitor.email)
    visitor.submit()
    yield "forgot-sent"
    link = server.link(visitor.email)
    visitor.open(link)
    yield "reset"
    visitor.fill(password="rovid", password_confirm="masik")
    visitor.submit()
    yield "reset-short"
    visitor.fill(password=PASSWORD, password_confirm=PASSWORD)
    visitor.submit()
    yield "reset-done"
    visitor.open(link)
    yield "reset-dead"
    visitor.sign_in()
    visitor.open("/fiok/megszuntetes")
    visitor.choose("confirm")
    visitor.fill(current_password=PASSWORD)
    visitor.submit()
    yield "closed"


def _wrong(visitor: Visitor) -> str:
    return str((int(visitor.server.codes(visitor.customer.mobile)[-1]) + 1) % 10000).zfill(4)
