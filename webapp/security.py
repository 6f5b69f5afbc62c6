"""The headers of every answer."""

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


def set_up(app: Flask, settings: Settings) -> None:
    """Send the headers with every answer; pages are not stored anywhere."""

    @app.after_request
    def harden(response: Response) -> Response:
        add_headers(response.headers, settings)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def add_headers(headers: Any, settings: Settings) -> None:
    """Add the headers that every answer carries, pages and files alike."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if settings.is_https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
