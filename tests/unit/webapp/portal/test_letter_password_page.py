"""The page of the password of electronic correspondence, and the mails that it opens (P25–P31, S1, S2)."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest

from services.letters.publishing import NewLetter
from services.pdf import Letterhead, Paper, Text, typeset
from tests.world.pages import Page
from tests.world.papers import text_of
from tests.world.site import Site
from webapp.demo.states import Walker
from webapp.demo.states.walker import PASSWORD

ADDRESS = "/fiok/levelezesi-jelszo"
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


def _say(site: Site, key: str, **facts: str) -> str:
    return " ".join(site.texts.say(key, "sk", **facts).split())


def _page(site: Site, walker: Walker) -> Page:
    return Page(walker.page, site.texts)


def _set(walker: Walker, new: str = OWN) -> None:
    walker.open(ADDRESS)
    walker.send("letter-password", letter_password=new, letter_password_confirm=new, current_password=PASSWORD)


def _publish(site: Site, walker: Walker) -> str:
    profile = site.parts.profile
    paper = Paper("sk", "Poistka", Letterhead.of(profile, "sk"), [Text("Vážený klient")])
    letter = NewLetter(walker.customer.kutid, "policy", "Poistka", date(2026, 11, 20), "sk")
    return site.parts.portal.letters.publishing.publish(letter, typeset(paper, site.now), actor="insurer")


def _attached(site: Site, walker: Walker) -> tuple[dict[str, Any], bytes]:
    (found,) = site.mails(walker.email)[-1]["attachments"]
    return found, site.ask(found["href"])


def test_a_mailed_letter_opens_with_the_birth_number_then_with_the_own_password(slovak: Site, client: Walker) -> None:
    _publish(slovak, client)
    found, content = _attached(slovak, client)
    assert (found["name"], found["type"], found["size"]) == ("list.pdf", "application/pdf", len(content))
    assert "Vážený klient" in text_of(content, client.customer.identification["birth_number"][-4:])
    _set(client)
    _publish(slovak, client)
    assert "Vážený klient" in text_of(_attached(slovak, client)[1], OWN)


def test_the_page_says_what_opens_the_letters(slovak: Site, client: Walker) -> None:
    client.open(ADDRESS)
    assert _say(slovak, "letter_password.state.default4") in _page(slovak, client).root.text
    assert _say(slovak, "letter_password.weak") in _page(slovak, client).root.text
    _set(client)
    shown = _page(slovak, client).root.text
    assert _say(slovak, "letter_password.done") in shown
    assert _say(slovak, "letter_password.weak") not in shown
    assert OWN not in client.page.text


def test_the_settings_lead_there(slovak: Site, client: Walker, site: Site, visitor: Any) -> None:
    client.open("/fiok/beallitasok")
    assert ADDRESS in client.page.text
    site.open_account()
    visitor.sign_in()
    assert ADDRESS not in visitor.open("/fiok/beallitasok").html


def test_the_sms_has_it_on_a_line_of_its_own(slovak: Site, client: Walker) -> None:
    _set(client)
    client.send("letter-password-sms")
    assert _page(slovak, client).step == "letter-password-sent"
    assert client.customer.mobile not in client.page.text
    sent = json.loads(slovak.ask(f"/dev/messages.json?kind=sms&to={quote(client.customer.mobile)}"))
    assert OWN in sent[-1]["text"].splitlines()


def test_a_right_try_is_said_and_a_wrong_one_is_422(slovak: Site, client: Walker) -> None:
    _set(client)
    client.send("letter-password-try", try_password=OWN)
    assert client.page.status_code == 200
    (status,) = (one for one in _page(slovak, client).root.all("div") if one["role"] == "status" and one.text)
    assert _say(slovak, "letter_password.try.right") in status.text
    client.send("letter-password-try", try_password="0000")
    assert client.page.status_code == 422
    assert _say(slovak, "error.try_password.wrong") in _page(slovak, client).root.text


def test_without_a_session_it_leads_to_the_sign_in(slovak: Site) -> None:
    answer = slovak.app.test_client().get(ADDRESS)
    assert answer.headers["Location"].startswith("/belepes")


def test_where_letters_are_not_mailed_there_is_no_such_page(site: Site, visitor: Any) -> None:
    site.open_account()
    visitor.sign_in()
    assert visitor.client.get(ADDRESS).status_code == 404


def test_the_inbox_shows_the_attachment(slovak: Site, client: Walker) -> None:
    _publish(slovak, client)
    found, _ = _attached(slovak, client)
    inbox = slovak.app.test_client().get("/dev/messages").text
    assert f'href="{found["href"]}"' in inbox
    client_ = slovak.app.test_client()
    assert client_.get(found["href"]).headers["Content-Disposition"].startswith("attachment")
    assert client_.get(found["href"][:-1] + "7").status_code == 404
    assert json.loads(slovak.ask("/dev/messages.json?kind=sms"))[0]["attachments"] == []
