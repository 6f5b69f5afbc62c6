"""Claims of people without an account, from the start page (P45, P46)."""

import pytest

from services.requests import claims
from tests.unit.webapp.portal.test_files_of_a_question import check, files, link
from tests.unit.webapp.portal.test_request_files import add
from tests.unit.webapp.portal.test_request_pages import IBAN, answer, answers_of, on, requests_of
from tests.world.cast import ANNA
from tests.world.colleague import CLERK, colleague
from tests.world.files import photo
from tests.world.pages import Page
from tests.world.site import Site, Visitor

CLAIM = "/karbejelentes/claim-motor"
POLICY = "940000001"
ANNA_KUTID = "10000001"


def begin(site: Site, visitor: Visitor, *, email: str = ANNA.email, policy_number: str = POLICY) -> Page:
    """Report a claim up to the question for photos."""
    visitor.open(CLAIM)
    visitor.act("next")
    answer(visitor, {"policy_number": policy_number, "email": email})
    answer(visitor, {"happened_on": on(site, -1), "happened_at": "14:30"})
    answer(visitor, {"place": "M1, 45 km"})
    answer(visitor, {"description": "Felverődött egy kavics."})
    return answer(visitor, {"police": "no"})


def to_review(visitor: Visitor) -> Page:
    """Answer what comes after the photos."""
    answer(visitor, {})
    answer(visitor, {"account": IBAN})
    return answer(visitor, {"statement": "1"})


def report(site: Site, visitor: Visitor, *, email: str = ANNA.email, policy_number: str = POLICY) -> str:
    """Report a claim, and return its id."""
    begin(site, visitor, email=email, policy_number=policy_number)
    to_review(visitor)
    return visitor.act("send").path.rpartition("/")[2].partition("?")[0]


def test_the_start_page_leads_to_whom_to_call_first(site: Site) -> None:
    visitor = site.visitor()
    assert site.say("claim.start.text") in visitor.open("/").text
    chosen = visitor.open("/karbejelentes")
    assert "tel:112" in chosen.html
    assert "tel:112" in visitor.open(CLAIM).html


@pytest.mark.parametrize("htmx", [False, True])
def test_a_claim_is_reported_without_an_account(site: Site, *, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    begin(site, visitor)
    review = to_review(visitor)
    assert (review.step, answers_of(review)["policy_number"]) == ("request-review", POLICY)
    done = visitor.act("send")
    assert done.step == "request-done"
    (main,) = done.root.all("main")
    assert main["data-reference"].startswith("U-")
    assert site.told("claim_sent") == 1
    (mail,) = site.mails_of("claim_sent")
    assert (mail["to"], main["data-reference"] in mail["text"]) == (ANNA.email, True)
    assert POLICY not in mail["text"]
    assert "kavics" not in mail["text"]
    (row,) = site.rows("requests")
    assert (row.kutid, row.policy_number, row.answers["contract"]) == (None, POLICY, POLICY)


def test_the_policy_number_is_not_judged(site: Site) -> None:
    for number in (POLICY, "999999999", "ABC"):
        report(site, site.visitor(), policy_number=number)
    assert [row.state for row in site.rows("requests")] == ["sent"] * 3


def test_what_is_wrong_is_said_beside_its_field(site: Site) -> None:
    visitor = site.visitor()
    visitor.open(CLAIM)
    visitor.act("next")
    assert site.say("claim.start.link") in visitor.seen.text
    page = answer(visitor, {"policy_number": "", "email": "anna"})
    assert (page.status, page.fields_in_error) == (422, ["policy_number", "email"])


def test_it_belongs_to_the_browser_that_has_begun_it(site: Site) -> None:
    mine, other = site.visitor(), site.visitor()
    begin(site, mine)
    address = link(add(mine, photo(), "a.jpg"))
    check(site)
    assert mine.client.get(address).status_code == 200
    assert other.client.get(address).status_code == 404
    assert other.open(f"{CLAIM}?kerdes=photos").step != "upload"
    request_id = site.rows("request_drafts")[0].id
    to_review(mine)
    mine.act("send")
    assert mine.open(f"/karbejelentes/ugy/{request_id}").step == "request-done"
    assert other.client.get(f"/karbejelentes/ugy/{request_id}").status_code == 404


def test_sent_twice_it_is_one_claim(site: Site) -> None:
    visitor = site.visitor()
    begin(site, visitor)
    review = to_review(visitor)
    draft = review.value("draft")
    visitor.act("send")
    again = visitor.follow(visitor.post(CLAIM, {"action": "send", "draft": draft}))
    assert site.say("request.done.heading") in again.text
    assert len(site.rows("requests")) == 1


def test_a_file_without_a_claim_is_not_read(site: Site) -> None:
    visitor = site.visitor()
    visitor.open(CLAIM)
    sent = visitor.post(f"{CLAIM}/fajlok?kerdes=photos", {})
    assert (sent.status_code, site.rows("request_drafts")) == (303, [])


def test_it_is_the_customers_once_the_address_is_confirmed(site: Site) -> None:
    visitor = site.visitor()
    begin(site, visitor)
    add(visitor, photo(), "a.jpg")
    to_review(visitor)
    request_id = visitor.act("send").path.rpartition("/")[2].partition("?")[0]
    others = report(site, site.visitor(), policy_number="940000003")
    site.open_account()
    anna = site.visitor()
    anna.sign_in()
    assert requests_of(anna.open("/ugyintezes")) == {request_id: "sent"}
    page = anna.open(f"/ugyintezes/{request_id}")
    reference = next(row.reference for row in site.rows("requests") if row.id == request_id)
    assert site.say("claim.attached", number=reference) in page.text
    told = [(row.type, row.data["request"], row.kutid) for row in site.rows("events") if row.type == "request.attached"]
    assert told == [("request.attached", request_id, ANNA_KUTID)]
    check(site)
    assert files(anna.open(f"/ugyintezes/{request_id}")) == [("a.jpg", "ready")]
    assert anna.client.get(link(anna.seen)).status_code == 200
    assert anna.client.get(f"/ugyintezes/{others}").status_code == 403


def test_a_claim_with_another_address_stays_unknown(site: Site) -> None:
    report(site, site.visitor(), email="masvalaki@example.hu")
    site.open_account()
    anna = site.visitor()
    anna.sign_in()
    assert requests_of(anna.open("/ugyintezes")) == {}


def test_staff_see_that_the_sender_is_not_identified(site: Site) -> None:
    request_id = report(site, site.visitor())
    handling = site.parts.portal.requests.handling
    clerk = colleague(site, CLERK)
    queue = clerk.open("/ugyfelszolgalat/ugyek")
    assert site.say("staff.request.unidentified") in queue.text
    opened = clerk.open(f"/ugyfelszolgalat/ugyek/{request_id}")
    assert site.say("staff.request.unidentified.text") in opened.text
    assert ANNA.email in opened.text
    handling.take(request_id, actor="core")
    handling.ask(request_id, "Melyik üveg tört be?", actor="core")
    assert site.told("claim_news") == 1
    (mail,) = site.mails_of("claim_news")
    assert "üveg" not in mail["text"]


def test_a_network_begins_only_some_claims_an_hour(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEGUN_AN_HOUR", 3)
    for _ in range(3):
        visitor = site.visitor()
        visitor.open(CLAIM)
        assert visitor.act("next").status == 200
    late = site.visitor()
    late.open(CLAIM)
    assert late.act("next").status == 429
    site.advance(hours=1, minutes=1)
    late.open(CLAIM)
    assert late.act("next").status == 200
