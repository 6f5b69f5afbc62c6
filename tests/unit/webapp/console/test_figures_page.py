"""Registrations in figures: what is counted of whom, what the page shows of it, and the SMS budget on it."""

import csv
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete

from services import profiles
from services.store.tables.figures import figures
from tests.unit.webapp.portal.test_request_pages import send as send_request
from tests.world.api_client import Client, about
from tests.world.cast import ALLIANZ_BY_POLICY, ANNA, GABOR, GENERTEL, PASSWORD, SLOVAK, Customer
from tests.world.colleague import (
    ADVISER,
    BOSS,
    CLERK,
    ILONAS_POLICY,
    MAIL,
    NEW_MOBILE,
    PARTNER,
    SERVICE,
    Colleague,
    colleague,
)
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST

PAGE = f"{SERVICE}/regisztraciok"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
Counts = Callable[..., dict[str, tuple[int, int]]]


@pytest.fixture
def forget() -> Callable[[Site], None]:
    """Forget what other tests have had counted."""

    def empty(site: Site) -> None:
        site.parts.figures.funnel.flush()
        with site.parts.store.write() as connection:
            connection.execute(delete(figures))

    return empty


@pytest.fixture
def counts(site: Site, forget: Callable[[Site], None]) -> Counts:
    """Return how often each step was entered and finished, from now on."""
    forget(site)
    return lambda **only: counted(site, **only)


