"""What every request passes: the client's key, its scopes, the limit, the body and the idempotency key."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, g, make_response, request
from limits import RateLimitItemPerMinute
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from services.clients import Answer, ApiKey
from services.refusal import Refusal
from webapp.api.problems import Problem, wait
from webapp.http.addresses import API
from webapp.http.bodies import largest_body
from webapp.parts import current_parts
from webapp.ui.formats import time_left
from webapp.ui.language import language, say

PREFIX = f"{API}v1"
blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
_LARGEST_DOCUMENT = 64 * 1024
IDEMPOTENCY_KEY = r'^("[A-Za-z0-9._:-]{1,128}"|[A-Za-z0-9._:-]{1,128})$'
"""A string of structured fields (RFC 9651), as in the draft; also without quotation marks, as most clients send it."""
_MINUTE = 60
_CHUNK = 64 * 1024
_NOT_KEPT = (429,)
_MOST_ERRORS = 20
"""Wrong fields that an answer names: a body with thousands of them gets a short answer."""


@dataclass(frozen=True)
class Operation:
    """One thing that a client can ask for."""

    name: str
    method: str
    path: str
    scope: str
    summary: str
    description: str
    takes: type[BaseModel] | None
    gives: type[BaseModel] | None
    """None where it gives a file."""
    status: int
    problems: tuple[str, ...]
    """Kinds of problem that it may answer, besides those of every operation."""
    links: Mapping[str, str]
    """Names of operations that follow, and the parameter that takes the id of what it gives."""
    parameters: Mapping[str, Mapping[str, Any]]
    takes_file: bool = False
    """Whether it comes in two parts: `document`, which is what it takes, and `file`."""
    query: type[BaseModel] | None = None
    """What the address may say after its question mark."""
    files: tuple[str, ...] = ("application/pdf",)
    """The media types of the file that it may give."""

    @property
    def media(self) -> tuple[str, ...]:
        """The media types of what it may give."""
        return ("application/json",) if self.gives else self.files

    @property
    def id(self) -> str:
        """Its name in the document."""
        return operation_id(self.name)


def operation_id(name: str) -> str:
    """Return an operation's name as the document writes it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


operations: list[Operation] = []
"""All of them, in the order of the document."""


