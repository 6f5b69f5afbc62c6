"""„Editácia PZ”: staff send the letter password, or take it away; they never see it (P29, S3, S4)."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from services.store.tables.letters import letter_passwords
from tests.world.cast import PASSWORD, SLOVAK
from tests.world.colleague import ADVISER, CLERK, Colleague, colleague
from tests.world.letters import kutid_of, publish
from tests.world.pages import Page
from tests.world.site import Site

OWN = "Kaktusz-2026"


@pytest.fixture
def slovak(site_of: Callable[[str], Site]) -> Site:
    """The insurer that mails encrypted letters; its customer has an account."""
    site = site_of("generali-sk")
    site.open_account(SLOVAK)
    return site


def set_password(site: Site) -> None:
    visitor = site.visitor()
    visitor.sign_in(SLOVAK.email)
    visitor.open("/fiok/levelezesi-jelszo")
    visitor.send("letter-password", letter_password=OWN, letter_password_confirm=OWN, current_password=PASSWORD)
    site.advance(minutes=5)


def page_of(one: Colleague) -> Page:
    one.serve(SLOVAK.policy_number)
    link = next(link for link in one.seen.root.all("a") if link["data-contract"])
    return one.open(link["href"])


def send(one: Colleague, action: str, **fields: str) -> Page:
    return one.follow(one.post(one.seen.path, {"action": action, **fields}))


def test_the_record_leads_to_it_and_says_since_when_there_is_a_password(slovak: Site) -> None:
    clerk = colleague(slovak, CLERK)
    page = page_of(clerk)
    assert slovak.say("staff.letter_password.nothing", "sk") in page.text
    set_password(slovak)
    page = clerk.open(page.path)
    assert page.form("staff-letter-password")
    assert "Klient si heslo nastavil" in page.text
    assert OWN not in page.html


def test_the_password_goes_to_the_customer_once_the_number_was_checked(slovak: Site) -> None:
    set_password(slovak)
    clerk = colleague(slovak, CLERK)
    page_of(clerk)
    refused = send(clerk, "send")
    assert (refused.status, refused.fields_in_error) == (422, ["phone_checked"])
    assert not slovak.messages(SLOVAK.mobile, "sms") or OWN not in slovak.messages(SLOVAK.mobile, "sms")[-1]["text"]
    sent = send(clerk, "send", phone_checked="1")
    assert sent.status == 200
    assert OWN in slovak.messages(SLOVAK.mobile, "sms")[-1]["text"]
    assert [row.action for row in slovak.rows("audit")].count("staff_password_sent") == 1


def test_an_adviser_resets_it_and_the_letters_go_out_again(slovak: Site) -> None:
    set_password(slovak)
    publish(slovak, SLOVAK, language="sk")
    with slovak.parts.store.write() as connection:
        connection.execute(update(letter_passwords).values(reset_at=None))
    adviser = colleague(slovak, CLERK)
    page_of(adviser)
    page = send(adviser, "reset")
    assert slovak.say("staff.letter_password.was_reset", "sk", count=1) in page.text
    assert slovak.say("staff.letter_password.nothing", "sk") in page.text
    assert slovak.rows("letter_passwords")[0].sealed is None
    assert kutid_of(slovak, SLOVAK)
    again = send(adviser, "reset")
    assert again.status == 200  # done already: the page shows where things stand


def test_there_is_no_such_page_where_no_letters_are_mailed(site: Site) -> None:
    clerk = colleague(site, ADVISER)
    clerk.serve("940000001")
    assert not [link for link in clerk.seen.root.all("a") if link["data-contract"]]
    assert clerk.client.get(f"{clerk.seen.path}/levelezesi-jelszo").status_code == 404
