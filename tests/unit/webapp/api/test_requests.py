"""The API of requests: the insurer's system at work on them (P42)."""

from io import BytesIO
from typing import Any

import pytest

from tests.unit.webapp.portal.test_request_pages import answer, on, send
from tests.world import letters
from tests.world.api_client import NOWHERE, Client, about
from tests.world.files import photo
from tests.world.site import Site, Visitor

ADDRESS = "/api/v1/requests"


@pytest.fixture
def insurer(site: Site) -> Client:
    """The insurer's system."""
    return Client(site, "requests", "events", "documents")


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


def do(client: Client, request_id: str, deed: str, **body: Any) -> Any:
    return client.post(f"{ADDRESS}/{request_id}/{deed}", body)


def happened(client: Client, request_id: str) -> list[str]:
    told = client.get("/api/v1/events").json["events"]
    return [one["type"] for one in told if one["data"].get("request") == request_id]


def test_a_request_is_told_with_its_answers(site: Site, insurer: Client, sent: str) -> None:
    told = insurer.get(f"{ADDRESS}/{sent}").json
    assert (told["id"], told["kind"], told["state"], told["number"]) == (sent, "address-change", "sent", None)
    assert told["reference"].startswith("U-")
    assert told["answers"]["street"] == "Pozsonyi út 5. II. 3."
    assert told["answers"]["from"] == on(site)
    assert (told["files"], [one["type"] for one in told["events"]]) == ([], ["sent"])


def test_it_is_taken_asked_about_answered_and_closed(site: Site, insurer: Client, anna: Visitor, sent: str) -> None:
    assert do(insurer, sent, "take", number="KB-1").json["number"] == "KB-1"
    assert do(insurer, sent, "question", text="Melyik emelet?").json["state"] == "question"
    assert "Melyik emelet?" in anna.open(f"/ugyintezes/{sent}").text
    anna.fill(answer="A második.")
    anna.submit("request-answer")
    told = insurer.get(f"{ADDRESS}/{sent}").json
    assert (told["state"], told["events"][-1]["text"]) == ("taken", "A második.")
    letter = letters.publish(site)
    assert do(insurer, sent, "answer", documents=[letter]).json["state"] == "answered"
    assert f"/levelezes/{letter}" in str(anna.open(f"/ugyintezes/{sent}").html)
    assert do(insurer, sent, "close", text="Átvezettük.").json["state"] == "closed"
    assert happened(insurer, sent) == ["request.sent", "request.answered", "request.answered"]
    assert [
        one["data"].get("by") for one in insurer.get("/api/v1/events").json["events"] if "request" in one["data"]
    ] == [None, "customer", "insurer"]
    actions = [row.action for row in site.rows("audit") if row.action.startswith("request_")]
    assert actions == ["request_taken", "request_question", "request_answered", "request_closed"]


def test_the_customer_withdraws_and_the_insurer_learns_it(insurer: Client, anna: Visitor, sent: str) -> None:
    anna.open(f"/ugyintezes/{sent}")
    anna.act("withdraw")
    assert about(do(insurer, sent, "take")) == (409, "out-of-turn")
    assert happened(insurer, sent) == ["request.sent", "request.withdrawn"]


def test_what_comes_out_of_order_is_refused(insurer: Client, sent: str) -> None:
    for deed, body in (("question", {"text": "?!x"}), ("answer", {"text": "Igen."}), ("close", {})):
        assert about(do(insurer, sent, deed, **body)) == (409, "out-of-turn")
    do(insurer, sent, "take")
    do(insurer, sent, "close")
    for deed, body in (("take", {}), ("question", {"text": "?!x"}), ("answer", {"text": "Igen."})):
        assert about(do(insurer, sent, deed, **body)) == (409, "out-of-turn")


