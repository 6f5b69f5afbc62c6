"""Letters by the API: published whole, once, and read and taken back by those who may."""

import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import insert
from urllib3.filepost import encode_multipart_formdata
from werkzeug.test import TestResponse

from services.gateways.storage import ObjectStorage, StorageUnavailable
from services.store.tables.register import advisers
from tests.world.api_client import NOWHERE, Client, about
from tests.world.cast import ANNA, ILONA
from tests.world.papers import text_of
from tests.world.pdfs import pdf
from tests.world.site import Site

DOCUMENTS = "/api/v1/documents"
_MEGABYTE = 1024 * 1024


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site, "documents")


def described(**values: Any) -> dict[str, Any]:
    return {
        "customer": {"by": "policy_number", "number": ANNA.policy_number},
        "type": "payment_request",
        "title": "Díjbekérő 2027",
        "issued_on": "2026-11-20",
        **values,
    }


def publish(client: Client, content: bytes | None = None, key: str | None = None, **values: Any) -> TestResponse:
    file = "letter.pdf", pdf() if content is None else content, "application/pdf"
    return send(client, {"document": json.dumps(described(**values)), "file": file}, key)


def send(client: Client, parts: dict[str, Any], key: str | None = None, boundary: str = "----letter") -> TestResponse:
    headers = client.headers | ({"Idempotency-Key": key} if key else {})
    body, _ = encode_multipart_formdata(parts, boundary)
    # Closed, as a server closes a request: the file's temporary copy goes with it.
    with client.site.app.test_client() as browser:
        return browser.post(
            DOCUMENTS, data=body, headers=headers, content_type=f"multipart/form-data; boundary={boundary}"
        )


def pointers(answer: TestResponse) -> list[str]:
    assert about(answer) == (422, "invalid")
    return [error["pointer"] for error in answer.json["errors"]]


def happened(client: Client, letter_id: str) -> list[str]:
    return [event["type"] for event in client.get(f"{DOCUMENTS}/{letter_id}").json["events"]]


def test_a_letter_is_published_and_its_mail_leaves(site: Site, client: Client) -> None:
    site.open_account()
    answer = publish(client, policy_number=ANNA.policy_number, confirm_by="2026-12-24", data={"sum": 24900})
    assert answer.status_code == 201
    told = answer.json
    assert answer.headers["Location"] == f"{DOCUMENTS}/{told['id']}"
    assert len(told["sha256"]) == 64
    assert [event["type"] for event in told["events"]] == ["published"]
    site.advance(seconds=61)
    (mail,) = [mail for mail in site.messages(ANNA.email) if mail["subject"] == "Díjbekérő"]
    assert f"/levelezes/{told['id']}" in mail["text"]
    assert ANNA.kutid in mail["text"]
    assert happened(client, told["id"]) == ["published", "notified"]


@pytest.mark.parametrize("by", ["policy_number", "kutid"])
def test_a_customer_is_named_by_any_number(client: Client, by: str) -> None:
    number = ANNA.policy_number if by == "policy_number" else ANNA.kutid
    assert publish(client, customer={"by": by, "number": number}).status_code == 201


def test_an_unknown_customer(site: Site, client: Client) -> None:
    assert about(publish(client, customer={"by": "kutid", "number": "99999999"})) == (404, "customer-unknown")
    assert [row.action for row in site.rows("audit") if row.actor == client.key.actor] == ["searched"]


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"type": "no_such_type"}, "/document/type"),
        ({"title": ""}, "/document/title"),
        ({"issued_on": "yesterday"}, "/document/issued_on"),
        ({"policy_number": ILONA.policy_number}, "/document/policy_number"),
        ({"replaces": NOWHERE}, "/document/replaces"),
        ({"latest_on": "2020-01-01"}, "/document/latest_on"),
        ({"customer": {"by": "kutid"}}, "/document/customer/number"),
        ({"more": 1}, "/document/more"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_pointed_at(client: Client, values: dict[str, Any], place: str) -> None:
    assert pointers(publish(client, **values)) == [place]


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", pdf()[:400], pdf(password="1")],
    ids=["empty", "no PDF", "damaged", "encrypted"],
)
def test_a_file_that_no_customer_could_open_is_refused(client: Client, content: bytes) -> None:
    assert pointers(publish(client, content)) == ["/file"]


def test_a_large_letter_comes_through(client: Client) -> None:
    large = pdf("x" * (3 * _MEGABYTE))
    answer = publish(client, large)
    assert (answer.status_code, answer.json["sha256"]) == (201, hashlib.sha256(large).hexdigest())


def test_a_missing_part_and_another_form_are_refused(client: Client) -> None:
    assert pointers(send(client, {"document": json.dumps(described())})) == ["/file"]
    assert pointers(send(client, {"other": "1"})) == ["/document", "/file"]
    assert about(client.post(DOCUMENTS, described())) == (415, "media-type")
    assert about(send(client, {"document": "{", "file": ("a.pdf", pdf())})) == (400, "malformed")


def test_a_document_that_comes_as_a_file_is_read_too(client: Client) -> None:
    document = ("document.json", json.dumps(described()), "application/json")
    assert send(client, {"document": document, "file": ("a.pdf", pdf())}).status_code == 201


@pytest.mark.parametrize(
    ("padding", "title"), [(20 * _MEGABYTE, ""), (22 * _MEGABYTE, ""), (0, "x" * (65 * 1024))],
    ids=["the file", "the request", "the document"],
)  # fmt: skip
def test_what_is_too_large(client: Client, padding: int, title: str) -> None:
    assert about(publish(client, pdf() + b"\n" * padding, title=title or "Díjbekérő")) == (413, "too-large")


