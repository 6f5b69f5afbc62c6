"""„Editácia PZ”: staff send the letter password, or take it away; they never see it (P29, S3, S4)."""

import json
from collections.abc import Callable
from datetime import date

import pytest

from services.letters.publishing import NewLetter
from tests.world.colleague import CLERK, Colleague, colleague
from tests.world.pages import Page
from tests.world.pdfs import pdf
from tests.world.site import Site
from webapp.demo.states import Walker
from webapp.demo.states.walker import PASSWORD

OWN = "Kaktusz-2026"


@pytest.fixture
def slovak(site_of: Callable[[str], Site]) -> Site:
    """The insurer that mails encrypted letters."""
    return site_of("generali-sk")


@pytest.fixture
def client(slovak: Site) -> Walker:
    """A signed-in customer of theirs, whose code was sent more than a minute ago."""
    walker = Walker(slovak.app, "http://localhost/", {"Accept-Language": "sk"}, {})
    walker.open_active_account()
    walker.advance(minutes=2)
    slovak.secrets.add(OWN)
    return walker


def set_password(client: Walker) -> None:
    client.open("/fiok/levelezesi-jelszo")
    client.send("letter-password", letter_password=OWN, letter_password_confirm=OWN, current_password=PASSWORD)


def page_of(one: Colleague, client: Walker) -> Page:
    one.serve(client.customer.kutid)
    link = next(link for link in one.seen.root.all("a") if link["data-contract"])
    assert link.text.startswith(one.site.say("staff.letter_password.edit", "sk"))
    return one.open(link["href"])


def send(one: Colleague, action: str, **fields: str) -> Page:
    return one.follow(one.post(one.seen.path, {"action": action, **fields}))


def sent_by_sms(site: Site) -> int:
    """Return how many text messages have brought the password."""
    found = json.loads(site.ask("/dev/messages.json?kind=sms"))
    return sum(OWN in one["text"] for one in found)


def test_the_record_leads_to_it_and_says_since_when_there_is_a_password(slovak: Site, client: Walker) -> None:
    clerk = colleague(slovak, CLERK)
    page = page_of(clerk, client)
    assert slovak.say("staff.letter_password.nothing", "sk") in page.text
    set_password(client)
    page = clerk.open(page.path)
    assert page.form("staff-letter-password")
    assert slovak.say("staff.letter_password.set_at", "sk", datetime="").strip() in page.text
    assert OWN not in page.html


def test_the_password_goes_to_the_customer_once_the_number_was_checked(slovak: Site, client: Walker) -> None:
    set_password(client)
    clerk = colleague(slovak, CLERK)
    page_of(clerk, client)
    refused = send(clerk, "send")
    assert (refused.status, refused.fields_in_error) == (422, ["phone_checked"])
    assert sent_by_sms(slovak) == 0
    assert send(clerk, "send", phone_checked="1").status == 200
    assert sent_by_sms(slovak) == 1
    assert [row.action for row in slovak.rows("audit")].count("staff_password_sent") == 1
    assert (
        slovak.say("staff.event.letter_password.sent", "sk", staff="Kiss Orsolya")
        in clerk.open(clerk.seen.path.removesuffix("/levelezesi-jelszo")).text
    )


def test_after_a_reset_the_letters_go_out_again(slovak: Site, client: Walker) -> None:
    set_password(client)
    letter = NewLetter(client.customer.kutid, "policy", "Poistka", date(2026, 11, 20), "sk")
    slovak.parts.portal.letters.publishing.publish(letter, pdf(), actor="insurer")
    clerk = colleague(slovak, CLERK)
    page_of(clerk, client)
    page = send(clerk, "reset")
    assert slovak.say("staff.letter_password.was_reset", "sk", count="") in page.text
    assert slovak.say("staff.letter_password.nothing", "sk") in page.text
    assert slovak.rows("letter_passwords")[0].sealed is None
    assert send(clerk, "reset").status == 200  # done already: the page shows where things stand


def test_there_is_no_such_page_where_no_letters_are_mailed(site: Site) -> None:
    clerk = colleague(site, CLERK)
    clerk.serve("940000001")
    assert not [link for link in clerk.seen.root.all("a") if link["data-contract"]]
    assert clerk.client.get(f"{clerk.seen.path}/levelezesi-jelszo").status_code == 404