def test_the_same_again_changes_nothing(site: Site, insurer: Client, sent: str) -> None:
    first = do(insurer, sent, "take", number="KB-1")
    assert do(insurer, sent, "take", number="KB-1").json == first.json
    assert about(do(insurer, sent, "take", number="KB-2")) == (409, "out-of-turn")
    do(insurer, sent, "answer", text="Kész.")
    do(insurer, sent, "answer", text="Kész.")
    assert site.told("request_answered") == 1


@pytest.mark.parametrize(
    ("deed", "body", "pointer"),
    [
        ("take", {"number": ""}, "/number"),
        ("question", {"text": " "}, "/text"),
        ("question", {}, "/text"),
        ("answer", {}, "/text"),
        ("answer", {"documents": [NOWHERE]}, "/documents"),
        ("answer", {"text": "x" * 4001}, "/text"),
        ("close", {"reason": "x"}, "/reason"),
    ],
)
def test_what_is_wrong_is_pointed_at(
    insurer: Client, sent: str, deed: str, body: dict[str, Any], pointer: str
) -> None:  # fmt: skip
    if deed != "take":
        do(insurer, sent, "take")
    refused = do(insurer, sent, deed, **body)
    assert about(refused) == (422, "invalid")
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_what_never_was_or_was_not_sent_is_not_found(site: Site, insurer: Client, anna: Visitor) -> None:
    anna.open("/ugyintezes/uj/address-change")
    answer(anna, {"postal_code": "1137", "town": "Budapest", "street": "Fő utca 1."})
    (draft,) = site.rows("request_drafts")
    for request_id in (draft.id, NOWHERE):
        assert about(insurer.get(f"{ADDRESS}/{request_id}")) == (404, "not-found")
        assert about(do(insurer, request_id, "take")) == (404, "not-found")


def test_a_key_needs_the_scope_and_an_adviser_their_own_customer(site: Site, sent: str) -> None:
    assert about(Client(site, "events").get(f"{ADDRESS}/{sent}")) == (403, "forbidden")
    assert Client(site, "requests", adviser="tanacsado@example.hu").get(f"{ADDRESS}/{sent}").status_code == 200
    stranger = Client(site, "requests", adviser="somebody.else@example.hu")
    assert about(stranger.get(f"{ADDRESS}/{sent}")) == (404, "not-found")
    assert about(do(stranger, sent, "take")) == (404, "not-found")


def add(visitor: Visitor, content: bytes) -> None:
    """Add a photo to the answer to the insurer's question."""
    form = visitor.seen.form("upload")
    data = {"csrf_token": visitor.csrf_token, "file": (BytesIO(content), "kár.jpg")}
    visitor.follow(visitor.client.post(form["action"], data=data, content_type="multipart/form-data"))


def test_a_file_is_told_and_read_once_it_is_ready(site: Site, insurer: Client, anna: Visitor, sent: str) -> None:
    do(insurer, sent, "take")
    do(insurer, sent, "question", text="Kérünk egy fotót.")
    anna.open(f"/ugyintezes/{sent}")
    add(anna, photo())
    assert insurer.get(f"{ADDRESS}/{sent}").json["files"] == []
    anna.open(f"/ugyintezes/{sent}")
    anna.fill(answer="Csatoltam.")
    anna.submit("request-answer")
    (file,) = insurer.get(f"{ADDRESS}/{sent}").json["files"]
    where = f"{ADDRESS}/{sent}/files/{file['id']}"
    assert about(insurer.get(where)) == (409, "file-unchecked")
    assert "file.ready" not in happened(insurer, sent)
    site.parts.portal.uploads.checking.check_due()
    read = insurer.get(where)
    assert (read.status_code, read.mimetype) == (200, "image/jpeg")
    assert happened(insurer, sent)[-1] == "file.ready"
    assert insurer.get(f"{ADDRESS}/{sent}").json["files"][0]["state"] == "handed-over"
    assert about(insurer.get(f"{ADDRESS}/{sent}/files/{NOWHERE}")) == (404, "not-found")
