"""Files of requests: added to a draft, sent, asked for later, handed over (P37–P39)."""

from urllib.parse import urlsplit

import pytest

from tests.unit.webapp.portal.test_files_of_a_question import check, files, link, send
from tests.unit.webapp.portal.test_request_pages import IBAN, answer, on
from tests.world.colleague import CLERK, SERVICE, colleague
from tests.world.files import EICAR, paper, photo
from tests.world.pages import Page
from tests.world.site import Site, Visitor

CLAIM = "/ugyintezes/uj/claim-motor"


def to_photos(site: Site, visitor: Visitor) -> Page:
    """Fill in a claim up to the question for photos."""
    visitor.open(CLAIM)
    page = visitor.act("next")
    (contract,) = (one for one in page.root.all("input") if one["name"] == "contract")
    answer(visitor, {"contract": contract["value"]})
    answer(visitor, {"happened_on": on(site, -1), "happened_at": "14:30"})
    answer(visitor, {"place": "M1, 45 km"})
    answer(visitor, {"description": "Felverődött egy kavics."})
    return answer(visitor, {"police": "no"})


def add(visitor: Visitor, content: bytes, name: str) -> Page:
    """Add a file by the form of the page."""
    return visitor.follow(send(visitor, visitor.seen.form("upload")["action"], content, name))


def to_review(visitor: Visitor) -> Page:
    answer(visitor, {})
    answer(visitor, {"account": IBAN})
    return answer(visitor, {"statement": "1"})


def test_photos_of_a_claim_are_sent_and_handed_over(site: Site, anna: Visitor) -> None:
    to_photos(site, anna)
    assert files(add(anna, photo("HEIC"), "ajtó.heic")) == [("ajtó.heic", "received")]
    assert anna.seen.path == CLAIM
    check(site)
    assert files(add(anna, photo("PNG"), "rendszám.png")) == [("ajtó.heic", "ready"), ("rendszám.png", "received")]
    review = to_review(anna)
    assert site.say("request.review.files", count=2) in review.text
    assert site.say("request.review.files.checking") in review.text
    request_id = anna.act("send").path.rpartition("/")[2]
    page = anna.open(f"/ugyintezes/{request_id}")
    assert files(page) == [("ajtó.heic", "ready"), ("rendszám.png", "received")]
    assert not [one for one in page.root.all("form") if one["data-step"] == "upload"]
    assert not [one for one in page.root.all("button") if one["name"] == "remove"]
    site.parts.portal.requests.handling.take(request_id, actor="core")
    check(site)
    assert files(anna.open(f"/ugyintezes/{request_id}")) == [
        ("ajtó.heic", "handed-over"),
        ("rendszám.png", "handed-over"),
    ]
    assert anna.client.get(link(anna.seen)).status_code == 200


def test_a_refused_file_is_named_before_sending_and_taken_away(site: Site, anna: Visitor) -> None:
    to_photos(site, anna)
    add(anna, photo() + EICAR, "fertőzött.jpg")
    check(site)
    assert site.say("request.review.files.refused") in to_review(anna).text
    page = anna.open(f"{CLAIM}?kerdes=photos")
    assert files(page) == [("fertőzött.jpg", "refused")]
    (button,) = (one for one in page.root.all("button") if one["name"] == "remove")
    action = page.form("upload")["action"]
    assert files(anna.follow(anna.post(action, {"remove": str(button["value"])}))) == []
    review = answer(anna, {})  # the other questions are answered already
    assert review.step == "request-review"
    assert site.say("request.review.files.refused") not in review.text


def test_a_pdf_with_a_password_is_named_before_sending(site: Site, anna: Visitor) -> None:
    to_photos(site, anna)
    add(anna, paper(user="titok"), "zárt.pdf")
    site.secrets.add("titok")
    check(site)
    assert site.say("request.review.files.locked") in to_review(anna).text
    anna.open(f"{CLAIM}?kerdes=photos")
    anna.fill(file_password="titok")
    anna.submit("upload-password")
    check(site)
    assert site.say("request.review.files.locked") not in answer(anna, {}).text


