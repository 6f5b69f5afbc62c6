"""The adviser's desk, and the worklist of letters that nobody opened (P20, P23, P54)."""

from datetime import timedelta

from sqlalchemy import update

from services.store.tables.payments import invoices
from tests.unit.webapp.portal.test_request_pages import send
from tests.world.cast import ANNA, CROWD, ESZTER
from tests.world.colleague import ADVISER, CLERK, PARTNER, SERVICE, Colleague, colleague
from tests.world.letters import kutid_of, publish
from tests.world.pages import Page
from tests.world.site import Site
from webapp.demo.invoices import load_invoices

DESK = f"{PARTNER}/munkaasztal"
LIST = "munkalistak/levelek"


def important(site: Site, customer: object = ANNA, days: int = 20) -> str:
    """Publish a letter that has a latest day."""
    latest_on = (site.now + timedelta(days=days)).date()
    return publish(site, customer, type="premium_notice", latest_on=latest_on)  # type: ignore[arg-type]


def mark_of(page: Page, name: str = "nudge") -> str:
    return next(button["value"] for button in page.root.all("button") if button["name"] == name)


def nudge(one: Colleague, mark: str) -> Page:
    return one.follow(one.post(DESK, {"nudge": mark}))


def test_own_customers_with_an_unread_letter_that_has_a_day_stand_on_the_desk(site: Site) -> None:
    one = colleague(site, ADVISER)
    assert site.say("adviser.desk.none") in one.open(PARTNER).text
    important(site, ESZTER)  # nobody's customer
    publish(site)  # no day
    assert site.say("adviser.desk.none") in one.open(PARTNER).text
    letter_id = important(site)
    page = one.open(PARTNER)
    assert site.say("adviser.desk.unread") in page.text
    assert ANNA.name not in page.text  # masked, as everywhere until they are identified
    case = one.follow(one.post(DESK, {"customer": mark_of(page)}))
    assert case.path.startswith(f"{PARTNER}/ugyfel/")
    site.open_account()
    visitor = site.visitor()
    visitor.sign_in()
    visitor.open(f"/levelezes/{letter_id}")
    assert site.say("adviser.desk.none") in one.open(PARTNER).text


def test_overdue_premiums_stand_on_it_and_the_most_urgent_comes_first(site: Site) -> None:
    load_invoices(site.parts.store, site.parts.profile, site.parts.clock)
    with site.parts.store.write() as connection:
        mine = update(invoices).where(invoices.c.kutid == kutid_of(site))
        connection.execute(mine.values(paid_at=None, due_on=(site.now - timedelta(days=3)).date()))
    page = colleague(site, ADVISER).open(PARTNER)
    assert site.say("adviser.desk.premium") in page.text
    assert len([button for button in page.root.all("button") if button["name"] == "nudge"]) == 1


def test_requests_that_wait_for_the_customer_stand_on_it(site: Site) -> None:
    site.open_account()
    visitor = site.visitor()
    visitor.sign_in()
    request_id = send(site, visitor)
    handling = site.parts.portal.requests.handling
    handling.take(request_id, actor="insurer")
    one = colleague(site, ADVISER)
    assert site.say("adviser.desk.request") not in one.open(PARTNER).text
    handling.ask(request_id, "Melyik emelet?", actor="insurer")
    assert site.say("adviser.desk.request") in one.open(PARTNER).text


def test_a_customer_is_reminded_once_a_day(site: Site) -> None:
    site.open_account()
    important(site)
    one = colleague(site, ADVISER)
    mark = mark_of(one.open(PARTNER))
    page = nudge(one, mark)
    assert site.say("adviser.desk.nudged") in page.text
    assert site.say("adviser.desk.nudge.today") in page.text
    nudge(one, mark)
    assert site.told("nudge") == 1
    assert [row.action for row in site.rows("audit")].count("nudged") == 1
    site.advance(days=1)
    again = colleague(site, ADVISER)
    nudge(again, mark_of(again.open(PARTNER)))
    assert site.told("nudge") == 2


def test_without_an_address_the_adviser_is_to_call(site: Site) -> None:
    important(site)
    one = colleague(site, ADVISER)
    assert site.say("error.nudge.no_address") in nudge(one, mark_of(one.open(PARTNER))).text
    assert not site.rows("nudges")


def test_a_mark_of_another_session_reminds_nobody(site: Site) -> None:
    site.open_account()
    important(site)
    mark = mark_of(colleague(site, ADVISER).open(PARTNER))
    nudge(colleague(site, ADVISER), mark)
    assert not site.rows("nudges")


def test_customer_service_has_the_letters_of_all_by_their_day(site: Site) -> None:
    for days, customer in ((30, ANNA), (10, ESZTER), (20, CROWD[0])):
        important(site, customer, days)
    printed = important(site, CROWD[1], 5)
    site.parts.portal.letters.publishing.withdraw(printed, "Tévedés", actor="insurer")
    page = colleague(site, CLERK).open(f"{SERVICE}/{LIST}")
    lines = [line for line in page.root.all("li") if line.all("button")]
    assert len(lines) == 3
    own = colleague(site, ADVISER).open(f"{PARTNER}/{LIST}")
    assert len([line for line in own.root.all("li") if line.all("button")]) == 1


def test_the_list_goes_on_after_a_page_and_each_page_is_on_record(site: Site) -> None:
    for days in range(27):
        important(site, CROWD[days], 10 + days // 3)
    clerk = colleague(site, CLERK)
    first = clerk.open(f"{SERVICE}/{LIST}")
    more = next(link["href"] for link in first.root.all("a") if link["rel"] == "next")
    second = clerk.open(more)
    counts = [len([line for line in page.root.all("li") if line.all("button")]) for page in (first, second)]
    assert counts == [25, 2]
    assert len([row for row in site.rows("audit") if row.facts.get("what") == "letters"]) == 2


def test_what_could_not_be_notified_is_a_list_of_its_own(site: Site) -> None:
    site.open_account()
    important(site)
    important(site, ESZTER)  # no address on record
    site.advance(minutes=2)
    site.messages()
    clerk = colleague(site, CLERK)
    page = clerk.open(f"{SERVICE}/{LIST}?lista=visszapattant")
    assert len([line for line in page.root.all("li") if line.all("button")]) == 1
    case = clerk.follow(clerk.post(f"{SERVICE}/{LIST}", {"customer": mark_of(page, "customer")}))
    assert case.path.startswith(f"{SERVICE}/ugyfel/")
