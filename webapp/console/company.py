"""Signing in with the company's own account: OpenID Connect, by Authlib; loaded only where it is configured.

The authorization code flow with PKCE (RFC 7636), state and nonce (OpenID Connect Core 1.0, 3.1; RFC 9700, 2.1.1). The
provider says who somebody is and asks for their second factor; who works here, and as what, is kept here.
"""

import logging
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, Response, current_app, make_response, redirect, request, session
from joserfc.errors import JoseError
from requests import RequestException

from services import email_addresses
from services.refusal import Refusal
from services.staff.secret_box import COMPANY, SecretBox
from webapp import devices
from webapp.console import door
from webapp.parts import wired
from webapp.settings import Settings

log = logging.getLogger(__name__)

blueprint = Blueprint("company", __name__, url_prefix=door.COMPANY)
_NAME = "company"
_PATIENCE_SECONDS = 5
_ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_FAILURES = (AuthlibBaseError, JoseError, RequestException, ValueError, KeyError, TypeError, RuntimeError)
"""Whatever the provider does wrong: it is down, says nonsense, or vouches for nobody."""


class _Sealed:
    """Keeps what Authlib needs to remember in the browser's session, encrypted: the session itself is only signed."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def get(self, key: str) -> str | None:
        """Return what was kept."""
        sealed = session.get(f"sealed {key}")
        return self._box.open(sealed) if sealed else None

    def set(self, key: str, value: str, _timeout: int) -> None:
        """Keep a text; its end stands beside it."""
        session[f"sealed {key}"] = self._box.close(value)

    def delete(self, key: str) -> None:
        """Forget it."""
        session.pop(f"sealed {key}", None)


def set_up(app: Flask, settings: Settings) -> None:
    """Offer the sign-in. The provider is asked for its metadata at the first one."""
    # It would log the verifier.
    logging.getLogger("authlib").setLevel(logging.WARNING)
    oauth = OAuth(app, cache=_Sealed(SecretBox(settings.secret_keys, COMPANY)))
    oauth.register(
        _NAME,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": _PATIENCE_SECONDS,
        },
    )
    app.extensions["belepo.company"] = oauth
    app.register_blueprint(blueprint)


@blueprint.get("")
def leave() -> Response:
    """Send the browser to the provider."""
    # One attempt a browser: what is left of earlier ones would fill the cookie.
    for key in [key for key in session if "_state_" in key]:
        session.pop(key)
    try:
        client = _client()
        return make_response(
            client.authorize_redirect(f"{wired().settings.public_url.rstrip('/')}{door.COMPANY}/vissza")
        )
    except _FAILURES as error:
        return _failed(error)


@blueprint.get("/vissza")
def come_back() -> Response:
    """Let in whom the provider vouches for, if they have an account here."""
    settings = wired().settings
    try:
        token = _client().authorize_access_token(
            claims_options={
                "iss": {"essential": True, "value": _issuer()},
                "aud": {"essential": True, "value": settings.oidc_client_id},
            }
        )
        key = _key(token["userinfo"], settings.oidc_claim)
        device = devices.this_device()
        secret = wired().staff.sign_in_vouched(key, device, held=door.held())
    except Refusal:
        return door.show_login(403, notice="error.staff_login.unknown", is_refused=True)
    except _FAILURES as error:
        return _failed(error)
    door.enter(secret)
    seen = door.current()
    response = make_response(redirect(door.own_door(seen.member) if seen else door.SERVICE, 303))
    devices.remember(device, response)
    return response


def _client() -> Any:
    """Return Authlib's client, with the provider's metadata. Raises one of _FAILURES."""
    client = current_app.extensions["belepo.company"].create_client(_NAME)
    metadata = client.load_server_metadata()
    # OpenID Connect Discovery 1.0, 4.3.
    if metadata.get("issuer") != _issuer():
        metadata.clear()  # asked for anew next time
        raise ValueError("another issuer")
    # Whoever could choose a symmetric algorithm, or none, would sign for the provider (RFC 8725, 3.1).
    known = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [one for one in known if one in _ASYMMETRIC] or ["RS256"]
    return client


def _issuer() -> str:
    return wired().settings.oidc_issuer


def _key(claims: dict[str, object], claim: str) -> str:
    """Return the address by which the member is known here. Raises Refusal when the provider does not vouch for one."""
    if claim == "email" and claims.get("email_verified") is not True:
        raise Refusal("staff_login", "unknown")
    address = str(claims.get(claim) or "")
    try:
        # Other letters fold to those of somebody else's address: "ſ" to "s" (Unicode TR36, 2.8).
        if not address.isascii():
            raise Refusal("staff_login", "unknown")
        return email_addresses.parse(address).key
    except Refusal:
        raise Refusal("staff_login", "unknown") from None


def _failed(error: Exception) -> Response:
    # The class alone: the text may hold what the provider or the browser sent.
    log.warning("the company's sign-in failed: %s at %s", type(error).__name__, request.endpoint)
    return door.show_login(403, notice="staff.login.oidc.failed", is_refused=True)
