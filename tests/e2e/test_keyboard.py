"""Journeys by the keyboard alone (WCAG 2.1.1): Tab, space, Enter and letters; the registration's own is with it."""

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import words
from tests.world import cast

pytestmark = [pytest.mark.once, pytest.mark.moves_time]
NEW_PASSWORD = "Szilvafa-2027-Udvar"
STAFF_PASSWORD = "Demo-Jelszo-2026"


def test_somebody_who_forgot_the_password_comes_in(visitor: Visitor, server: Server) -> None:
    """Signing in, failing, asking for the mail, a new password, signing in."""
    visitor.be_at("done")
    visitor.open("/belepes")
    visitor.type_into(email=visitor.email, password="nem ez az")
    visitor.see_focus("div#error-summary")
    visitor.open("/sso/ForgotPassword")
    visitor.type_into(email=visitor.email)
    visitor.open(server.link(visitor.email))
    visitor.type_into(password=NEW_PASSWORD, password_confirm=NEW_PASSWORD)
    visitor.open("/belepes")
    visitor.type_into(email=visitor.email, password=NEW_PASSWORD)
    assert visitor.path == "/fiok"


def test_customer_service_registers_with_a_customer(meet: Meet, server: Server) -> None:
    """From the entrance to the mail; the customer goes on as everybody."""
    colleague, ilona = meet(), cast.ILONA
    colleague.open("/ugyfelszolgalat")
    colleague.type_into(email="ugyintezo@example.hu", password=STAFF_PASSWORD)
    colleague.type_into(policy_number=ilona.policy_number)
    colleague.tab_to("input#identified_by")
    colleague.browser.press_key("Space")
    colleague.settle(lambda: colleague.browser.press_key("Enter"))
    assert colleague.step == "staff-record"
    colleague.type_into(email="ilona@example.hu", email_confirm="ilona@example.hu", mobile="20 999 8877")
    colleague.type_into(sms_code=server.codes("+36209998877")[-1])
    assert colleague.text("#due") == words("staff.done.heading")
    assert server.mails("ilona@example.hu")
