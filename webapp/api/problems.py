"""The API's refusals: problem documents (RFC 9457), in the language that the client prefers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, make_response, url_for

from webapp.http.watching import note_refused
from webapp.parts import current_parts
from webapp.ui.language import language, say

MIMETYPE = "application/problem+json"
STATUS = {
    "malformed": 400,
    "idempotency_key": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "customer_unknown": 404,
    "method": 405,
    "not_acceptable": 406,
    "already_registered": 409,
    "no_policy": 409,
    "not_possible": 409,
    "not_identified": 409,
    "no_account": 409,
    "codes_used_up": 409,
    "out_of_turn": 409,
    "invoice_paid": 409,
    "file_unchecked": 409,
    "under_way": 409,
    "too_large": 413,
    "media_type": 415,
    "invalid": 422,
    "key_reused": 422,
    "too_early": 429,
    "too_many": 429,
    "broken": 500,
    "sms_paused": 503,
    "unavailable": 503,
}
"""Each kind of problem and its status. The texts are ``api.problem.<kind>`` and ``api.problem.<kind>.text``."""
_BY_STATUS = {
    400: "malformed",
    404: "not_found",
    405: "method",
    413: "too_large",
    415: "media_type",
    500: "broken",
    503: "unavailable",
}


class Problem(Exception):
    """The request cannot be done.

    `errors` are pairs of a JSON pointer to a wrong field and a sentence; `members` are further members of the document.
    """

    def __init__(
        self,
        kind: str,
        *,
        detail: str | None = None,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.members = members or {}

    def answer(self) -> Response:
        """Return the document."""
        note_refused(self.kind)
        document = {
            "type": type_of(self.kind),
            "title": say().plain(f"api.problem.{self.kind}"),
            "status": STATUS[self.kind],
            "detail": self.detail or say().plain(f"api.problem.{self.kind}.text"),
        }
        if self.errors:
            document["errors"] = [{"pointer": pointer, "detail": sentence} for pointer, sentence in self.errors]
        response = make_response(json.dumps({**document, **self.members}, ensure_ascii=False), STATUS[self.kind])
        response.mimetype = MIMETYPE
        response.headers.update(self.headers)
        response.headers["Content-Language"] = language()
        return response


def type_of(kind: str) -> str:
    """Return the URI of a kind of problem: a page that explains it."""
    page = url_for("api.problem", kind=slug_of(kind))
    return f"{current_parts().settings.public_url.rstrip('/')}{page}"


def slug_of(kind: str) -> str:
    """Return a kind as addresses name it."""
    return kind.replace("_", "-")


def by_status(status: int, reference: str | None = None) -> Response:
    """Answer an error outside of the API's operations, such as an unknown address."""
    kind = _BY_STATUS.get(status, "broken" if status >= 500 else "malformed")
    members = {"reference": reference} if reference else {}
    response = Problem(kind, members=members).answer()
    if status != STATUS[kind]:
        response.status_code = status
        response.set_data(json.dumps({**json.loads(response.get_data()), "status": status}, ensure_ascii=False))
    return response


def wait(kind: str, seconds: int) -> Problem:
    """Return a problem that time solves (RFC 9110, 10.2.3)."""
    return Problem(kind, headers={"Retry-After": str(max(1, seconds))})


def too_many(seconds: int) -> Response:
    """Answer that too many requests came, and after how many seconds to try again."""
    return wait("too_many", seconds).answer()
