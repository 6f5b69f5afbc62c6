"""The contracts' pages: the list, one of them, their days for a calendar (P5–P9)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import delete, insert, select, update

from services.store.tables.register import customer_accounts, policies
from tests.world.cast import ANNA, ESZTER, PASSWORD
from tests.world.pages import Page
from tests.world.site import Site, Visitor


def _contracts(page: Page) -> list[str]:
    return [one["data-contract"] for one in page.root.all("li") if "data-contract" in one]


def _signed_in(site: Site, customer=ANNA, language: str = "hu", *, htmx: bool = False) -> Visitor:
    if not any(row.kutid == customer.kutid for row in site.rows("accounts")):
        site.open_account(customer)
    visitor = site.visitor(language, htmx=htmx)
    visitor.sign_in(customer.email)
    return visitor


def _change(site: Site, number: str, **values: object) -> None:
    with site.parts.store.write() as connection:
        connection.execute(update(policies).where(policies.c.policy_number == number).values(**values))


@pytest.fixture
def anna(site: Site):
    """The site with Anna's account; her contracts are as they were when the test ends."""
    kept = [row._asdict() for row in site.rows("policies") if row.kutid == ANNA.kutid]
    yield site
    for row in kept:
        _change(site, row["policy_number"], **row)


def test_signed_out_the_contracts_lead_to_the_sign_in_and_back(anna: Site) -> None:
    anna.open_account()
    visitor = anna.visitor()
    assert visitor.open("/szerzodesek").step == "login"
    assert visitor.sign_in().path == "/szerzodesek"


def test_the_list_shows_what_each_is_and_costs(anna: Site) -> None:
    page = _signed_in(anna).open("/szerzodesek")
    assert page.step == "contracts"
    assert len(_contracts(page)) == 2
    for words in ("Kötelező gépjármű-felelősségbiztosítás", "Škoda Octavia, ABC-123", "Kötvényszám: 940000001"):
        assert words in page.text
    assert "24 900 Ft" in page.text.replace("\u00a0", " ")
    assert "Díja lejárt" in page.text


def test_no_policy_number_stands_in_an_address(anna: Site) -> None:
    page = _signed_in(anna).open("/szerzodesek")
    links = [link["href"] for link in page.root.all("a")]
    assert [link for link in links if link.startswith("/szerzodesek/")]
    assert not [link for link in links if "94000000" in link]


def test_live_contracts_come_first_and_a_cancelled_one_says_so(anna: Site) -> None:
    visitor = _signed_in(anna)
    _change(anna, "940000001", status="cancelled", ended_on=date(2026, 6, 30), end_reason="sold")
    page = visitor.open("/szerzodesek")
    live, ended = _contracts(page)
    assert "940000002" in visitor.open(f"/szerzodesek/{live}").text
    page = visitor.open(f"/szerzodesek/{ended}")
    assert page.step == "contract"
    assert "940000001" in page.text
    for key in ("contract.ended.heading", "contract.end_reason.sold"):
        assert anna.say(key) in page.text
    assert "2031.\u00a0június\u00a030‑ig" in page.html  # 1826 days on
    assert not [link for link in page.root.all("a") if link["href"].endswith(".ics")]


def test_a_contract_that_ended_goes_with_its_time(anna: Site) -> None:
    days = anna.parts.profile.contracts.ended_days
    today = anna.parts.portal.contracts.portfolio.today
    visitor = _signed_in(anna)
    _change(anna, "940000001", status="cancelled", ended_on=today - timedelta(days=days))
    assert len(_contracts(visitor.open("/szerzodesek"))) == 2
    ended = _contracts(visitor.seen)[-1]
    _change(anna, "940000001", ended_on=today - timedelta(days=days + 1))
    assert len(_contracts(visitor.open("/szerzodesek"))) == 1
    assert visitor.open(f"/szerzodesek/{ended}").status == 404


def test_one_shows_its_facts_its_cover_and_its_days(anna: Site) -> None:
    visitor = _signed_in(anna)
    contract = anna.parts.portal.contracts.ids.of("940000001")
    page = visitor.open(f"/szerzodesek/{contract}")
    text = page.text.replace("\u00a0", " ")
    assert page.step == "contract"
    for words in (
        "2023. január 15.", "Január 15.".lower(), "negyedévente", "2 457 000 000 Ft-ig", "Bonus-malus", "Kovács Anna",
        "Molnár Gergely",
    ):  # fmt: skip
        assert words in text
    assert "december 16." in text  # thirty days before the anniversary
    assert "940000001" not in page.title


def test_the_cover_is_in_the_language_of_the_page(anna: Site) -> None:
    contract = anna.parts.portal.contracts.ids.of("940000001")
    page = _signed_in(anna, language="en").open(f"/szerzodesek/{contract}")
    assert "Personal injury" in page.text
    assert "Személyi" not in page.text
    assert "Motor third-party liability insurance" in page.text
    assert "HUF24,900" in page.text