def test_the_mail_about_a_refused_file_leads_to_its_request(site: Site, anna: Visitor) -> None:
    to_photos(site, anna)
    add(anna, photo() + EICAR, "fertőzött.jpg")
    check(site)
    (mail,) = site.mails_of("upload_refused")
    (address,) = (one for one in mail["links"] if "/ugyintezes/" in one)
    page = anna.open(urlsplit(address).path)
    assert (page.path, files(page)) == (CLAIM, [("fertőzött.jpg", "refused")])


def test_staff_see_how_many_files_wait_for_the_scanner(site: Site, anna: Visitor) -> None:
    clerk = colleague(site, CLERK)
    assert site.say("staff.request.files.waiting.text") not in clerk.open(f"{SERVICE}/ugyek").text
    to_photos(site, anna)
    add(anna, photo(), "a.jpg")
    assert site.say("staff.request.files.waiting.text") in clerk.open(f"{SERVICE}/ugyek").text
    check(site)
    assert site.say("staff.request.files.waiting.text") not in clerk.open(f"{SERVICE}/ugyek").text


def test_a_deleted_draft_takes_its_files_along(site: Site, anna: Visitor) -> None:
    to_photos(site, anna)
    add(anna, photo(), "a.jpg")
    anna.act("delete")
    assert site.rows("uploads") == []


def test_the_answer_to_a_question_takes_files(site: Site, anna: Visitor) -> None:
    to_photos(site, anna)
    to_review(anna)
    request_id = anna.act("send").path.rpartition("/")[2]
    handling = site.parts.portal.requests.handling
    handling.take(request_id, actor="core")
    address = f"/ugyintezes/{request_id}"
    anna.open(address)
    assert send(anna, f"{address}/fajlok", photo(), "early.jpg").status_code == 303
    assert files(anna.open(address)) == []
    handling.ask(request_id, "Kérünk egy képet.", actor="core")
    anna.open(address)
    assert files(add(anna, photo(), "kért.jpg")) == [("kért.jpg", "received")]
    check(site)
    anna.open(address)
    anna.fill(answer="Itt van.")
    assert files(anna.submit("request-answer")) == [("kért.jpg", "handed-over")]


def test_nobody_adds_files_to_anothers_request(site: Site, anna: Visitor, minta: Visitor) -> None:
    to_photos(site, anna)
    to_review(anna)
    request_id = anna.act("send").path.rpartition("/")[2]
    site.parts.portal.requests.handling.take(request_id, actor="core")
    site.parts.portal.requests.handling.ask(request_id, "Kérünk egy képet.", actor="core")
    minta.open("/")
    assert send(minta, f"/ugyintezes/{request_id}/fajlok", photo()).status_code == 404
    assert site.rows("uploads") == []


def test_a_question_that_takes_no_files_gets_none(site: Site, anna: Visitor) -> None:
    anna.open("/")
    for address in (f"{CLAIM}/fajlok?kerdes=place", f"{CLAIM}/fajlok", "/ugyintezes/uj/address-change/fajlok"):
        assert send(anna, address, photo()).status_code == 404
    assert site.rows("uploads") == []


def test_with_the_storage_away_the_page_says_so_and_keeps_the_answers(site: Site, anna: Visitor) -> None:
    to_photos(site, anna)
    site.ask("/dev/faults", **{"name": "storage", "for": "600"})
    page = add(anna, photo(), "a.jpg")
    assert page.status == 503
    assert site.say("upload.storage_away") in page.error_of("file")
    site.ask("/dev/faults", name="storage", off="1")
    assert files(add(anna, photo(), "a.jpg")) == [("a.jpg", "received")]


def test_the_limits_of_a_day_are_said_before_and_at_the_field(
    site: Site, anna: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = to_photos(site, anna)
    assert site.say("upload.limits", limit=20, of_day=500) in page.text
    monkeypatch.setattr("services.uploads.intake.MOST_OF_A_DAY", 1)
    add(anna, photo(), "a.jpg")
    page = add(anna, photo(), "b.jpg")
    assert page.status == 422
    assert list(page.errors()) == ["file"]
    assert page.errors()["file"].startswith(site.say("error.file.of_day", limit=1, datetime="").rstrip(" ."))
    assert files(page) == [("a.jpg", "received")]
