"""The list of letters: unread in words, searching, filtering, older ones (P15)."""

from datetime import date

import pytest

from tests.world.cast import ANNA, MINTA
from tests.world.letters import publish
from tests.world.pages import Page
from tests.world.site import Site, Visitor


def _listed(page: Page) -> list[str]:
    return [one["data-letter"] for one in page.root.all("li") if "data-letter" in one]


def test_a_letter_says_what_it_is_and_that_it_is_unread(anna: Visitor, site: Site) -> None:
    letter = publish(site, title="Díjbekérő a 2027. évre")
    page = anna.open("/levelezes")
    (line,) = [one for one in page.root.all("li") if "data-letter" in one]
    assert page.step == "letters"
    assert "data-unread" in line
    assert [link["href"] for link in line.all("a")] == [f"/levelezes/{letter}"]
    for words in ("Díjbekérő a 2027. évre", site.say("letter.unread"), "2026. november 20.", ANNA.policy_number):
        assert words in line.text.replace("\u00a0", " ")
    anna.open(f"/levelezes/{letter}")
    (line,) = [one for one in anna.open("/levelezes").root.all("li") if "data-letter" in one]
    assert "data-unread" not in line
    assert site.say("letter.unread") not in line.text


def test_nobody_sees_anothers_letters(minta: Visitor, site: Site) -> None:
    theirs, own = publish(site), publish(site, MINTA)
    assert _listed(minta.open("/levelezes")) == [own]
    assert _listed(minta.open(f"/levelezes?contract={ANNA.policy_number}")) == []
    assert minta.open(f"/levelezes?after={theirs}").status == 404


def test_without_letters_the_page_says_so(anna: Visitor, site: Site) -> None:
    assert site.say("letter.list.none") in anna.open("/levelezes").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=díjbekérő", {"payment_request"}),
        ("q=DIJBEKERO", {"payment_request"}),
        ("q=díj", {"payment_request", "certificate"}),
        ("q=940000001", {"payment_request", "policy"}),
        ("q=0002+igazol", {"certificate"}),
        ("q=nincs+ilyen", set()),
        ("q=%25", set()),
        ("q=egyéb", {"other"}),
        ("type=policy", {"policy"}),
        ("year=2025", {"policy"}),
        ("year=nem", {"payment_request", "policy", "certificate", "other"}),
        ("unread=1", {"payment_request", "certificate", "other"}),
        ("unread=1&year=2025", set()),
        ("contract=940000002", {"certificate"}),
        ("contract=940000003", set()),
    ],
)
def test_letters_are_searched_and_filtered(anna: Visitor, site: Site, query: str, found: set[str]) -> None:
    letters = {
        publish(site): "payment_request",
        publish(site, type="policy", title="Kötvény", issued_on=date(2025, 12, 31)): "policy",
        publish(site, type="certificate", title="Díjigazolás", policy_number="940000002"): "certificate",
        publish(site, type="other", title="Valami", policy_number=None): "other",
    }
    anna.open(f"/levelezes/{next(one for one, kind in letters.items() if kind == 'policy')}")
    page = anna.open(f"/levelezes?{query}")
    assert {letters[one] for one in _listed(page)} == found
    if not found:
        assert site.say("letter.search.none") in page.text
    elif len(found) < 4:
        assert site.say("letter.search.found", count=len(found)) in page.text


def test_the_form_offers_what_there_is_and_no_number_stands_in_an_address(anna: Visitor, site: Site) -> None:
    publish(site)
    page = anna.open("/levelezes?unread=1")
    offered = {one["name"]: [option["value"] for option in one.all("option")] for one in page.root.all("select")}
    assert offered["type"] == ["", "payment_request"]
    assert offered["year"] == ["", "2026"]
    (contract,) = [
        value for value in offered["contract"] if value and _listed(anna.open(f"/levelezes?contract={value}"))
    ]
    assert ANNA.policy_number not in contract


def test_a_filter_is_taken_away_by_its_link(anna: Visitor, site: Site) -> None:
    publish(site)
    page = anna.open("/levelezes?q=díj&year=2026&unread=1")
    crosses = [one["href"] for one in page.root.all("a") if one["aria-label"].endswith("szűrő törlése")]
    assert crosses == ["/levelezes?year=2026&unread=1", "/levelezes?q=d%C3%ADj&unread=1"]


def test_older_letters_follow_by_key(anna: Visitor, site: Site) -> None:
    published = [publish(site) for _ in range(45)]
    seen, address, pages = [], "/levelezes", 0
    while address:
        page = anna.open(address)
        seen += _listed(page)
        address = next((one["href"] for one in page.root.all("a") if one["rel"] == "next"), "")
        pages += 1
    assert pages == 3
    assert sorted(seen) == sorted(published)


def test_a_list_of_many_letters_costs_as_many_statements(anna: Visitor, site: Site, statements: list[str]) -> None:
    publish(site)
    anna.open("/levelezes")
    counts = []
    for _ in range(2):
        statements.clear()
        anna.open("/levelezes")
        counts.append(len(statements))
        for _ in range(30):
            publish(site)
    assert counts[0] == counts[1] <= 8


def test_htmx_gets_the_fragment(anna: Visitor, site: Site) -> None:
    publish(site)
    page = Page(anna.client.get("/levelezes?q=díj", headers={"HX-Request": "true"}), site.texts)
    assert page.is_fragment
    assert len(_listed(page)) == 1
    assert "data-focus" in page.html


def test_states_are_told_in_words(anna: Visitor, site: Site) -> None:
    old = publish(site)
    publish(site, replaces=old)
    back = publish(site, type="notice")
    site.parts.portal.letters.publishing.withdraw(back, "Téves összeg", actor="insurer")
    confirmed = publish(site, confirm_by=date(2027, 1, 1))
    anna.open(f"/levelezes/{confirmed}")
    assert site.say("letter.list.confirm_by", date_until="2027. január 1\u2011jéig") in anna.open("/levelezes").text
    anna.open(f"/levelezes/{confirmed}")
    anna.send("letter-confirm")
    text = anna.open("/levelezes").text
    for key in ("letter.list.replaced", "letter.list.withdrawn", "letter.list.confirmed"):
        assert site.say(key) in text
