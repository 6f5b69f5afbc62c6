"""Requests as customers make and follow them (P33–P37, P46)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.requests.group import RequestServices
from tests.unit.webapp.portal.test_invoice_pages import read_code
from tests.world.cast import ANNA, PASSWORD
from tests.world.pages import Page
from tests.world.site import Site, Visitor

ADDRESS = "/ugyintezes/uj/address-change"
NEW_HOME = {"postal_code": "1137", "town": "Budapest", "street": "Pozsonyi út 5. II. 3."}
IBAN = "HU42 1177 3016 1111 1018 0000 0000"


def on(site: Site, days: int = 0) -> str:
    """Return the day that it is at the insurer's, or one that many days later."""
    return (site.parts.portal.requests.drafts.reader.today + timedelta(days=days)).isoformat()


def answer(visitor: Visitor, fields: Mapping[str, str], action: str = "next") -> Page:
    """Answer the page that the visitor sees."""
    visitor.fill(**fields)
    return visitor.act(action)


def ask_for_address(site: Site, visitor: Visitor) -> Page:
    """Fill in a change of address up to the check of the answers."""
    visitor.open(ADDRESS)
    answer(visitor, NEW_HOME)
    return answer(visitor, {"from": on(site)})


def send(site: Site, visitor: Visitor) -> str:
    """Send a change of address, and return the request's id."""
    ask_for_address(site, visitor)
    return visitor.act("send").path.rpartition("/")[2]


def requests_of(page: Page) -> dict[str, str]:
    """Return the state of each request of a list by its id."""
    return {one["data-request"]: one["data-state"] for one in page.root.all("li") if "data-request" in one}


def answers_of(page: Page) -> dict[str, str]:
    """Return the answers of the review by their questions."""
    rows = (one for one in page.root.all("div") if "data-answer" in one)
    return {row["data-answer"]: next(row.all("dd")).text for row in rows}


@pytest.fixture
def services(site: Site) -> RequestServices:
    """The services of requests."""
    return site.parts.portal.requests


@pytest.mark.parametrize("htmx", [False, True])
def test_a_request_is_filled_in_checked_and_sent(site: Site, *, htmx: bool) -> None:
    site.open_account()
    visitor = site.visitor(htmx=htmx)
    visitor.sign_in()
    page = visitor.open(ADDRESS)
    assert page.step == "request-form"
    assert site.say("request.form.progress", current=1, total=2) in page.text
    answer(visitor, NEW_HOME)
    review = answer(visitor, {"from": on(site, 3)})
    assert review.step == "request-review"
    assert answers_of(review)["street"] == NEW_HOME["street"]
    done = visitor.act("send")
    assert done.step == "request-done"
    (main,) = (one for one in done.root.all("main"))
    assert main["data-reference"].startswith("U-")
    assert main["data-reference"] in done.text
    assert site.told("request_sent") == 1
    (mail,) = site.mails_of("request_sent")
    assert main["data-reference"] in mail["text"]
    assert NEW_HOME["street"] not in mail["text"]
    assert site.say("request.kind.address-change.title") not in mail["text"] + mail["subject"]
    page = visitor.open(f"/ugyintezes/{main['data-request']}")
    assert page.step == "request"
    assert NEW_HOME["street"] in page.text
    assert requests_of(visitor.open("/ugyintezes")) == {main["data-request"]: "sent"}


def test_what_is_wrong_is_said_beside_its_field(site: Site, anna: Visitor) -> None:
    anna.open(ADDRESS)
    page = answer(anna, {**NEW_HOME, "postal_code": "11", "street": ""})
    assert page.status == 422
    assert page.fields_in_error == ["postal_code", "street"]
    assert page.value("town") == "Budapest"
    answer(anna, NEW_HOME)
    page = answer(anna, {"from": on(site, -1)})
    assert page.errors()["from"].startswith(site.say("error.from.past").partition(":")[0])
    assert page.fields_in_error == ["from-year"]
    page = answer(anna, {"from-year": "2026", "from-month": "13", "from-day": "1"})
    assert page.errors() == {"from": site.say("error.date.impossible")}