def test_this_address_alone_takes_more(site: Site, client: Client) -> None:
    other = site.app.test_client().post(
        f"{DOCUMENTS}/{NOWHERE}/withdraw", data=b" " * (17 * 1024), headers=client.headers, content_type="text/plain"
    )
    assert about(other) == (413, "too-large")


def test_the_same_parts_are_the_same_request_by_any_boundary(site: Site, client: Client) -> None:
    first, again = (_by_boundary(client, boundary) for boundary in ("one", "another"))
    assert first.status_code == again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json["id"] == again.json["id"]
    assert about(publish(client, pdf("other"), "key-1")) == (422, "key-reused")
    assert len(site.rows("letters")) == 1


def test_an_answer_that_was_lost_publishes_nothing_twice(site: Site, client: Client) -> None:
    first = publish(client, key="key-1").json["id"]
    with site.parts.store.write() as connection:  # as where the process died before it kept its answer
        connection.exec_driver_sql("DELETE FROM api_answers")
    assert publish(client, key="key-1").json["id"] == first
    assert publish(client, key="key-2").json["id"] != first
    assert len(site.rows("letters")) == 2


def _by_boundary(client: Client, boundary: str) -> TestResponse:
    parts = {"document": json.dumps(described()), "file": ("a.pdf", pdf())}
    return send(client, parts, "key-1", boundary)


# --- Afterwards ------------------------------------------------------------------------------------------------


def test_a_letter_is_withdrawn_once(client: Client) -> None:
    letter_id = publish(client).json["id"]
    address = f"{DOCUMENTS}/{letter_id}/withdraw"
    assert pointers(client.post(address, {"reason": "  "})) == ["/reason"]
    taken_back = client.post(address, {"reason": "Téves összeg"})
    assert taken_back.status_code == 200
    assert taken_back.json["withdrawal_code"]
    assert taken_back.json["events"][-1]["type"] == "withdrawn"
    assert about(client.post(address, {"reason": "again"})) == (409, "out-of-turn")
    assert about(client.post(f"{DOCUMENTS}/{NOWHERE}/withdraw", {"reason": "x"})) == (404, "not-found")


def test_a_letter_is_replaced_once(client: Client) -> None:
    old = publish(client).json["id"]
    new = publish(client, pdf("corrected"), replaces=old)
    assert new.status_code == 201
    assert client.get(f"{DOCUMENTS}/{old}").json["replaced_by"] == new.json["id"]
    assert happened(client, old)[-1] == "replaced"
    assert about(publish(client, replaces=old)) == (409, "out-of-turn")


def test_a_letters_certificate_is_a_pdf(client: Client) -> None:
    letter_id = publish(client).json["id"]
    answer = client.get(f"{DOCUMENTS}/{letter_id}/certificate", Accept="application/pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert hashlib.sha256(pdf()).hexdigest()[:8] in text_of(answer.data).replace(" ", "")
    assert about(client.get(f"{DOCUMENTS}/{'A' * 22}/certificate", Accept="application/pdf")) == (404, "not-found")


def test_others_letters_are_not_there_for_an_advisers_client(site: Site, client: Client) -> None:
    with site.parts.store.write() as connection:
        connection.execute(insert(advisers).values(kutid=ILONA.kutid, adviser="uk-1"))
    try:
        theirs = Client(site, "documents", adviser="UK-1")
        letter_id = publish(client).json["id"]
        assert about(theirs.get(f"{DOCUMENTS}/{letter_id}")) == (404, "not-found")
        assert about(theirs.post(f"{DOCUMENTS}/{letter_id}/withdraw", {"reason": "x"})) == (404, "not-found")
        assert about(publish(theirs)) == (404, "customer-unknown")
        own = publish(theirs, customer={"by": "kutid", "number": ILONA.kutid})
        assert theirs.get(f"{DOCUMENTS}/{own.json['id']}").status_code == 200
        assert about(publish(theirs, replaces=letter_id, customer={"by": "kutid", "number": ILONA.kutid})) == (
            422, "invalid",
        )  # fmt: skip
    finally:
        with site.parts.store.write() as connection:
            connection.execute(advisers.delete().where(advisers.c.adviser == "uk-1"))


def test_another_scope_opens_nothing(site: Site) -> None:
    other = Client(site, "registrations")
    assert about(publish(other)) == (403, "forbidden")
    assert about(other.get(f"{DOCUMENTS}/{NOWHERE}")) == (403, "forbidden")


def test_a_storage_that_is_away_is_503_and_publishes_nothing(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StorageUnavailable("put: away")

    with monkeypatch.context() as patched:
        patched.setattr(ObjectStorage, "put", away)
        assert about(publish(client, key="key-1")) == (503, "unavailable")
    assert not site.rows("letters")
    assert publish(client, key="key-1").status_code == 201


def test_a_key_for_testers(site: Site) -> None:
    answer = site.app.test_client().post("/dev/api-key", data={"scope": ["documents", "references"]})
    site.secrets.add(answer.json["key"])
    headers = {"Authorization": f"Bearer {answer.json['key']}"}
    assert about(site.app.test_client().get(f"{DOCUMENTS}/{NOWHERE}", headers=headers)) == (404, "not-found")
    assert site.app.test_client().post("/dev/api-key", data={"scope": "nonsense"}).status_code == 400