def counted(site: Site, **only: str) -> dict[str, tuple[int, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in seen(site, **only):
        if row.what in ("entered", "finished"):
            of_step = found.setdefault(row.step, {})
            of_step[row.what] = of_step.get(row.what, 0) + row.count
    return {step: (one.get("entered", 0), one.get("finished", 0)) for step, one in found.items()}


def seen(site: Site, **only: str) -> list:
    site.parts.figures.funnel.flush()
    return [row for row in site.rows("figures") if all(getattr(row, name) == is_ for name, is_ in only.items())]


def errors(site: Site) -> dict[tuple[str, str, str], int]:
    return {(row.step, row.what, row.error): row.count for row in seen(site) if row.error}


def through(*steps: str, to: str = "") -> dict[str, tuple[int, int]]:
    return {step: (1, 0 if step == to else 1) for step in steps}


# --- What is counted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [ALLIANZ_BY_POLICY, GENERTEL, SLOVAK], ids=lambda who: who.profile)
def test_every_step_of_every_journey_is_counted_once(
    site_of: Callable[[str], Site], htmx: bool, who: Customer, forget: Callable[[Site], None]
) -> None:
    site = site_of(who.profile)
    forget(site)
    visitor = site.visitor(site.language, htmx=htmx)
    visitor.walk_to("done", who)
    visitor.open(FIRST)
    journey = site.parts.profile.journey
    if "activation" in journey:
        assert counted(site) == through(*journey, to="activation")
        visitor, code = site.visitor(), site.activation_code(who.email)
        visitor.sign_in(who.email)
        visitor.send(activation_code="1")
        visitor.send(activation_code=code)
        assert ("activation", "refused", "activation_code.malformed.tail") in errors(site)
    assert counted(site) == through(*journey)


def test_a_person_counts_once_whatever_they_do(site: Site, visitor: Visitor, counts: Counts) -> None:
    visitor.open()
    visitor.open()
    visitor.send(**{**ANNA.identification, "birth_date": "1900-01-01"})
    visitor.copy().open()
    visitor.identify(ANNA)
    visitor.send(email="no address", email_confirm="no address")
    visitor.open(FIRST)
    visitor.give_email(ANNA.email)
    visitor.act("change-email")
    visitor.give_email("masik@example.hu")
    visitor.open(FIRST)
    assert counts() == through("identify", "email", "email-sent", to="email-sent")
    assert errors(site) == {
        ("identify", "refused", "identify.mismatch"): 1,
        ("email", "refused", "email.malformed"): 1,
    }


def test_the_link_counts_once_in_whichever_browsers_it_is_opened(
    site: Site, visitor: Visitor, htmx: bool, counts: Counts
) -> None:
    visitor.walk_to("email-sent")
    site.visitor().open_link(ANNA.email)  # a mail scanner
    phone = site.visitor(htmx=htmx)
    phone.open_link(ANNA.email)
    visitor.open(FIRST)
    assert counts() == through("identify", "email", "email-sent", "mobile", to="mobile")
    phone.walk_to("done")
    assert counts() == through(*site.parts.profile.journey)


def test_the_next_customer_at_the_same_browser_counts_anew(site: Site, visitor: Visitor, counts: Counts) -> None:
    visitor.walk_to("done")
    site.advance(hours=2)
    visitor.open()
    visitor.identify(GABOR)
    assert counts()["identify"] == (2, 2)


def test_a_dead_end_counts_once_however_often_it_is_looked_at(site: Site, visitor: Visitor, counts: Counts) -> None:
    visitor.walk_to("email")
    site.advance(hours=2)
    visitor.open(FIRST)
    visitor.open(FIRST)
    site.visitor().open("/regisztracioveglegesites?token=made-up")
    assert errors(site) == {("email", "stopped", "link_expired"): 1, ("email-sent", "stopped", "link_unknown"): 1}
    assert counts()["email"] == (1, 0)


def test_robots_and_what_is_only_fetched_are_not_counted(site: Site, counts: Counts) -> None:
    client = site.app.test_client()
    client.get(FIRST, headers={"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"})
    client.head(FIRST)
    site.app.test_client().get(FIRST, headers={"Sec-Purpose": "prefetch;prerender"})
    assert counts() == {}
    site.app.test_client().get(FIRST, headers={"User-Agent": FIREFOX})
    assert counts(browser="Firefox") == {"identify": (1, 0)}


def test_a_registration_with_staff_is_counted_by_its_channel(site: Site, counts: Counts) -> None:
    clerk = colleague(site, CLERK)
    clerk.serve(ILONAS_POLICY)
    clerk.record()
    clerk.type_code(site.code(NEW_MOBILE))
    assert counts(channel="service") == through("identify", "email", "email-sent", to="email-sent")
    ilona = site.visitor()
    ilona.open_link(MAIL)
    ilona.send(mobile=NEW_MOBILE)
    assert counts(channel="service") == through("identify", "email", "email-sent", "mobile", "sms-code", to="sms-code")
    assert counts(channel="web") == {}


def test_nothing_of_a_person_is_kept(site: Site, visitor: Visitor, counts: Counts) -> None:
    visitor.walk_to("done")
    held = " ".join(str(value) for row in seen(site) for value in row)
    (registration,) = site.rows("registrations")
    for secret in (registration.id, registration.kutid, ANNA.email, ANNA.mobile, ANNA.policy_number, "127.0.0.1"):
        assert secret not in held


# --- The page ------------------------------------------------------------------------------------------------------


@pytest.fixture
def boss(site: Site) -> Colleague:
    return colleague(site, BOSS)


def table(page: object, caption: str) -> list[list[str]]:
    """Return the rows of a table of the page by its caption's id."""
    found = re.search(rf'<caption[^>]*id="{caption}".*?<tbody>(.*?)</tbody>', page.html, re.DOTALL)  # type: ignore[attr-defined]
    assert found is not None
    return [
        [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", found[1], re.DOTALL)
    ]


def test_the_page_tells_how_far_registrations_came(
    site: Site, visitor: Visitor, boss: Colleague, counts: Counts
) -> None:
    visitor.walk_to("mobile")
    page = boss.open(f"{PAGE}?days=1")
    assert page.status == 200
    rows = {row[0]: row[1:] for row in table(page, "table")}
    assert rows[site.say("step.email")] == ["1", "1", "0", "100%"]
    assert rows[site.say("step.mobile")] == ["1", "0", "1", "0%"]
    assert rows[site.say("step.password")] == ["0", "0", "0", "–"]
    assert table(page, "channels") == [["Web", "1", "0", "1", "0%"]]
    assert page.html.count('role="img"') == 1
    assert "style=" not in page.html
    week = boss.open(PAGE)
    assert week.html.count('role="img"') == 2


def test_errors_are_told_in_words(site: Site, visitor: Visitor, boss: Colleague, counts: Counts) -> None:
    visitor.open()
    visitor.send(**{**ANNA.identification, "birth_date": "1900-01-01"})
    visitor.send(**{**ANNA.identification, "policy_number": "1"})
    page = boss.open(PAGE)
    told = {row[1] for row in table(page, "errors")}
    assert told == {site.say("funnel.error.identify.mismatch"), site.say("funnel.error.policy_number.malformed")}


def test_every_error_that_a_form_knows_has_words() -> None:
    # Those of the registration; a text that needs a moment's facts would show its gaps.
    spoken = profiles.load("mygenerali").texts
    steps = ("identify.", "policy_number.", "birth_date", "tax_number", "email.", "mobile.", "sms_code.", "sms_resend.",
             "terms.", "password.", "consents.", "account_number.", "customer_number.")  # fmt: skip
    for key in sorted(spoken.known_keys):
        if key.startswith(tuple(f"error.{step}" for step in steps)):
            error = key.removeprefix("error.").removesuffix(".one").removesuffix(".other").removesuffix(".few")
            own = spoken.has(f"funnel.error.{error}", "hu") or spoken.has(f"staff.event.refused.{error}", "hu")
            text = spoken.template(key, "hu", {"count": 2})
            gaps = set(re.findall(r"{(\w+)}", text)) - set(spoken.facts("hu"))
            assert own or not gaps or error.endswith((".help", ".none", ".tail", ".with_id", ".too_soon")), key


def test_filters_and_an_empty_period(site: Site, visitor: Visitor, boss: Colleague, counts: Counts) -> None:
    assert site.say("funnel.none") in boss.open(PAGE).text
    visitor.open()
    assert site.say("funnel.none") not in boss.open(PAGE).text
    assert site.say("funnel.none") in boss.open(f"{PAGE}?channel=adviser").text
    assert site.say("funnel.none") in boss.open(f"{PAGE}?first=2026-01-01&last=2026-01-31").text
    page = boss.open(f"{PAGE}?channel=nonsense&browser=%3Cscript%3E%00")
    assert page.status == 200
    assert "<script>" not in page.html.partition("<main")[2]


@pytest.mark.parametrize(
    "query",
    ["first=2026-02-30&last=2026-03-01", "first=2026-03-02&last=2026-03-01", "first=2020-01-01&last=2026-01-01",
     "first=x", "last=2026-01-01"],
)  # fmt: skip
def test_a_period_that_cannot_be_is_refused(site: Site, boss: Colleague, query: str) -> None:
    page = boss.open(f"{PAGE}?{query}")
    assert page.status == 422
    assert len(page.errors()) == 1


def test_the_table_as_csv(site: Site, visitor: Visitor, boss: Colleague, counts: Counts) -> None:
    visitor.walk_to("email")
    answer = boss.client.get(f"{PAGE}.csv?days=7", headers={"Accept-Language": "hu"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [row.facts for row in site.rows("audit") if row.action == "exported"] == [{"what": "figures"}]
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[1] == [site.say("step.identify"), "1", "1", "0", "100%"]
    assert len(rows) == 1 + len(site.parts.profile.journey)


def test_who_may_see_it(site: Site) -> None:
    assert Colleague(site).open(PAGE).step == "staff-login"
    for email in (CLERK, BOSS):
        assert colleague(site, email).open(PAGE).status == 200
    adviser = colleague(site, ADVISER)
    for address in (PAGE, f"{PAGE}.csv", f"{PARTNER}/regisztraciok", f"{PARTNER}/regisztraciok.csv"):
        assert adviser.client.get(address).status_code == 404
    assert adviser.post(PAGE, {"more": "1"}).status_code == 404
    assert "regisztraciok" not in adviser.open(PARTNER).html
    customer = site.visitor()
    assert customer.open(PAGE).step == "staff-login"


# --- The budget ----------------------------------------------------------------------------------------------------


@pytest.fixture
def with_budget(make_site: Callable[..., Site], tmp_path: Path) -> Site:
    """A site whose budget is two text messages a month."""
    folder = tmp_path / "budget"
    shutil.copytree(profiles.find("mygenerali").parent, folder)
    file = folder / "profile.toml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("[messages]\n", "[messages]\nsms_a_month = 2\nwarn_at_percent = 50\n"), "utf-8")
    return make_site(profile=str(file))


def send_code(site: Site, number: int) -> None:
    """Have a member of staff send a code to one of the demo's customers."""
    clerk = colleague(site, CLERK)
    clerk.serve(f"940100{number}")
    assert clerk.record(f"proba{number}@example.hu", f"20 100 0{number}").step == "staff-code"
    site.messages()
    site.parts.messages.sms_budget.budget()


def test_the_budget_warns_stops_and_is_released(with_budget: Site, htmx: bool) -> None:
    site = with_budget
    boss = Colleague(site, htmx=htmx)
    boss.sign_in(BOSS)
    assert "alarm" not in boss.open(SERVICE).html
    send_code(site, 101)
    assert site.say("funnel.sms_budget.warning", count=50) in boss.open(SERVICE).html
    send_code(site, 102)
    assert site.say("funnel.sms_budget.stopped") in boss.open(SERVICE).html
    # A customer is told before it costs them anything, and what was typed stands there still.
    customer = site.visitor(htmx=htmx)
    customer.walk_to("mobile", GABOR)
    page = customer.send(mobile=GABOR.mobile)
    assert (page.status, page.step, page.errors()) == (409, "mobile", {})
    assert site.say("sms_paused.heading") in page.text
    assert GABOR.mobile in page.html
    assert not [row for row in site.rows("one_time_codes") if row.mobile == GABOR.mobile]
    # So are staff, in their words.
    clerk = colleague(site, CLERK)
    clerk.serve("940100107")
    assert site.say("funnel.sms_budget.stopped") in clerk.record("proba7@example.hu", "20 100 0107").errors()["mobile"]
    # Customer service sees how it stands, a supervisor releases it.
    assert 'name="more"' not in clerk.open(PAGE).html
    assert clerk.post(PAGE, {"more": "5", "reason": "Kampány", "seen": "0"}).status_code == 404
    boss.open(PAGE)
    assert boss.send("sms-release", more="", reason="Kampány").errors()
    page = boss.send("sms-release", more="5", reason="Kampány miatt")
    assert site.say("funnel.sms_budget.released", count=5) in page.text
    assert site.parts.messages.sms_budget.budget().allowed == 7
    assert customer.send(mobile=GABOR.mobile).step == "sms-code"


def test_who_changes_the_mobile_of_an_account_and_who_asks_by_the_api_are_told_too(
    with_budget: Site, htmx: bool
) -> None:
    site = with_budget
    site.open_account(ANNA)
    send_code(site, 101)
    customer = site.visitor(htmx=htmx)
    customer.sign_in()
    customer.open("/fiok/mobil")
    page = customer.send(mobile="20 999 8877", current_password=PASSWORD)
    assert (page.status, page.step, page.errors()) == (409, "mobile-change", {})
    assert site.say("sms_paused.heading") in page.text
    assert page.value("mobile") == "20 999 8877"
    answer = Client(site).start()
    assert about(answer) == (503, "sms-paused")
    assert [row.mobile for row in site.rows("one_time_codes")] == [ANNA.mobile, "+36201000101"]


def test_operators_see_it_too(with_budget: Site) -> None:
    answer = with_budget.app.test_client().get("/metrics").text
    assert "belepo_sms_allowed 2.0\n" in answer
    assert "belepo_sms_stopped 0.0\n" in answer


def test_requests_are_told_by_kind_and_in_the_metrics(site: Site) -> None:
    site.open_account()
    visitor = site.visitor()
    visitor.sign_in()
    request_id = send_request(site, visitor)
    site.advance(hours=2)
    handling = site.parts.portal.requests.handling
    handling.take(request_id, actor="core")
    handling.answer(request_id, "Megtettük.", actor="core")
    clerk = colleague(site, CLERK)
    page = clerk.open(PAGE)
    rows = [[cell.text for cell in row.all("td")] for row in page.root.all("tr")]
    assert [site.say("request.kind.address-change.title"), "1", "1", "2", "0", "–"] in rows
    assert site.say("funnel.requests.late", open="0", late="0") in page.text
    metrics = site.ask("/metrics").decode()
    assert 'belepo_requests_received{kind="address-change"} 1.0\n' in metrics
    assert "belepo_requests_late 0.0\n" in metrics
