"""Requests: the insurer's system at work on them (P42)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.clients import ApiKey
from services.gateways.storage import StorageUnavailable
from services.refusal import OutOfTurn, Refusal
from services.requests.handling import Handling
from services.requests.request import LONGEST_TEXT, Event, Request
from services.uploads.upload import Upload
from webapp.api.operation import operation
from webapp.api.problems import Problem
from webapp.http.security import SANDBOX
from webapp.parts import current_parts
from webapp.ui.language import say

Given = tuple[Any, Mapping[str, str]]

_ADDRESS = "/requests/{request_id}"
_OPAQUE = {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}
_ID = {"request_id": {"description": "The request's id, as its events name it.", "schema": _OPAQUE}}
_FILE_ID = {**_ID, "file_id": {"description": "The file's id.", "schema": _OPAQUE}}
_SAID = r"^[^\u0000]*[^\u0000\s][^\u0000]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT, pattern=_SAID)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Output(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Taking(_Asked):
    """Taking a request over."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")] | None = (
        Field(default=None, description="The insurer's own number, which the customer sees.", examples=["KB-2026-4512"])
    )


class QuestionBack(_Asked):
    """A question to the customer."""

    text: Text = Field(description="The customer reads exactly this.", examples=["Melyik emeleten lakik?"])


class RequestAnswer(_Asked):
    """The insurer's answer: words, letters, or both."""

    text: Text | None = Field(default=None, description="The customer reads exactly this.")
    documents: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=32)]], Field(max_length=20)] = (
        Field(default_factory=list, description="Ids of letters that this customer has got.")
    )


class Closing(_Asked):
    """The end of a request."""

    text: Text | None = Field(default=None, description="What came of it. The customer reads exactly this.")


class RequestFile(_Output):
    """A file of a request, by its receipt."""

    id: str
    question: str = Field(description="The question that it answers.", examples=["photos"])
    name: str
    size: int = Field(description="Bytes, as they came.")
    sha256: str = Field(description="Of the bytes as they came, in hexadecimal digits.")
    state: Literal["received", "checking", "ready", "refused", "handed-over"] = Field(
        description="Its rendition can be read when it is `ready` or `handed-over`."
    )


class RequestEvent(_Output):
    """Something that happened to a request."""

    type: Literal["sent", "attached", "taken", "question", "replied", "answered", "closed", "withdrawn"] = Field(
        description="`replied` is the customer's answer to a question. `attached` is when a claim without an account "
        "became one of a customer's requests."
    )
    at: datetime
    text: str | None
    documents: list[str] = Field(description="The ids of the letters that answer.")


class RequestInFull(_Output):
    """A request that a customer has sent."""

    id: str
    kind: str = Field(description="The profile's name of it.", examples=["address-change"])
    state: Literal["sent", "taken", "question", "answered", "closed", "withdrawn"]
    reference: str = Field(description="The number that the customer was told.", examples=["U-7KX2MD"])
    number: str | None = Field(description="The insurer's own.")
    kutid: str | None = Field(
        description="Whose request it is; `null` for a claim without an account, whose sender is not identified.",
        examples=["10000001"],
    )
    reply_to: str | None = Field(description="The address to answer to, of a claim without an account.")
    policy_number: str | None = Field(
        description="The policy that it is about; of a claim without an account as it was typed, and not checked."
    )
    sent_at: datetime
    promised_on: str = Field(description="The day by which the customer was promised an answer.")
    answers: dict[str, Any] = Field(
        description="By the names of the questions; `null` for one that was left empty. Days are ISO dates, amounts "
        "the currency's smallest units, contracts policy numbers."
    )
    files: list[RequestFile] = Field(description="In the order in which they came.")
    events: list[RequestEvent] = Field(description="What happened to it, oldest first.")


@operation("GET", _ADDRESS, scope="requests", gives=RequestInFull, parameters=_ID)
def read_request(client: ApiKey, request_id: str) -> Given:
    """Get a request. Its answers, files and what happened to it. A request is here once the customer has sent it."""
    return _told(client, request_id), {}


