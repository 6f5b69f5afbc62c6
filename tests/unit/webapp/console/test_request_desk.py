"""The queue of requests at the console, and one request to work on (P43)."""

from io import BytesIO
from typing import Any

import pytest

from tests.unit.webapp.portal.test_request_pages import send
from tests.world import letters
from tests.world.cast import ANNA, MINTA
from tests.world.colleague import ADVISER, BOSS, CLERK, PARTNER, SERVICE, Colleague, colleague
from tests.world.files import photo
from tests.world.pages import Page
from tests.world.site import Site, Visitor

QUEUE = f"{SERVICE}/ugyek"


@pytest.fixture
def anna(site: Site) -> Visitor:
    """Anna's browser, signed in."""
    site.open_account()
    visitor = site.visitor()
    visitor.sign_in()
    return visitor


@pytest.fixture
def sent(site: Site, anna: Visitor) -> str:
    """The id of a change of address that Anna has sent."""
    return send(site, anna)


@pytest.fixture
def clerk(site: Site, htmx: bool) -> Colleague:
    """Customer service, with and without scripts."""
    one = Colleague(site, htmx=htmx)
    one.sign_in(CLERK)
    return one


def press(one: Colleague, action: str, **fields: Any) -> Page:
    form = one.seen.form(action=action)
    return one.follow(one.client.post(form["action"], headers=one.headers,
                                      data={"csrf_token": one.csrf_token, "action": action, **fields}))  # fmt: skip


def listed(page: Page) -> dict[str, str]:
    return {one["data-request"]: one["data-state"] for one in page.root.all("tr") if "data-request" in one}


def state(page: Page) -> str:
    (main,) = page.root.all("main")
    return str(main["data-state"])


def test_a_request_is_taken_asked_about_answered_and_closed(
    site: Site, anna: Visitor, sent: str, clerk: Colleague
) -> None:  # fmt: skip
    assert listed(clerk.open(QUEUE)) == {sent: "sent"}
    page = clerk.open(f"{QUEUE}/{sent}")
    assert "Pozsonyi út 5. II. 3." in page.text
    assert state(press(clerk, "take", number="KB-1")) == "taken"
    assert listed(clerk.open(QUEUE)) == {}
    assert listed(clerk.open(f"{QUEUE}?lista=nalam")) == {sent: "taken"}
    clerk.open(f"{QUEUE}/{sent}")
    assert state(press(clerk, "ask", question="Melyik <b>emelet</b>?")) == "question"
    assert "Melyik <b>emelet</b>?" in anna.open(f"/ugyintezes/{sent}").text
    anna.fill(answer="A második.")
    anna.submit("request-answer")
    assert site.say("staff.request.reply.waiting") in clerk.open(f"{QUEUE}?lista=nalam").text
    assert "A második." in clerk.open(f"{QUEUE}/{sent}").text
    letter = letters.publish(site)
    clerk.open(f"{QUEUE}/{sent}")
    assert state(press(clerk, "answer", answer="Kész.", documents=[letter])) == "answered"
    assert any(f"/levelezes/{letter}" in one for one in anna.open(f"/ugyintezes/{sent}").addresses)
    assert state(press(clerk, "close", outcome="")) == "closed"
    assert listed(clerk.open(f"{QUEUE}?lista=nyitott")) == {}
    done = [row.action for row in site.rows("audit") if row.action.startswith("request_")]
    assert [one for one in done if one != "request_seen"] == [
        "request_taken", "request_question", "request_answered", "request_closed",
    ]  # fmt: skip
    assert "request_seen" in done


def test_words_that_are_missing_are_asked_for(site: Site, sent: str, clerk: Colleague) -> None:
    clerk.open(f"{QUEUE}/{sent}")
    press(clerk, "take")
    for action, field in (("ask", "question"), ("answer", "answer"), ("close", "outcome")):
        page = press(clerk, action)
        assert (page.status, page.fields_in_error) == (422, [field])
        assert site.say("error.request.text") in page.errors()[field]
    assert state(clerk.open(f"{QUEUE}/{sent}")) == "taken"


def test_anothers_letter_is_refused(site: Site, sent: str, clerk: Colleague) -> None:
    site.open_account(MINTA)
    foreign, _ = letters.publish(site, MINTA), letters.publish(site)
    clerk.open(f"{QUEUE}/{sent}")
    press(clerk, "take")
    page = press(clerk, "answer", documents=foreign)
    assert page.status == 422
    assert site.say("error.request.letter") in page.text