def test_a_draft_is_gone_on_with_on_another_device(site: Site, anna: Visitor) -> None:
    anna.open(ADDRESS)
    answer(anna, NEW_HOME)
    phone = site.visitor()
    phone.sign_in()
    ((draft, state),) = requests_of(phone.open("/ugyintezes")).items()
    assert state == "draft"
    page = phone.open(f"/ugyintezes/{draft}")
    assert page.path == ADDRESS
    assert site.say("request.form.progress", current=2, total=2) in page.text
    assert "from-year" in {field["name"] for field in page.root.all("input")}


def test_what_was_typed_and_left_is_there_again(site: Site, anna: Visitor) -> None:
    anna.open(ADDRESS)
    page = answer(anna, {"postal_code": "11", "town": "Győr"}, "save")
    assert page.step == "requests"
    page = anna.open(ADDRESS)
    assert (page.value("postal_code"), page.value("town")) == ("11", "Győr")


def test_what_was_typed_when_the_session_ended_is_there_after_the_sign_in(site: Site, anna: Visitor) -> None:
    anna.open(ADDRESS)
    answer(anna, NEW_HOME)
    site.advance(hours=9)
    page = answer(anna, {"from-year": "2031", "from-month": "2", "from-day": "3"})
    assert page.step == "login"
    anna.fill(email=ANNA.email, password=PASSWORD)
    page = anna.submit("login")
    assert [page.value(f"from-{part}") for part in ("year", "month", "day")] == ["2031", "2", "3"]


def test_back_and_the_links_of_the_review_lead_to_a_page_with_its_answers(site: Site, anna: Visitor) -> None:
    review = ask_for_address(site, anna)
    change = next(link["href"] for link in review.root.all("a") if "kerdes=postal_code" in link["href"])
    page = anna.open(change)
    assert page.value("street") == NEW_HOME["street"]
    page = answer(anna, {**NEW_HOME, "street": "Fő utca 1."})
    assert answers_of(page)["street"] == "Fő utca 1."
    page = anna.act("back")
    assert "from-year" in {field["name"] for field in page.root.all("input")}
    page = anna.act("back")
    assert page.value("street") == "Fő utca 1."


def test_a_page_that_is_not_due_is_neither_shown_nor_taken(
    site: Site, anna: Visitor, services: RequestServices
) -> None:
    page = anna.open(f"{ADDRESS}?kerdes=from")
    assert "from-year" not in {field["name"] for field in page.root.all("input")}
    anna.follow(anna.post(ADDRESS, {"from": on(site), "action": "next"}))
    anna.follow(anna.post(ADDRESS, {"action": "send"}))
    assert site.rows("requests") == []
    assert site.rows("request_drafts") == []


def test_sending_twice_sends_once(site: Site, anna: Visitor) -> None:
    review = ask_for_address(site, anna)
    draft = review.value("draft")
    first = anna.act("send")
    again = anna.follow(anna.post(ADDRESS, {"draft": draft, "action": "send"}))
    assert again.step == "request-done"
    assert first.path == again.path
    assert len(site.rows("requests")) == 1
    assert site.told("request_sent") == 1


def test_an_answer_from_another_window_is_not_overwritten(site: Site, anna: Visitor) -> None:
    ask_for_address(site, anna)
    old = site.visitor()
    old.sign_in()
    old.open(f"{ADDRESS}?kerdes=postal_code")
    anna.open(f"{ADDRESS}?kerdes=postal_code")
    answer(anna, {**NEW_HOME, "street": "Fő utca 1."})
    page = answer(old, {**NEW_HOME, "street": "Más utca 2."})
    assert site.say("request.form.changed_elsewhere") in page.text
    assert site.rows("request_drafts")[0].answers["street"] == "Fő utca 1."