def operation(
    method: str,
    path: str,
    *,
    scope: str,
    gives: type[BaseModel] | None,
    takes: type[BaseModel] | None = None,
    status: int = 200,
    problems: tuple[str, ...] = (),
    links: Mapping[str, str] | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    takes_file: bool = False,
    query: type[BaseModel] | None = None,
    files: tuple[str, ...] = ("application/pdf",),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function an operation: the server enforces these arguments, and the document shows them.

    The function gets the client, the path's parameters and the body. It returns what it `gives`, or a file, and
    headers; of several media types that `files` may have, the header says which.
    With `takes_file` it also gets the file, and `once`: a key that is the same when the request is repeated, None
    without an idempotency key. With `query` it also gets the query.
    """

    def made(call: Callable[..., Any]) -> Callable[..., Any]:
        words = " ".join((call.__doc__ or "").split())
        summary, _, description = words.partition(". ")
        one = Operation(
            call.__name__, method, path, scope, summary.rstrip("."), description, takes, gives, status, problems,
            links or {}, parameters or {}, takes_file, query, files,
        )  # fmt: skip
        operations.append(one)

        @wraps(call)
        def view(**named: str) -> Response:
            return _attend(one, call, named)

        address = path.replace("{", "<").replace("}", ">")
        blueprint.add_url_rule(address, one.name, view, methods=[method], provide_automatic_options=False)
        return call

    return made


def _attend(one: Operation, call: Callable[..., Any], named: Mapping[str, str]) -> Response:
    request.max_content_length = largest_body(request.method, request.path)
    try:
        client = _client()
        _count(client)
        if one.scope not in client.scopes:
            raise Problem("forbidden")
        if request.accept_mimetypes and not request.accept_mimetypes.best_match(one.media):
            raise Problem("not_acceptable")
        body, asked = _parts_of(one, client) if one.takes_file else _body_of(one)
        if one.query is not None:
            asked = {**asked, "query": _query_of(one.query)}
        response = _once(client, body, lambda: _execute(one, call, client, {**named, **asked}))
    except Problem as problem:
        response = problem.answer()
    return _with_count(response)


def _execute(one: Operation, call: Callable[..., Any], client: ApiKey, arguments: Mapping[str, Any]) -> Response:
    try:
        given, headers = call(client, **arguments)
    except Problem as problem:
        return problem.answer()
    response = make_response(given.model_dump_json() if one.gives else given, one.status)
    response.mimetype = one.media[0]
    response.headers.update(headers)
    response.headers["Content-Language"] = language()
    return response


# --- The key -------------------------------------------------------------------------------------------------------


def key_in(authorization: str) -> str:
    """Return the key that a request's header `Authorization` brings; empty for none."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _client() -> ApiKey:
    """Return whose key the request brings (RFC 6750, 2.1: in the header alone, nowhere else)."""
    try:
        if not (key := key_in(request.headers.get("Authorization", ""))):
            raise Refusal("api_key", "missing")
        return current_parts().clients.api_keys.recognise(key, request.remote_addr or "")
    except Refusal as refusal:
        if refusal.reason == "wait":
            raise wait("too_many", time_left(refusal.facts["at"])) from None
        # RFC 6750, 3.1: an answer to a request without a key names no error.
        reason = ', error="invalid_token"' if refusal.reason == "unknown" else ""
        raise Problem("unauthorized", headers={"WWW-Authenticate": f'Bearer realm="belepo"{reason}'}) from None


# --- How often -----------------------------------------------------------------------------------------------------


def _count(client: ApiKey) -> None:
    """Count a request of this client's, by minutes of the application's clock, which testers move."""
    allowed = RateLimitItemPerMinute(current_parts().settings.api_requests_a_minute)
    now = int(current_parts().clock.now().timestamp())
    key, left = f"api {client.id} {now // _MINUTE}", _MINUTE - now % _MINUTE
    shared = current_app.extensions["belepo.limits"].limiter
    is_within, stats = shared.hit(allowed, key), shared.get_window_stats(allowed, key)
    g.api_count = {
        "RateLimit-Limit": str(allowed.amount),
        "RateLimit-Remaining": str(stats.remaining),
        "RateLimit-Reset": str(left),
    }
    if not is_within:
        raise wait("too_many", left)


def _with_count(response: Response) -> Response:
    response.headers.update(g.get("api_count", {}))
    return response


# --- The body ------------------------------------------------------------------------------------------------------


def _body_of(one: Operation) -> tuple[bytes, Mapping[str, Any]]:
    """Return the body, and the arguments that an operation gets from it."""
    body = request.get_data(cache=False)
    if one.takes is None:
        return body, {}
    if request.mimetype != "application/json":
        raise Problem("media_type", headers={"Accept": "application/json"})
    return body, {"body": _read(one.takes, body)}


def _query_of(model: type[BaseModel]) -> BaseModel:
    given = {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        raise Problem("invalid", errors=[_field_error(one, "") for one in wrong[:_MOST_ERRORS]]) from None


def _parts_of(one: Operation, client: ApiKey) -> tuple[bytes, Mapping[str, Any]]:
    """Return what identifies a request of two parts, whatever its boundary, and the operation's arguments."""
    if request.mimetype != "multipart/form-data":
        raise Problem("media_type", headers={"Accept": "multipart/form-data"})
    assert one.takes is not None, "what comes with a file is described"
    given, file = _document_part(), request.files.get("file")
    absent = [f"/{name}" for name, part in (("document", given), ("file", file)) if part is None]
    if given is None or file is None:
        raise Problem("invalid", errors=[(place, say().plain("api.field.missing")) for place in absent])
    document = _read(one.takes, given, "/document")
    digest = hashlib.sha256()
    while chunk := file.stream.read(_CHUNK):
        digest.update(chunk)
    file.stream.seek(0)
    asked = given + b"\n" + digest.digest()
    key = request.headers.get("Idempotency-Key")
    once = None if key is None else hashlib.sha256(f"{client.id}\n{key}\n".encode() + asked).hexdigest()
    return asked, {"body": document, "file": file.stream, "once": once}


def _document_part() -> bytes | None:
    """Return the part `document`; some clients send it as a file."""
    # Werkzeug reads 64 KiB at once, and counts what it has read of a file among the texts until it is written away.
    request.max_form_memory_size = 4 * _LARGEST_DOCUMENT
    sent = request.files.get("document")
    text = request.form.get("document") if sent is None else None
    given = sent.stream.read(_LARGEST_DOCUMENT + 1) if sent else None if text is None else text.encode()
    if given is not None and len(given) > _LARGEST_DOCUMENT:
        raise Problem("too_large")
    return given


def _read(model: type[BaseModel], body: bytes, under: str = "") -> BaseModel:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        if any(one["type"] == "json_invalid" for one in wrong):
            raise Problem("malformed") from None
        raise Problem("invalid", errors=[_field_error(one, under) for one in wrong[:_MOST_ERRORS]]) from None


def _field_error(error: ErrorDetails, under: str) -> tuple[str, str]:
    pointer = under + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error["loc"])
    kind = {"missing": "missing", "extra_forbidden": "extra", "literal_error": "choice"}.get(error["type"], "wrong")
    values = ", ".join(re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", ""))))
    return pointer[:200], say().plain(f"api.field.{kind}", values=values)


# --- Once only -----------------------------------------------------------------------------------------------------


def _once(client: ApiKey, body: bytes, execute: Callable[[], Response]) -> Response:
    """Execute a request once for its idempotency key; a repetition gets the first answer."""
    sent = request.headers.get("Idempotency-Key")
    if request.method != "POST" or sent is None:
        return execute()
    key = _idempotency_key(sent)
    answers = current_parts().clients.idempotency
    try:
        turn = answers.begin(client.id, key, b"\n".join((request.method.encode(), request.path.encode(), body)))
    except Refusal as refusal:
        if refusal.reason == "under_way":
            raise Problem("under_way", headers={"Retry-After": "1"}) from None
        raise Problem("key_reused") from None
    if isinstance(turn, Answer):
        response = make_response(turn.body, turn.status)
        response.headers.update({**turn.headers, "Idempotency-Replayed": "true"})
        return response
    try:
        response = execute()
    except BaseException:
        answers.forget(turn)
        raise
    if response.status_code in _NOT_KEPT or response.status_code >= 500:
        answers.forget(turn)
    else:
        kept = {name: response.headers[name] for name in ("Content-Type", "Content-Language", "Location")
                if name in response.headers}  # fmt: skip
        answers.keep(turn, Answer(response.status_code, kept, response.get_data(as_text=True)))
    return response


def _idempotency_key(sent: str) -> str:
    if re.fullmatch(IDEMPOTENCY_KEY, sent) is None:
        raise Problem("idempotency_key")
    return sent.strip('"')


def as_json(document: Mapping[str, Any]) -> Response:
    """Answer with a document."""
    response = make_response(json.dumps(document, ensure_ascii=False))
    response.mimetype = "application/json"
    return response
