"""The worklist of payments: refunds, transfers that match no invoice, parts, and figures (P50, P51)."""

from datetime import date
from typing import Any

import pytest

from services.payments.statement_files import Entry
from tests.unit.webapp.portal.conftest import PAYER
from tests.world.colleague import ADVISER, BOSS, CLERK, PARTNER, SERVICE, Colleague, colleague
from tests.world.pages import Page
from tests.world.site import Site
from webapp.demo.invoices import load_invoices

ADDRESS = f"{SERVICE}/munkalistak/befizetesek"
DUE = "SZ100101-2"


@pytest.fixture
def clerk(site: Site, htmx: bool) -> Colleague:
    """Customer service, with and without scripts."""
    load_invoices(site.parts.store, site.parts.profile, site.parts.clock)
    one = Colleague(site, htmx=htmx)
    one.sign_in(CLERK)
    return one


def came_in(site: Site, amount: int, text: str, *, key: str = "k", currency: str = "HUF") -> None:
    entry = Entry(key, date(2026, 11, 30), amount, currency, text, "Példa Pál")
    site.parts.portal.payments.bank_entries.take_in([entry])


def press(one: Colleague, action: str, **fields: Any) -> Page:
    assert one.page is not None
    form = one.page.form(action=action)
    return one.follow(one.client.post(form["action"], headers=one.headers,
                                      data={"csrf_token": one.csrf_token, "action": action, **fields}))  # fmt: skip


def marked(page: Page, mark: str) -> list[Any]:
    return [element for element in page.root.all("li") if mark in element]


def state(site: Site) -> str:
    invoice, _ = site.parts.portal.payments.ledger.find(DUE)
    return invoice.state


def test_a_transfer_is_assigned_to_an_invoice(site: Site, clerk: Colleague) -> None:
    came_in(site, 24900, "díj & <b>köszönet</b>")
    page = clerk.open(ADDRESS)
    (line,) = marked(page, "data-entry")
    assert "Példa Pál" in line.text
    assert "<b>köszönet</b>" in line.text
    page = press(clerk, "assign", invoice_number=f" {DUE} ")
    assert site.say("money.done.assigned") in page.text
    assert not marked(page, "data-entry")
    assert state(site) == "paid"


@pytest.mark.parametrize(("number", "reason"), [("SZ-NONE", "unknown"), ("", "unknown")])
def test_a_number_that_is_none_is_asked_for_again(site: Site, clerk: Colleague, number: str, reason: str) -> None:
    came_in(site, 24900, "?")
    clerk.open(ADDRESS)
    page = press(clerk, "assign", invoice_number=number)
    assert page.status == 422
    assert site.say(f"error.invoice_number.{reason}") in page.text
    assert len(marked(page, "data-entry")) == 1


def test_a_transfer_in_another_currency_is_refused(site: Site, clerk: Colleague) -> None:
    came_in(site, 24900, "?", currency="EUR")
    clerk.open(ADDRESS)
    assert site.say("error.invoice_number.currency") in press(clerk, "assign", invoice_number=DUE).text
    assert state(site) == "due"


def test_a_transfer_is_sent_back_once(site: Site, clerk: Colleague) -> None:
    came_in(site, 24900, "?")
    clerk.open(ADDRESS)
    stale = clerk.seen.form(action="assign")["action"]
    page = press(clerk, "send_back")
    assert site.say("money.done.sent_back") in page.text
    assert not marked(page, "data-entry")
    again = {"csrf_token": clerk.csrf_token, "action": "assign", "invoice_number": DUE}
    page = clerk.follow(clerk.client.post(stale, data=again, headers=clerk.headers))
    assert site.say("money.done.too_late") in page.text
    assert state(site) == "due"


def test_what_is_too_much_is_refunded_once(site: Site, clerk: Colleague) -> None:
    came_in(site, 25000, DUE)
    page = clerk.open(ADDRESS)
    (line,) = marked(page, "data-refund")
    assert "100 Ft" in line.text.replace("\u00a0", " ")
    page = press(clerk, "refunded")
    assert site.say("money.done.refunded") in page.text
    assert not marked(page, "data-refund")
    deeds = [row.action for row in site.rows("audit")]
    assert deeds.count("payment_refunded") == 1


def test_parts_and_figures_are_shown(site: Site, clerk: Colleague) -> None:
    came_in(site, 10000, DUE)
    text = clerk.open(ADDRESS).text.replace("\u00a0", " ")
    assert site.say("money.partial.heading") in text
    assert "14 900 Ft" in text
    assert site.say("payment.way.transfer") in text


def test_a_customer_sees_what_is_still_due(site: Site, clerk: Colleague) -> None:
    came_in(site, 10000, DUE)
    site.open_account(PAYER)
    payer = site.visitor()
    payer.sign_in(PAYER.email)
    page = payer.open("/szamlak")
    invoice = payer.open(next(link["href"] for link in page.root.all("a") if link.text == DUE))
    text = invoice.text.replace("\u00a0", " ")
    assert "10 000 Ft" in text
    assert "14 900 Ft" in text
    assert "14 900 Ft" in payer.open("/fiok").text.replace("\u00a0", " ")
    paying = payer.open(f"{invoice.path}/fizetes")
    asked = {element["data-transfer"]: element.text for element in paying.root.all() if "data-transfer" in element}
    assert asked["amount"].replace("\u00a0", " ") == "14 900 Ft"


def test_an_adviser_has_no_such_list(site: Site) -> None:
    one = colleague(site, ADVISER)
    assert site.say("money.heading") not in one.open(f"{PARTNER}/munkalistak").text
    assert one.open(f"{PARTNER}/munkalistak/befizetesek").status == 404


def test_who_looks_at_names_is_on_record(site: Site, clerk: Colleague) -> None:
    clerk.open(ADDRESS)
    assert not [row for row in site.rows("audit") if row.action == "listed"]
    came_in(site, 24900, "?")
    clerk.open(ADDRESS)
    (deed,) = [row for row in site.rows("audit") if row.action == "listed"]
    assert deed.facts == {"what": "payments", "found": "1"}


def test_a_supervisor_is_led_there(site: Site) -> None:
    one = colleague(site, BOSS)
    assert site.say("money.heading") in one.open(f"{SERVICE}/munkalistak").text


def test_the_customers_timeline_says_what_came_in_twice_and_what_became_of_it(site: Site, clerk: Colleague) -> None:
    came_in(site, 24900, DUE)
    came_in(site, 24900, DUE, key="again")
    clerk.open(ADDRESS)
    press(clerk, "refunded")
    clerk.open(SERVICE)
    page = clerk.serve(PAYER.policy_number)
    assert site.say("staff.event.payment.doubled", invoice=DUE) in page.text
    assert site.say("staff.event.payment.refunded", staff="Kiss Orsolya") in page.text
    assert site.say("staff.event.payment.assigned", staff="Kiss Orsolya") not in page.text


def test_operators_see_what_waits(site: Site, clerk: Colleague) -> None:
    came_in(site, 24900, DUE)
    came_in(site, 24900, DUE, key="again")
    came_in(site, 5, "?", key="unknown")
    told = site.ask("/metrics").decode()
    for line in (
        "belepo_refunds_due 1.0", "belepo_transfers_unmatched 1.0", "belepo_payments_pending 0.0",
        'belepo_payments_paid{currency="HUF",way="transfer"} 2.0',
    ):  # fmt: skip
        assert f"\n{line}\n" in told
