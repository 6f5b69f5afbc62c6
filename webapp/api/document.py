"""The OpenAPI document, made from the operations and their models: the server enforces what it says."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from apispec import APISpec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.clients import SCOPES
from webapp.api.models import ProblemDocument
from webapp.api.operation import IDEMPOTENCY_KEY, PREFIX, Operation, operation_id, operations
from webapp.api.problems import MIMETYPE, STATUS

_ALWAYS = ("unauthorized", "forbidden", "not_acceptable", "too_many", "broken", "unavailable")
_WITH_BODY = ("malformed", "too_large", "media_type", "invalid")
_WITH_KEY = ("idempotency_key", "under_way", "key_reused")
_INTRODUCTION = """\
For the insurer's own applications: customer service's, a partner portal, a broker's software. They do with a \
customer what staff do at the console, by the same rules and limits. They see no codes, links or passwords.

Every request brings its client's key: `Authorization: Bearer belepo_…`. A `POST` may carry an `Idempotency-Key`: a \
repetition with the same key and body within 24 hours gets the first answer and does nothing. A request that cannot be \
done gets a problem document (RFC 9457), whose texts follow `Accept-Language`. Times are UTC.
"""
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_COUNTED = {
    "RateLimit-Limit": {"description": "Requests that a key may make in a minute.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "Requests that are left in this minute.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until the next minute begins.", "schema": {"type": "integer"}},
}


@cache
def document(public_url: str) -> Mapping[str, Any]:
    """Return the document for a server at this address."""
    spec = APISpec(
        title="belepo",
        version="1",
        openapi_version="3.1.0",
        info={"description": _INTRODUCTION},
        servers=[{"url": public_url.rstrip("/")}],
        security=[{"key": []}],
    )
    spec.components.security_scheme(
        "key",
        {
            "type": "http",
            "scheme": "bearer",
            "description": f"A key made by `belepo api-key add`; its scopes are among {', '.join(SCOPES)}.",
        },
    )
    models = {model for one in operations for model in (one.takes, one.gives) if model} | {ProblemDocument}
    _, schemas = models_json_schema(
        [(model, _mode(model)) for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    for name, schema in schemas["$defs"].items():
        spec.components.schema(name, schema)
    for one in operations:
        spec.path(PREFIX + one.path, operations={one.method.lower(): _operation(one)})
    return spec.to_dict()


def _mode(model: type[BaseModel]) -> Any:
    takes = any(one.takes is model for one in operations)
    return "validation" if takes else "serialization"


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.summary,
        "description": f"{one.description}\n\nScope: `{one.scope}`.".strip(),
        "parameters": list(_parameters(one)),
        "responses": dict(_responses(one)),
    }
    if one.takes:
        content = _two_parts(one.takes) if one.takes_file else {"application/json": {"schema": _ref(one.takes)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _two_parts(model: type[BaseModel]) -> dict[str, Any]:
    file = {"type": "string", "format": "binary", "description": "A PDF of at most 20 MB."}
    schema = {
        "type": "object",
        "properties": {"document": _ref(model), "file": file},
        "required": ["document", "file"],
    }
    encoding = {"document": {"contentType": "application/json"}, "file": {"contentType": "application/pdf"}}
    return {"multipart/form-data": {"schema": schema, "encoding": encoding}}


def _parameters(one: Operation) -> Iterator[dict[str, Any]]:
    for name, parameter in one.parameters.items():
        yield {"name": name, "in": "path", "required": True, **parameter}
    for name, schema in one.query.model_json_schema()["properties"].items() if one.query else ():
        yield {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description"),
            "schema": {key: value for key, value in schema.items() if key != "title"},
        }
    if one.method == "POST":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "A string that the client chooses, such as a UUID; a new one for every new request.",
            "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY},
            "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
        }


def _responses(one: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = _ref(one.gives) if one.gives else {"type": "string", "format": "binary"}
    good: dict[str, Any] = {
        "description": "Done.",
        "headers": dict(_COUNTED),
        "content": {media: {"schema": schema} for media in one.media},
    }
    if one.status == 201:
        good["headers"]["Location"] = {"description": "Its address.", "schema": {"type": "string"}}
    if one.links:
        good["links"] = {
            operation_id(name): {"operationId": operation_id(name), "parameters": {parameter: "$response.body#/id"}}
            for name, parameter in one.links.items()
        }
    yield str(one.status), good
    kinds = [*_ALWAYS, *one.problems]
    if one.takes:
        kinds += _WITH_BODY
    elif one.query:
        kinds.append("invalid")
    if one.method == "POST":
        kinds += _WITH_KEY
    if {"registration_id", "document_id", "request_id"} & set(one.parameters):
        kinds.append("not_found")
    for status in sorted({STATUS[kind] for kind in kinds}):
        names = [f"`{kind.replace('_', '-')}`" for kind in kinds if STATUS[kind] == status]
        problem: dict[str, Any] = {
            "description": ", ".join(dict.fromkeys(names)),
            "content": {MIMETYPE: {"schema": _ref(ProblemDocument)}},
        }
        if status == 429:
            problem["headers"] = dict(_RETRY)
        if status == 401:
            problem["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "RFC 6750."}}
        yield str(status), problem


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