def test_a_claim_begins_with_whom_to_call_and_takes_every_answer(site: Site, anna: Visitor) -> None:
    page = anna.open("/ugyintezes/uj/claim-motor")
    assert page.step == "request-form"
    assert "tel:112" in {link["href"] for link in page.root.all("a")}
    page = anna.act("next")
    (contract,) = (one for one in page.root.all("input") if one["name"] == "contract")
    answer(anna, {"contract": contract["value"]})
    page = answer(anna, {"happened_on": on(site, 1), "happened_at": "25:00"})
    assert page.fields_in_error == ["happened_on-year", "happened_at"]
    answer(anna, {"happened_on": on(site, -1), "happened_at": "14:30"})
    answer(anna, {"place": "M1, 45 km"})
    answer(anna, {"description": "Felverődött egy kavics.\nMegrepedt a szélvédő."})
    answer(anna, {"police": "no"})
    answer(anna, {})  # photos may be left out
    assert answer(anna, {"account": "HU43 1177 3016 1111 1018 0000 0000"}).status == 422
    answer(anna, {"account": IBAN})
    assert answer(anna, {}).fields_in_error == ["statement"]
    review = answer(anna, {"statement": "1"})
    said = answers_of(review)
    assert said["account"].endswith("0000")
    assert "1177" not in said["account"]
    assert list(said) == [
        "contract", "happened_on", "happened_at", "place", "description", "police", "photos", "account", "statement"
    ]  # fmt: skip
    anna.act("send")
    (row,) = site.rows("requests")
    assert row.policy_number == ANNA.policy_number == row.answers["contract"]
    assert row.answers["account"] == IBAN.replace(" ", "")
    assert (row.answers["happened_at"], row.answers["police"], row.answers["statement"]) == ("14:30", "no", True)


def test_a_contract_that_a_kind_is_not_for_is_refused(site: Site, anna: Visitor) -> None:
    home = next(
        one.id for one in site.parts.portal.contracts.portfolio.of_customer(ANNA.kutid) if one.product == "home"
    )
    anna.open("/ugyintezes/uj/green-card")
    page = anna.follow(anna.post("/ugyintezes/uj/green-card", {"contract": home, "action": "next"}))
    assert page.errors() == {"contract": site.say("error.contract.unsuitable")}


def test_a_kind_without_a_contract_for_it_cannot_be_begun(site: Site, minta: Visitor) -> None:
    page = minta.open("/ugyintezes/uj/green-card")
    assert page.step == "requests"
    assert site.say("request.start.unsuitable") in page.text
    assert "/ugyintezes/uj/green-card" not in page.addresses
    minta.follow(minta.post("/ugyintezes/uj/green-card", {"action": "next"}))
    assert site.rows("request_drafts") == []


def test_the_insurer_asks_and_the_customer_answers(site: Site, anna: Visitor, services: RequestServices) -> None:
    request_id = send(site, anna)
    services.handling.take(request_id, actor="core", number="K-1")
    services.handling.ask(request_id, "Melyik emelet?", actor="core")
    assert site.told("request_question") == 1
    page = anna.open(f"/ugyintezes/{request_id}")
    assert "Melyik emelet?" in page.text
    assert "K-1" in page.text
    assert requests_of(anna.open("/ugyintezes")) == {request_id: "question"}
    anna.open(f"/ugyintezes/{request_id}")
    anna.fill(answer=" ")
    assert anna.submit("request-answer").fields_in_error == ["answer"]
    anna.fill(answer="A második.\nÉs a harmadik.")
    page = anna.submit("request-answer")
    assert site.say("request.answer.done") in page.text
    services.handling.answer(request_id, "Átvezettük.", actor="core")
    assert "Átvezettük." in anna.open(f"/ugyintezes/{request_id}").text
    services.handling.close(request_id, actor="core")
    closed = anna.open(f"/ugyintezes/{request_id}")
    # What came of it stands above, and not among what happened alone.
    assert next(quote.text for quote in closed.root.all("blockquote")) == "Átvezettük."
    _, events = services.handling.find(request_id)
    assert [one.type for one in events] == ["sent", "taken", "question", "replied", "answered", "closed"]
    assert events[3].text == "A második.\nÉs a harmadik."
    assert (site.told("request_answered"), site.told("request_closed")) == (1, 1)