def test_who_comes_second_reads_who_was_first(site: Site, sent: str, clerk: Colleague) -> None:
    boss = colleague(site, BOSS)
    clerk.open(f"{QUEUE}/{sent}")
    boss.open(f"{QUEUE}/{sent}")
    press(clerk, "take")
    page = press(boss, "take")
    names = {row.email: row.name for row in site.rows("staff")}
    assert site.say("staff.request.taken_meanwhile", staff=names[CLERK]) in page.text


def test_what_the_customer_withdrew_meanwhile_is_told(
    site: Site, anna: Visitor, sent: str, clerk: Colleague
) -> None:  # fmt: skip
    clerk.open(f"{QUEUE}/{sent}")
    anna.open(f"/ugyintezes/{sent}")
    anna.act("withdraw")
    assert site.say("staff.request.withdrawn_meanwhile") in press(clerk, "take").text


def test_it_is_passed_on_with_a_note_that_the_customer_does_not_see(
    site: Site, anna: Visitor, sent: str, clerk: Colleague
) -> None:  # fmt: skip
    ids = {row.email: row.id for row in site.rows("staff")}
    clerk.open(f"{QUEUE}/{sent}")
    press(clerk, "take")
    page = press(clerk, "pass", to=ids[ADVISER])
    assert (page.status, site.say("error.to.unknown") in page.text) == (422, True)
    press(clerk, "pass", to=ids[BOSS], note="Kérlek, nézd meg.")
    assert listed(clerk.open(f"{QUEUE}?lista=nalam")) == {}
    boss = colleague(site, BOSS)
    assert listed(boss.open(f"{QUEUE}?lista=nalam")) == {sent: "taken"}
    assert "Kérlek, nézd meg." in boss.open(f"{QUEUE}/{sent}").text
    assert "Kérlek" not in anna.open(f"/ugyintezes/{sent}").text
    assert "request_passed" in [row.action for row in site.rows("audit")]


def test_lists_are_by_kind_deadline_and_state(site: Site, anna: Visitor, sent: str) -> None:
    clerk = colleague(site, CLERK)
    assert listed(clerk.open(f"{QUEUE}?fajta=green-card")) == {}
    assert listed(clerk.open(f"{QUEUE}?fajta=address-change&rend=kor")) == {sent: "sent"}
    assert listed(clerk.open(f"{QUEUE}?lista=lejart")) == {}
    site.advance(hours=24 * 30)
    late = colleague(site, CLERK)
    page = late.open(f"{QUEUE}?lista=lejart")
    assert listed(page) == {sent: "sent"}
    assert site.say("staff.request.age", days=30) in page.text


def test_advisers_have_no_queue(site: Site, sent: str) -> None:
    adviser = Colleague(site)
    adviser.sign_in(ADVISER, door=PARTNER)
    assert adviser.open(f"{PARTNER}/ugyek").status == 404
    assert adviser.open(f"{PARTNER}/ugyek/{sent}").status == 404
    assert ANNA.policy_number not in adviser.open(f"{PARTNER}/ugyek").text


def test_what_never_was_is_not_found(site: Site) -> None:
    assert colleague(site, CLERK).open(f"{QUEUE}/{'A' * 22}").status == 404


def test_a_file_opens_once_it_is_checked(site: Site, anna: Visitor, sent: str) -> None:
    clerk = colleague(site, CLERK)
    clerk.open(f"{QUEUE}/{sent}")
    press(clerk, "take")
    press(clerk, "ask", question="Kérünk egy fotót.")
    anna.open(f"/ugyintezes/{sent}")
    data = {"csrf_token": anna.csrf_token, "file": (BytesIO(photo()), "kár.jpg")}
    anna.follow(anna.client.post(anna.seen.form("upload")["action"], data=data, content_type="multipart/form-data"))
    assert not [one for one in clerk.open(f"{QUEUE}/{sent}").root.all("li") if "data-upload" in one]
    anna.open(f"/ugyintezes/{sent}")
    anna.fill(answer="Csatoltam.")
    anna.submit("request-answer")
    (file,) = [one for one in clerk.open(f"{QUEUE}/{sent}").root.all("li") if "data-upload" in one]
    (link,) = file.all("a")
    assert clerk.client.get(link["href"]).status_code == 409
    site.parts.portal.uploads.checking.check_due()
    read = clerk.client.get(link["href"])
    assert (read.status_code, read.mimetype) == (200, "image/jpeg")
    assert clerk.client.get(f"{QUEUE}/{'A' * 22}/fajl/{file['data-upload']}").status_code == 404
