"""One letter: its page, its file, confirming, other people's letters (P3, P12, P13, P16–P18, P21)."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.world.colleague import CLERK, SERVICE, colleague
from tests.world.letters import change, publish
from tests.world.pages import Page
from tests.world.pdfs import pdf
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST


def _events(site: Site, letter: str) -> list[str]:
    return [row.type for row in site.rows("letter_events") if row.letter_id == letter]


def test_a_letter_shows_what_it_is_and_is_opened_by_that(anna: Visitor, site: Site) -> None:
    letter = publish(site, title="Díjbekérő a 2027. évre")
    page = anna.open(f"/levelezes/{letter}")
    assert page.step == "letter"
    assert next(page.root.all("h1")).text == "Díjbekérő a 2027. évre"
    assert "2027" not in page.title, "what the letter says stays out of the title"
    (hashed,) = [one["data-sha256"] for one in page.root.all() if "data-sha256" in one]
    assert hashed == hashlib.sha256(pdf()).hexdigest()
    links = {link["href"]: link.text for link in page.root.all("a")}
    assert "PDF" in links[f"/levelezes/{letter}/fajl"]
    assert "kB" in links[f"/levelezes/{letter}/fajl"] or " B" in links[f"/levelezes/{letter}/fajl"]
    assert f"/levelezes/{letter}/fajl?letoltes=1" in links
    assert _events(site, letter) == ["published", "opened"]
    anna.open(f"/levelezes/{letter}")
    assert _events(site, letter) == ["published", "opened"]


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
@pytest.mark.parametrize("end", ["", "/fajl"])
def test_who_asks_ahead_opens_nothing(anna: Visitor, site: Site, headers: dict[str, str], end: str) -> None:
    letter = publish(site)
    assert anna.client.get(f"/levelezes/{letter}{end}", headers=headers).status_code == 503
    assert anna.client.head(f"/levelezes/{letter}{end}").status_code == 200
    assert anna.client.head("/levelezes/archivum").status_code == 200
    assert _events(site, letter) == ["published"]


def test_the_file_is_what_was_published(anna: Visitor, site: Site) -> None:
    letter = publish(site, content=pdf("words of a letter"))
    shown = anna.client.get(f"/levelezes/{letter}/fajl")
    assert (shown.status_code, shown.data, shown.mimetype) == (200, pdf("words of a letter"), "application/pdf")
    assert shown.headers["Content-Length"] == str(len(shown.data))
    assert shown.headers["Content-Disposition"] == "inline; filename=dijbekero-2026-11-20.pdf"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"
    assert _events(site, letter) == ["published", "opened"]
    saved = anna.client.get(f"/levelezes/{letter}/fajl?letoltes=1")
    assert saved.headers["Content-Disposition"] == "attachment; filename=dijbekero-2026-11-20.pdf"
    assert _events(site, letter) == ["published", "opened", "downloaded"]


def test_head_tells_what_get_would(anna: Visitor, site: Site) -> None:
    letter = publish(site)
    told, sent = (ask(f"/levelezes/{letter}/fajl") for ask in (anna.client.head, anna.client.get))
    assert not told.data
    for name in ("Content-Length", "Content-Type", "Content-Disposition", "Content-Security-Policy"):
        assert told.headers[name] == sent.headers[name]


def test_a_part_of_the_file_can_be_asked_for(anna: Visitor, site: Site) -> None:
    letter = publish(site)
    part = anna.client.get(f"/levelezes/{letter}/fajl", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.data) == (206, pdf()[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(pdf())}"
    assert anna.client.get(f"/levelezes/{letter}/fajl", headers={"Range": "bytes=999999-"}).status_code == 416
    beyond = anna.client.get(f"/levelezes/{letter}/fajl", headers={"Range": "bytes=999999-"})
    assert beyond.headers["Content-Range"] == f"bytes */{len(pdf())}"


def test_with_the_storage_away_nothing_was_opened(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(storage_url=f"folder:{tmp_path / 'files'}")
    site.open_account()
    anna = site.visitor()
    anna.sign_in()
    letter = publish(site)
    (stored,) = [one for one in (tmp_path / "files").rglob("*") if one.is_file()]
    whole = stored.read_bytes()
    stored.write_bytes(whole.replace(b"%PDF", b"%PDX", 1))
    page = Page(anna.client.get(f"/levelezes/{letter}/fajl"), site.texts)
    assert page.status == 503
    assert site.say("letter.corrupt.heading") in page.text
    assert _events(site, letter) == ["published"]
    stored.write_bytes(whole)
    assert anna.client.get(f"/levelezes/{letter}/fajl").data == whole


@pytest.mark.parametrize("end", ["/fajl", "/fajl?letoltes=1", "/igazolas"])
def test_anothers_letter_is_one_that_never_was(minta: Visitor, site: Site, end: str) -> None:
    site.open_account()
    letter = publish(site)
    assert minta.client.get(f"/levelezes/{letter}{end}").status_code == 404
    assert minta.client.head(f"/levelezes/{letter}{end}").status_code == 404
    assert minta.client.get(f"/levelezes/{letter}{end}", headers={"Range": "bytes=0-1"}).status_code == 404
    assert minta.client.get(f"/levelezes/{'x' * 22}{end}").status_code == 404
    assert minta.post(f"/levelezes/{letter}", {}).status_code == 404
    assert _events(site, letter) == ["published"]


def test_a_mails_link_opened_as_somebody_else_says_so_and_leads_to_another_account(minta: Visitor, site: Site) -> None:
    letter = publish(site, title="Titkos")
    site.open_account()
    page = minta.open(f"/levelezes/{letter}")
    assert (page.status, page.step) == (403, "other-account")
    assert "Titkos" not in page.html
    assert minta.client.head(f"/levelezes/{letter}").status_code == 404
    assert minta.open(f"/levelezes/{'x' * 22}").status == 404
    page = minta.open(f"/levelezes/{letter}")
    (change_,) = [one for one in page.root.all("form") if one["action"] == "/kilepes" and not one["data-step"]]
    fields = {one["name"]: one["value"] for one in change_.all("input")}
    answer = minta.client.post("/kilepes", data=fields)
    assert minta.open(answer.location).step == "login"
    page = minta.send("login", email="anna@example.hu", password="Kek7Hold8Fenyes")
    assert (page.step, page.path) == ("letter", f"/levelezes/{letter}")


def test_a_link_leads_back_through_the_sign_in_and_changed_terms(anna: Visitor, site: Site, htmx: bool) -> None:
    letter = publish(site)
    visitor = site.visitor(htmx=htmx)
    site.publish_terms("2026-2")
    assert visitor.open(f"/levelezes/{letter}").step == "login"
    assert visitor.send("login", email=anna.email, password="Kek7Hold8Fenyes").step == "terms-update"
    visitor.submit()
    assert visitor.step == "terms-update"
    visitor.open_document("terms")
    page = visitor.send("terms-update", terms="1")
    assert (page.step, page.path) == ("letter", f"/levelezes/{letter}")


def test_a_withdrawn_letter_says_so_with_a_code(anna: Visitor, site: Site) -> None:
    letter = publish(site)
    site.parts.portal.letters.publishing.withdraw(letter, "Téves összeg", actor="insurer")
    for end in ("", "/fajl"):
        page = anna.open(f"/levelezes/{letter}{end}")
        assert page.status == 410
        assert site.say("letter.withdrawn.heading") in page.text
        assert site.say("letter.withdrawn.reason", reason="Téves összeg") in page.text
        assert anna.client.head(f"/levelezes/{letter}{end}").status_code == 410
    (row,) = [row for row in site.rows("letters") if row.id == letter]
    assert row.withdrawn_code in page.text
    assert "opened" not in _events(site, letter)
    assert anna.open(f"/levelezes/{letter}/igazolas").status == 200


def test_a_replaced_letter_leads_to_the_newer(anna: Visitor, site: Site) -> None:
    old = publish(site, confirm_by=date(2027, 1, 1))
    new = publish(site, replaces=old, issued_on=date(2026, 11, 22))
    page = anna.open(f"/levelezes/{old}")
    assert f"/levelezes/{new}" in [link["href"] for link in page.root.all("a")]
    assert not [one for one in page.root.all("form") if one["data-step"] == "letter-confirm"]
    text = anna.open(f"/levelezes/{new}").text.replace("\u00a0", " ")
    assert site.say("letter.replaces", date_on="2026. november 20\u2011án") in text


def test_a_letter_is_confirmed_once(site: Site, htmx: bool) -> None:
    site.open_account()
    visitor = site.visitor(htmx=htmx)
    visitor.sign_in()
    letter = publish(site, confirm_by=site.now.date() + timedelta(days=3))
    assert visitor.post(f"/levelezes/{letter}", {}).status_code == 404, "it was not opened yet"
    page = visitor.open(f"/levelezes/{letter}")
    page = visitor.send("letter-confirm")
    assert page.step == "letter"
    assert not [one for one in page.root.all("form") if one["data-step"] == "letter-confirm"]
    again = visitor.follow(visitor.post(f"/levelezes/{letter}", {}))
    assert site.say("letter.state.confirmed") in again.text
    assert _events(site, letter).count("confirmed") == 1


def test_what_needs_no_confirmation_is_not_confirmed(anna: Visitor, site: Site) -> None:
    letter = publish(site)
    anna.open(f"/levelezes/{letter}")
    assert anna.post(f"/levelezes/{letter}", {}).status_code == 404


def test_a_letter_with_data_is_also_a_page(anna: Visitor, site: Site) -> None:
    data = {
        "text": ["Tisztelt Kovács Anna!", "<b>Nem félkövér</b>"],
        "Fizetendő": "24 900 Ft",
        "Tételek": [{"Tétel": "Alapdíj", "Összeg": "20 000 Ft"}, {"Tétel": "Adó", "Összeg": "4 900 Ft"}],
        "Címzett": {"Név": "Kovács Anna"},
    }
    page = anna.open(f"/levelezes/{publish(site, data=data, language='en')}")
    (paper,) = page.root.all("article")
    assert paper["lang"] == "en"
    assert [one.text for one in paper.all("th")] == ["Tétel", "Összeg"]
    assert [one.text for one in paper.all("td")] == ["Alapdíj", "20 000 Ft", "Adó", "4 900 Ft"]
    for words in ("<b>Nem félkövér</b>", "Fizetendő", "24 900 Ft", "Címzett", "Név"):
        assert words in paper.text
    assert site.say("letter.as_page.binding").partition(":")[0] in page.text


def test_the_way_of_a_letter_is_told(anna: Visitor, site: Site) -> None:
    letter = publish(site)
    anna.open(f"/levelezes/{letter}")
    anna.client.get(f"/levelezes/{letter}/fajl?letoltes=1")
    page = anna.open(f"/levelezes/{letter}/igazolas")
    for event in ("published", "opened", "downloaded"):
        assert site.say(f"delivery.event.{event}") in page.text
    assert hashlib.sha256(pdf()).hexdigest() in [one["data-sha256"] for one in page.root.all()]
    change(site, letter, type="gone")
    assert site.say("letter.type.other") in anna.open(f"/levelezes/{letter}/igazolas").text


@pytest.mark.parametrize("asked", ["bytes=0-0,5-9", "bytes=-99999999999", "bytes=abc", "items=0-1"])
def test_a_range_that_cannot_be_served_is_the_whole_file(anna: Visitor, site: Site, asked: str) -> None:
    whole = anna.client.get(f"/levelezes/{publish(site)}/fajl", headers={"Range": asked})
    assert (whole.status_code, whole.data) == (200, pdf())


def test_a_mails_link_leads_to_the_letter_through_a_registration(site: Site) -> None:
    letter = publish(site)
    visitor = site.visitor()
    visitor.open(f"/levelezes/{letter}")
    visitor.open(FIRST)
    visitor.walk_to("done")
    page = visitor.open("/belepes")
    (next_,) = (field["value"] for field in page.form("login").all("input") if field["name"] == "next")
    assert next_ == f"/levelezes/{letter}"


def test_who_was_led_nowhere_goes_to_the_account(site: Site) -> None:
    visitor = site.visitor()
    visitor.open(f"/levelezes/{publish(site)}")
    page = visitor.open("/belepes")
    assert not [field for field in page.form("login").all("input") if field["name"] == "next" and field["value"]]


def test_staff_find_a_withdrawn_letters_customer_by_its_code(site: Site) -> None:
    letter = publish(site)
    code = site.parts.portal.letters.publishing.withdraw(letter, "Téves", actor="insurer").withdrawn_code
    one = colleague(site, CLERK)
    one.open(SERVICE)
    assert one.search(str(code).lower().replace("-", "")).path.startswith(f"{SERVICE}/ugyfel/")