def test_a_request_is_withdrawn_until_somebody_works_on_it(
    site: Site, anna: Visitor, services: RequestServices
) -> None:
    request_id = send(site, anna)
    anna.open(f"/ugyintezes/{request_id}")
    page = anna.act("withdraw")
    assert site.say("request.withdraw.done") in page.text
    assert requests_of(anna.open("/ugyintezes")) == {request_id: "withdrawn"}
    assert site.told("request_withdrawn") == 1
    other = send(site, anna)
    services.handling.take(other, actor="core")
    page = anna.follow(anna.post(f"/ugyintezes/{other}", {"action": "withdraw"}))
    assert site.say("request.withdraw.too_late").partition(":")[0] in page.text
    assert requests_of(anna.open("/ugyintezes"))[other] == "taken"


def test_somebody_elses_request_is_not_found(site: Site, anna: Visitor, minta: Visitor) -> None:
    request_id = send(site, anna)
    assert minta.open(f"/ugyintezes/{request_id}").step == "other-account"
    assert minta.post(f"/ugyintezes/{request_id}", {"action": "withdraw"}).status_code == 404
    assert minta.open("/ugyintezes/no-such-request").status == 404
    assert minta.open("/ugyintezes/uj/no-such-kind").status == 404
    assert requests_of(minta.open("/ugyintezes")) == {}


def test_a_draft_is_erased_after_its_days_and_that_is_told_before(site: Site, anna: Visitor) -> None:
    anna.open(ADDRESS)
    answer(anna, NEW_HOME)
    site.advance(hours=24 * 28)
    assert site.told("request_draft") == 0
    site.advance(hours=24)
    assert site.told("request_draft") == 1


def test_what_is_begun_can_be_erased(site: Site, anna: Visitor) -> None:
    anna.open(ADDRESS)
    answer(anna, NEW_HOME)
    page = anna.act("delete")
    assert site.say("request.form.deleted") in page.text
    assert site.rows("request_drafts") == []


def test_a_page_costs_few_statements(site: Site, anna: Visitor, statements: list[str]) -> None:
    ask_for_address(site, anna)
    statements.clear()
    anna.open(f"{ADDRESS}?kerdes=from")
    assert len(statements) <= 12


def test_home_says_what_waits_and_leads_there(site: Site, anna: Visitor, services: RequestServices) -> None:
    request_id = send(site, anna)
    services.handling.take(request_id, actor="core")
    services.handling.ask(request_id, "Melyik emelet?", actor="core")
    anna.open("/ugyintezes/uj/green-card")
    contract = anna.seen.value("contract")
    answer(anna, {"contract": contract})
    page = anna.open("/fiok")
    found, _ = services.handling.find(request_id)
    kind = site.say("request.kind.address-change.title")
    assert site.say("home.todo.question", kind=kind, number=found.reference) in page.text
    assert site.say("home.todo.draft", kind=site.say("request.kind.green-card.title")) in page.text
    assert f"/ugyintezes/{request_id}" in page.addresses
    assert "/ugyintezes#claim" in page.addresses


def test_a_contract_leads_to_what_can_be_asked_for_it(site: Site, anna: Visitor) -> None:
    car = next(one for one in site.parts.portal.contracts.portfolio.of_customer(ANNA.kutid) if one.product == "motor")
    page = anna.open(f"/szerzodesek/{car.id}")
    address = f"/ugyintezes/uj/green-card?szerzodes={car.id}"
    assert address in page.addresses
    assert not [one for one in page.addresses if one.startswith("/ugyintezes/uj/claim-home")]
    page = anna.open(address)
    assert page.value("contract") == car.id
    answer(anna, {"contract": car.id})
    answer(anna, {"from": on(site)})
    request_id = anna.act("send").path.rpartition("/")[2]
    assert f"/ugyintezes/{request_id}" in anna.open(f"/szerzodesek/{car.id}").addresses


def test_the_code_for_a_telephone_leads_to_the_draft(site: Site, anna: Visitor) -> None:
    anna.open(ADDRESS)
    page = answer(anna, NEW_HOME)
    (draft,) = site.rows("request_drafts")
    assert read_code(page) == f"{site.parts.settings.public_url}/ugyintezes/{draft.id}"
