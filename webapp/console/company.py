"""Signing in with the company's own account: OpenID Connect, by Authlib; loaded only where it is configured.

The authorization code flow with PKCE (RFC 7636), state and nonce (OpenID Connect Core 1.0, 3.1; RFC 9700, 2.1.1). The
provider identifies people and asks for their second factor; this server knows who works here, and in which role.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, Response, current_app, make_response, request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException

from services.refusal import Refusal
from services.staff.secret_box import COMPANY, SecretBox
from services.values import email_addresses
from webapp.console import staff_sessions
from webapp.console.provider import Provider
from webapp.console.staff_sessions import DOORS, SERVICE
from webapp.http import devices
from webapp.parts import current_parts
from webapp.settings import Settings
from webapp.ui.respond import see_other

log = logging.getLogger(__name__)

blueprint = Blueprint("company", __name__, url_prefix=f"{DOORS[SERVICE]}/ceges-belepes")
_NAME = "company"
_PATIENCE_SECONDS = 5
_STATE_LIFETIME = timedelta(minutes=15)
"""From leaving for the provider to coming back, a second factor included."""
_FAILURES = (AuthlibBaseError, JoseError, RequestException, ValueError, KeyError, TypeError, RuntimeError)
"""The provider's failures: it is down, answers nonsense, or vouches for nobody."""


class _Sealed:
    """Keeps what Authlib needs to remember in the browser's session, encrypted: the session itself is only signed."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def get(self, key: str) -> str | None:
        """Return what was kept, unless its time is over."""
        sealed = session.get(f"sealed {key}")
        end, _, value = ((self._box.open(sealed) if sealed else None) or "").partition(" ")
        return value if end.isdecimal() and current_parts().clock.now().timestamp() < int(end) else None

    def set(self, key: str, value: str, _timeout: int) -> None:
        """Keep a text with its end inside the seal: somebody may save a cookie that the browser deletes."""
        end = int((current_parts().clock.now() + _STATE_LIFETIME).timestamp())
        session[f"sealed {key}"] = self._box.close(f"{end} {value}")

    def delete(self, key: str) -> None:
        """Forget it."""
        session.pop(f"sealed {key}", None)


def set_up(app: Flask, settings: Settings) -> None:
    """Offer the sign-in. The provider is asked for its metadata at the first one."""
    # It would log the verifier.
    logging.getLogger("authlib").setLevel(logging.WARNING)
    oauth = OAuth(app, cache=_Sealed(SecretBox(settings.secret_keys, COMPANY)))
    client = oauth.register(
        _NAME,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": _PATIENCE_SECONDS,
        },
    )
    app.extensions["belepo.company"] = Provider(client, settings.oidc_issuer, app.extensions["belepo"].clock)
    app.register_blueprint(blueprint)


@blueprint.get("")
def leave() -> Response:
    """Send the browser to the provider."""
    # One attempt a browser: leftovers of earlier ones would fill the cookie.
    for key in [key for key in session if "_state_" in key]:
        session.pop(key)
    try:
        with _provider().asked() as client:
            back = f"{current_parts().settings.public_url.rstrip('/')}{url_for('company.come_back')}"
            return make_response(client.authorize_redirect(back))
    except _FAILURES as error:
        return _failed(error)


@blueprint.get("/vissza")
def come_back() -> Response:
    """Sign in the person whom the provider vouches for, if they have an account here."""
    settings = current_parts().settings
    try:
        key = _key(_claims(), settings.oidc_claim)
        device = devices.this_device()
        secret = current_parts().staff.sign_ins.sign_in_vouched(key, device, held=staff_sessions.held())
    except Refusal as refusal:
        return staff_sessions.show_login(403, notice=f"error.staff_login.{refusal.reason}", is_refused=True)
    except _FAILURES as error:
        return _failed(error)
    return staff_sessions.enter(secret, device, see_other)


def _provider() -> Provider:
    provider: Provider = current_app.extensions["belepo.company"]
    return provider


def _claims() -> Mapping[str, object]:
    """Return what the provider vouches for. Raises one of _FAILURES."""
    settings, provider = current_parts().settings, _provider()
    wanted = {
        "iss": {"essential": True, "value": settings.oidc_issuer},
        "aud": {"essential": True, "value": settings.oidc_client_id},
    }
    try:
        with provider.asked() as client:
            token = client.authorize_access_token(claims_options=wanted)
    except JoseError:
        provider.forget_keys()
        raise
    provider.has_answered()
    claims: Mapping[str, object] = token["userinfo"]
    return claims


def _key(claims: Mapping[str, object], claim: str) -> str:
    """Return the address by which the member is known here.

    Raises Refusal ``staff_login.unknown`` when the provider vouches for no address, ``staff_login.unverified`` when it
    does not say so by a boolean (OpenID Connect Core 1.0, 5.1).
    """
    is_verified = claims.get("email_verified")
    if claim == "email" and not isinstance(is_verified, bool):
        log.warning(
            "the provider does not vouch for addresses: email_verified is %s; another claim can be chosen by "
            "BELEPO_OIDC_CLAIM",
            "missing" if is_verified is None else f"no true or false but a {type(is_verified).__name__}",
        )
        raise Refusal("staff_login", "unverified")
    if claim == "email" and not is_verified:
        raise Refusal("staff_login", "unknown")
    address = str(claims.get(claim) or "")
    try:
        # Other letters fold to the letters of somebody else's address: "ſ" to "s" (Unicode TR36, 2.8).
        if not address.isascii():
            raise Refusal("staff_login", "unknown")
        return email_addresses.parse(address).key
    except Refusal:
        raise Refusal("staff_login", "unknown") from None


def _failed(error: Exception) -> Response:
    # The class alone: the text may hold what the provider or the browser sent.
    log.warning("the company's sign-in failed: %s at %s", type(error).__name__, request.endpoint)
    return staff_sessions.show_login(403, notice="staff.login.oidc.failed", is_refused=True)
