"""Forms are taken from our own pages alone: each carries a token, and the browser says where it was sent from.

The token is the secret of the browser's session, masked by another pad on every page: with a constant one beside text
that the visitor chose, the size of a compressed page would tell the token sign by sign (BREACH, CVE-2013-3587).
"""

import base64
import hmac
import logging
from collections.abc import Collection
from typing import Literal
from urllib.parse import urlsplit

from flask import Flask, g, request, session
from markupsafe import Markup
from werkzeug.exceptions import BadRequest

from services import randomness
from webapp.parts import current_parts

log = logging.getLogger(__name__)

Cause = Literal["old_form", "no_cookie", "other_host", "port", "unsaid"]

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HEADER = "X-CSRFToken"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Forged(BadRequest):
    """A form that may not be ours; `cause` says why, for the page that answers it."""

    def __init__(self, cause: Cause) -> None:
        super().__init__()
        self.cause = cause


def set_up(app: Flask, exempt: Collection[str]) -> None:
    """Judge every request that may change something, but for those of the blueprints named in `exempt`."""

    @app.before_request
    def judge() -> None:
        if request.method in _CHANGING and request.endpoint and request.blueprint not in exempt:
            _judge()


def form_secret() -> str:
    """Return the secret of this browser's session by which its forms are known."""
    if "csrf_token" not in session:
        session["csrf_token"] = randomness.opaque_id()
    return str(session["csrf_token"])


def csrf_field() -> Markup:
    """Return the hidden field of a form; it is the same everywhere on a page."""
    secret = form_secret()
    if g.get("csrf_field", ("",))[0] != secret:  # or a session was let go in this request
        # Nothing to escape: a mask is letters, digits, hyphens and underscores.
        g.csrf_field = secret, Markup(f'<input type="hidden" name="csrf_token" value="{_masked(secret)}">')  # noqa: S704
    field: Markup = g.csrf_field[1]
    return field


def _masked(secret: str) -> str:
    plain = secret.encode()
    pad = randomness.pad(len(plain))
    return base64.urlsafe_b64encode(pad + _xor(plain, pad)).decode().rstrip("=")


def _unmasked(token: str) -> bytes:
    """Return the secret in a token of a page; nothing where it is none."""
    try:
        both = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
    half = len(both) // 2
    return _xor(both[:half], both[half:])


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(max(len(one), len(other)))


def _judge() -> None:
    """Raise Forged when this request is not a form of ours."""
    if cause := _origin_fault():
        if cause == "port":
            log.warning("forms are refused: the proxy hands on Host without the port that browsers use")
        raise Forged(cause)
    # Read first: a form that is too large is answered as that (413).
    token = request.form.get("csrf_token") or request.headers.get(_HEADER, "")
    secret = session.get("csrf_token", "")
    if not secret:
        raise Forged("old_form" if current_parts().settings.cookie("session") in request.cookies else "no_cookie")
    if not hmac.compare_digest(_unmasked(token), secret.encode()):
        raise Forged("old_form")


def _origin_fault() -> Cause | None:
    """Return what is wrong with where this request comes from, by the best proof that the browser gives.

    `Sec-Fetch-Site` is the browser's own comparison, which no proxy changes; `Origin` and `Referer` are compared here.
    """
    site = request.headers.get("Sec-Fetch-Site", "")
    if site in ("same-origin", "none"):
        return None
    if not site and not request.is_secure:
        return None
    stated = request.headers.get("Origin", "null")
    if stated == "null":
        stated = request.headers.get("Referer", "")
    if not stated:
        return "other_host" if site else "unsaid"
    origin, own = _origin(stated), [_origin(current_parts().settings.public_url), _origin(request.host_url)]
    if origin in own:
        return None
    return "port" if origin[:2] in [known[:2] for known in own] else "other_host"


def _origin(address: str) -> tuple[str, str, int]:
    """Return scheme, host and port; empty ones for what is no address."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0