@operation(
    "GET", f"{_ADDRESS}/files/{{file_id}}", scope="requests", gives=None, parameters=_FILE_ID,
    files=("application/pdf", "image/jpeg"), problems=("file_unchecked",),
)  # fmt: skip
def read_request_file(client: ApiKey, request_id: str, file_id: str) -> Given:
    """Get a file of a request. Its rendition: a photo without the place where it was taken, or a PDF without scripts.
    A file that is still checked, or that was refused, is `file-unchecked`.
    """
    _found(client, request_id)
    try:
        opened = current_parts().portal.uploads.reading.open_for(request_id, file_id)
    except OutOfTurn:
        raise Problem("not_found") from None
    except Refusal:
        raise Problem("file_unchecked") from None
    except StorageUnavailable:
        raise Problem("unavailable") from None
    if opened.upload.sent_at is None:  # the customer is adding it to an answer
        raise Problem("not_found")
    return opened.chunks, {
        "Content-Type": opened.type,
        "Content-Length": str(opened.size),
        "Content-Security-Policy": SANDBOX,
    }


@operation(
    "POST", f"{_ADDRESS}/take", scope="requests", takes=Taking, gives=RequestInFull, parameters=_ID,
    problems=("out_of_turn",),
)  # fmt: skip
def take_request(client: ApiKey, request_id: str, body: Taking) -> Given:
    """Take a request over. Under the insurer's own number. From here on the customer cannot withdraw it."""
    actor, adviser = client.actor, client.adviser
    return _do(
        client,
        request_id,
        lambda handling: handling.take(request_id, actor=actor, number=body.number, adviser=adviser),
        "number",
    )


@operation(
    "POST", f"{_ADDRESS}/question", scope="requests", takes=QuestionBack, gives=RequestInFull, parameters=_ID,
    problems=("out_of_turn",),
)  # fmt: skip
def ask_about_request(client: ApiKey, request_id: str, body: QuestionBack) -> Given:
    """Ask the customer something. A mail tells of it; the event `request.answered` tells of the answer."""
    return _do(
        client,
        request_id,
        lambda handling: handling.ask(request_id, body.text, actor=client.actor, adviser=client.adviser),
        "text",
    )


@operation(
    "POST", f"{_ADDRESS}/answer", scope="requests", takes=RequestAnswer, gives=RequestInFull, parameters=_ID,
    problems=("out_of_turn",),
)  # fmt: skip
def answer_request(client: ApiKey, request_id: str, body: RequestAnswer) -> Given:
    """Answer a request. By words, by letters that were published to this customer, or both."""
    return _do(
        client,
        request_id,
        lambda handling: handling.answer(
            request_id, body.text, body.documents, actor=client.actor, adviser=client.adviser
        ),
        "text",
    )


@operation(
    "POST", f"{_ADDRESS}/close", scope="requests", takes=Closing, gives=RequestInFull, parameters=_ID,
    problems=("out_of_turn",),
)  # fmt: skip
def close_request(client: ApiKey, request_id: str, body: Closing) -> Given:
    """Close a request. After its answer, or without one. It is over then, and nothing more happens to it."""
    return _do(
        client,
        request_id,
        lambda handling: handling.close(request_id, body.text, actor=client.actor, adviser=client.adviser),
        "text",
    )


def _do(client: ApiKey, request_id: str, deed: Callable[[Handling], object], field: str) -> Given:
    _found(client, request_id)
    try:
        deed(current_parts().portal.requests.handling)
    except Refusal as refusal:
        field = "documents" if refusal.reason == "letter" else field
        raise Problem("invalid", errors=[(f"/{field}", say().plain("api.field.wrong"))]) from None
    except OutOfTurn:
        raise Problem("out_of_turn") from None
    return _told(client, request_id), {}


def _found(client: ApiKey, request_id: str) -> tuple[Request, tuple[Event, ...]]:
    """Return a request of a customer whom the client reaches; any other request is not found."""
    try:
        return current_parts().portal.requests.handling.find(request_id, adviser=client.adviser)
    except OutOfTurn:
        raise Problem("not_found") from None


def _told(client: ApiKey, request_id: str) -> RequestInFull:
    found, events = _found(client, request_id)
    files = current_parts().portal.uploads.files.all(request_id)
    return RequestInFull(
        id=found.id,
        kind=found.kind,
        state=found.state,
        reference=found.reference,
        number=found.number,
        kutid=found.kutid,
        reply_to=found.email,
        policy_number=found.policy_number,
        sent_at=found.sent_at,
        promised_on=found.promised_on.isoformat(),
        answers=dict(found.answers),
        files=[_file(one) for one in files if one.sent_at is not None],
        events=[
            RequestEvent(type=one.type, at=one.at, text=one.text, documents=list(one.letters)) for one in events
        ],
    )  # fmt: skip


def _file(one: Upload) -> RequestFile:
    return RequestFile(
        id=one.id, question=one.question, name=one.name, size=one.size, sha256=one.sha256, state=one.state
    )
