"""The headers of every answer."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response

from webapp.settings import Settings

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # The origin alone: a token in an address goes nowhere, and the CSRF check of https still has what it needs.
    "Referrer-Policy": "strict-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
SANDBOX = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of files that others made: they run nothing, and reach nothing of ours (P17)."""
_HTTPS_ONLY = "max-age=31536000; includeSubDomains"


def set_up(app: Flask, settings: Settings) -> None:
    """Send the headers with every answer; pages are not stored anywhere."""
    wanted = {**standing(settings), "Cache-Control": "no-store"}

    @app.after_request
    def harden(response: Response) -> Response:
        add_missing(response.headers, wanted)
        return response


def let_forms_lead_to(response: Response, origin: str) -> None:
    """Let the forms of this one page lead to another origin, besides ours."""
    response.headers["Content-Security-Policy"] = _POLICY.replace("form-action 'self'", f"form-action 'self' {origin}")


def standing(settings: Settings) -> dict[str, str]:
    """Return the headers that every answer carries, pages and files alike."""
    return {**_HEADERS, "Strict-Transport-Security": _HTTPS_ONLY} if settings.is_https else _HEADERS


def add_missing(headers: Any, wanted: Mapping[str, str]) -> None:
    """Add those of the `wanted` headers that an answer does not have."""
    given = {name.lower() for name in headers.keys()}  # noqa: SIM118 (headers are no dictionaries)
    for name, value in wanted.items():
        if name.lower() not in given:
            headers.add_header(name, value)
