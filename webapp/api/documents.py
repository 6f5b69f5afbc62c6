"""The operations on letters, for the insurer's own systems (P10, P12, P13)."""

from collections.abc import Mapping
from typing import IO, Any

from flask import url_for

from services.clients import ApiKey
from services.letters.letter import STATES, Letter, LetterEvent
from services.letters.publishing import NewLetter
from services.refusal import OutOfTurn, Refusal
from services.values import identifiers
from webapp.api import models
from webapp.api.operation import operation
from webapp.api.problems import Problem
from webapp.parts import current_parts
from webapp.ui.language import language, say

Given = tuple[Any, Mapping[str, str]]

_ID = {
    "document_id": {
        "description": "The id that the letter got when it was published.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
    }
}
_PLACES = {
    "type": "/document/type",
    "title": "/document/title",
    "language": "/document/language",
    "policy": "/document/policy_number",
    "replaces": "/document/replaces",
    "latest": "/document/latest_on",
    "reason": "/reason",
}
"""The place of each refusal in the request; all others are about the file."""


@operation(
    "POST", "/documents", scope="documents", takes=models.NewDocument, takes_file=True, gives=models.Document,
    status=201, links={"read_document": "document_id", "withdraw_document": "document_id"},
    problems=("customer_unknown", "out_of_turn"),
)  # fmt: skip
def publish_document(client: ApiKey, body: models.NewDocument, file: IO[bytes], once: str | None) -> Given:
    """Publish a letter. Send a PDF of at most 20 MB, unencrypted, and its description. The customer finds it in
    Letters; a mail about it leaves within two minutes. A letter that `replaces` another takes its place; where that
    one is replaced or withdrawn already, the answer is `out-of-turn`. With an `Idempotency-Key` a letter is published
    once, even if the connection breaks.
    """
    parts = current_parts()
    known = parts.profile.languages
    try:
        kutid = parts.clients.customers.find(client, body.customer.by, body.customer.number)
        letter = NewLetter(
            kutid=kutid,
            type=body.type,
            title=body.title,
            issued_on=body.issued_on,
            language=body.language if body.language in known else known[0],
            policy_number=_policy_number(body.policy_number),
            latest_on=body.latest_on,
            confirm_by=body.confirm_by,
            replaces=body.replaces,
            data=body.data,
            once=once,
        )
        letter_id = parts.portal.letters.publishing.publish(letter, file, actor=client.actor)
    except Refusal as refusal:
        raise _problem(refusal) from None
    return _document(*_found(client, letter_id)), {"Location": url_for("api.read_document", document_id=letter_id)}


@operation("GET", "/documents/{document_id}", scope="documents", gives=models.Document, parameters=_ID)
def read_document(client: ApiKey, document_id: str) -> Given:
    """Get a letter's state. Its events, oldest first: the mail about it, opening, downloading, confirming,
    withdrawing, replacing.
    """
    return _document(*_found(client, document_id)), {}


@operation(
    "POST", "/documents/{document_id}/withdraw", scope="documents", takes=models.Withdrawal, gives=models.Document,
    parameters=_ID, problems=("out_of_turn",),
)  # fmt: skip
def withdraw_document(client: ApiKey, document_id: str, body: models.Withdrawal) -> Given:
    """Withdraw a letter. The customer can no longer open it, and reads the reason. A letter is withdrawn once."""
    _found(client, document_id)
    try:
        current_parts().portal.letters.publishing.withdraw(document_id, body.reason, actor=client.actor)
    except Refusal as refusal:
        raise _problem(refusal) from None
    except OutOfTurn:
        raise Problem("out_of_turn", detail=say().plain("api.document.withdrawn")) from None
    return _document(*_found(client, document_id)), {}


@operation("GET", "/documents/{document_id}/certificate", scope="documents", gives=None, parameters=_ID)
def read_certificate(client: ApiKey, document_id: str) -> Given:
    """Get the proof of a letter's delivery. A tagged PDF in the language of `Accept-Language`: what happened to the
    letter, when, and the hash of its file.
    """
    _found(client, document_id)
    certificates = current_parts().portal.letters.certificates
    return certificates.pdf(certificates.for_insurer(document_id, language())), {}


def _policy_number(given: str | None) -> str | None:
    try:
        return None if given is None else identifiers.code(given, "policy_number")
    except Refusal:
        raise Refusal("document", "policy") from None


def _problem(refusal: Refusal) -> Problem:
    if refusal.field == "customer":
        return Problem("customer_unknown")
    if refusal.reason == "too_large":
        return Problem("too_large", detail=say().plain("api.document.too_large"))
    if refusal.reason == "replaced":
        return Problem("out_of_turn", detail=say().plain("api.document.replaced"))
    place = _PLACES.get(refusal.reason, "/file")
    return Problem("invalid", errors=[(place, say().plain(f"api.document.{refusal.reason}"))])


def _found(client: ApiKey, letter_id: str) -> tuple[Letter, tuple[LetterEvent, ...]]:
    """Return a letter to a customer whom the client reaches; any other letter is not found."""
    parts = current_parts()
    try:
        letter, events = parts.portal.letters.publishing.find(letter_id)
    except OutOfTurn:
        raise Problem("not_found") from None
    if not parts.clients.customers.is_reached(client, letter.kutid):
        raise Problem("not_found")
    return letter, events


def _document(letter: Letter, events: tuple[LetterEvent, ...]) -> models.Document:
    return models.Document(
        id=letter.id,
        type=letter.type,
        title=letter.title,
        sha256=letter.sha256,
        events=[models.DocumentEvent(type=event.type, at=event.at) for event in events if event.type in STATES],
        replaced_by=letter.replaced_by,
        withdrawal_code=letter.withdrawn_code,
    )