@pytest.mark.parametrize("end", ["", "/naptar.ics"])
def test_somebody_elses_contract_is_not_found(anna: Site, end: str) -> None:
    ids = anna.parts.portal.contracts.ids
    stranger = _signed_in(anna, ESZTER)
    assert stranger.open(f"/szerzodesek/{ids.of('940000007')}").status == 200
    for contract in (ids.of("940000001"), "940000001", "AAAAAAAAAAAAAAAAAAAAAA"):
        assert stranger.client.get(f"/szerzodesek/{contract}{end}").status_code == 404
        assert stranger.client.head(f"/szerzodesek/{contract}{end}").status_code == 404


def test_the_days_of_one_are_a_file_for_a_calendar(anna: Site) -> None:
    visitor = _signed_in(anna)
    contract = anna.parts.portal.contracts.ids.of("940000001")
    answer = visitor.client.get(f"/szerzodesek/{contract}/naptar.ics")
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    events = {str(one["summary"]): one.decoded("dtstart") for one in Calendar.from_ical(answer.data).walk("VEVENT")}
    query = select(policies.c.paid_until).where(policies.c.policy_number == "940000001")
    with anna.parts.store.read() as connection:
        paid_until = connection.execute(query).scalar_one()
    product = "Kötelező gépjármű-felelősségbiztosítás"
    assert events[f"Évforduló: {product}"].strftime("%m-%d") == "01-15"
    assert events[f"Felmondási határidő: {product}"].strftime("%m-%d") == "12-16"
    assert events[f"Díjfizetési határidő: {product}"] == paid_until + timedelta(days=1)
    for personal in ("Kovács", "940000001", "ABC-123", ANNA.kutid, ANNA.email):
        assert personal not in answer.text


def test_the_calendars_address_is_secret_and_can_be_ended(anna: Site, htmx: bool) -> None:
    visitor = _signed_in(anna, htmx=htmx)
    stranger = anna.app.test_client()
    page = visitor.open("/szerzodesek")
    assert not page.has_button("feed-end")
    addresses = []
    for told in ("made", "done"):
        page = visitor.act("feed-new")
        assert anna.say(f"contract.calendar.feed.{told}") in page.text
        (shown,) = (one.text for one in page.root.all("p") if one["class"] == "feed")
        addresses.append(shown.removeprefix(anna.parts.settings.public_url))
        visitor.open("/szerzodesek")
    old, new = addresses
    assert stranger.get(old).status_code == 404
    answer = stranger.get(new)
    assert len(Calendar.from_ical(answer.data).walk("VEVENT")) == 5
    for personal in ("Kovács", "94000000", "ABC-123", "Teréz", ANNA.kutid):
        assert personal not in answer.text
    assert stranger.get(new.replace("/naptar/", "/naptar/x")).status_code == 404
    visitor.act("feed-end")
    assert stranger.get(new).status_code == 404


def test_the_feed_ends_with_the_account(anna: Site) -> None:
    visitor = _signed_in(anna)
    visitor.open("/szerzodesek")
    visitor.act("feed-new")
    assert len(anna.rows("calendar_feeds")) == 1
    visitor.open("/fiok/megszuntetes")
    visitor.send("close", confirm="1", current_password=PASSWORD)
    assert anna.rows("calendar_feeds") == []


def test_contracts_stand_under_their_customer_account_with_its_manager(site_of: Callable[[str], Site]) -> None:
    site = site_of("allianz")
    answer = site.app.test_client().get("/dev/states/contracts", headers={"Accept-Language": "hu"})
    page = Page(answer, site.texts)
    assert site.say("contract.account.manager.self") in page.text
    assert page.text.count("Ügyfélszámla: ") == 2


def test_who_is_not_the_manager_sees_who_is(site_of: Callable[[str], Site]) -> None:
    site = site_of("allianz")
    client = site.app.test_client()
    client.get("/dev/states/contracts", headers={"Accept-Language": "hu"})
    (account,) = site.rows("accounts")
    number = next(row.account_number for row in site.rows("policies") if row.kutid == account.kutid)
    own = customer_accounts.c.account_number == number
    with site.parts.store.write() as connection:
        connection.execute(update(customer_accounts).where(own).values(manager="intermediary", intermediary="A Kft."))
    page = Page(client.get("/szerzodesek"), site.texts)
    assert "Kezelője: A Kft." in page.text
    assert site.say("contract.account.look_only") in page.text
    with site.parts.store.write() as connection:
        connection.execute(update(customer_accounts).where(own).values(manager="customer", intermediary=None))


def test_a_fleet_is_shown_by_pages(anna: Site) -> None:
    visitor = _signed_in(anna)
    fleet = [
        {"policy_number": str(number), "kutid": ANNA.kutid, "status": "live" if number % 2 else "cancelled"}
        for number in range(960000000, 960000220)
    ]
    with anna.parts.store.write() as connection:
        connection.execute(insert(policies), fleet)
    try:
        page, seen = visitor.open("/szerzodesek"), []
        assert "112 szerződés" in page.text
        while True:
            seen.append(_contracts(page))
            more = [link["href"] for link in page.root.all("a") if link["rel"] == "next"]
            if not more:
                break
            page = visitor.open(more[0])
    finally:
        with anna.parts.store.write() as connection:
            connection.execute(delete(policies).where(policies.c.policy_number.like("96%")))
    assert [len(one) for one in seen] == [100, 100, 22]
    assert len({contract for one in seen for contract in one}) == 222
