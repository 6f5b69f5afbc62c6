"""Puts the Flask application together."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import Headers
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from services import audit
from webapp import api, console
from webapp.account import activation, forgotten_password, overview, passkeys, sign_in
from webapp.api import problems
from webapp.http import forgery, limits, security
from webapp.http.assets import BUILT
from webapp.http.compression import CompressEveryStatus
from webapp.journey.registry import journey_of
from webapp.operations import health
from webapp.registration import page
from webapp.settings import Settings
from webapp.site import accessibility, declining, privacy_notice, start, terms
from webapp.ui import brand, faults, pages
from webapp.wiring import wire

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LARGEST_REQUEST = 64 * 1024


def create_app(settings: Settings) -> Flask:
    """Make the application for these settings.

    Raises ProfileError when the profile cannot be used, RuntimeError when the front-end files are not built.
    """
    app = _Application("webapp", static_folder=None)
    app.session_interface = _Sessions()
    app.config.update(_configuration(settings))
    parts = wire(settings)
    app.extensions["belepo"] = parts
    app.extensions["belepo.journey"] = journey_of(parts.profile)
    pages.set_up(app, parts)
    security.set_up(app, settings)
    app.context_processor(sign_in.frame)
    # The API has keys, and no browser sends one by itself. Mail programs post to decline an invitation, and the link's
    # token is the proof.
    # Testers' scripts have no page to take a token from.
    demo_doors = [parts.demo.blueprint] if parts.demo else []
    forgery.set_up(app, {one.name for one in (api.blueprint, declining.blueprint, *demo_doors)})
    CompressEveryStatus(app)
    app.extensions["belepo.limits"] = limits.set_up(app, parts)
    faults.set_up(app, for_programs=problems)
    app.before_request(_note_source)
    for module in (
        accessibility, overview, activation, brand, forgotten_password, declining, privacy_notice, health, passkeys,
        page, sign_in, start, terms,
    ):  # fmt: skip
        app.register_blueprint(module.blueprint)
    for name, address in console.DOORS.items():
        app.register_blueprint(console.blueprint, name=name, url_prefix=address)
    if settings.oidc_issuer:
        import_module("webapp.console.company").set_up(app, settings)  # and with it Authlib, which few need
    app.register_blueprint(api.blueprint)
    if parts.demo:
        parts.demo.set_up(app, parts)
    _serve_static(app, settings)
    return app


def _note_source() -> None:
    audit.comes_from(request.remote_addr)


class _Sessions(SecureCookieSessionInterface):
    """Flask's sessions, whose serializer is made once instead of twice a request: the keys stay what they are."""

    def __init__(self) -> None:
        self._serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs and reads the session's cookie."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer


class _Application(Flask):
    """Flask without what nothing here needs."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return what is to be called: nothing here is a coroutine, which Flask finds out a dozen times a request."""
        return func


def _configuration(settings: Settings) -> dict[str, Any]:
    newest, *older = settings.keys.known_for("sessions")
    return {
        "SECRET_KEY": newest,
        # Flask takes the last of them to be the newest.
        "SECRET_KEY_FALLBACKS": older[::-1],
        "SESSION_COOKIE_NAME": settings.cookie("session"),
        "SESSION_COOKIE_SECURE": settings.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": _LARGEST_REQUEST,
        "MAX_FORM_MEMORY_SIZE": _LARGEST_REQUEST,
        "MAX_FORM_PARTS": 60,
        # Refusals carry keys of our own catalogues; WTForms' texts are never shown.
        "WTF_I18N_ENABLED": False,
        # Pages are packed anew each time: gzip takes about half of brotli's time for as many bytes, and all read it.
        "COMPRESS_ALGORITHM": ["gzip"],
        "COMPRESS_LEVEL": 3,
        "COMPRESS_MIMETYPES": ["text/html", "text/css", "application/json"],
    }


class _Files(WhiteNoise):
    """WhiteNoise, whose answers without a file (304, 405, 416) bear the headers of every answer too.

    A file's own are put together once, at the start; nothing is added to them here.
    """

    wanted: Mapping[str, str]

    def serve(self, static_file: Any, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with the file, or with why not."""

        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            if not status.startswith("2"):
                given = Headers(headers)
                security.add_missing(given, self.wanted)
                headers = given.to_wsgi_list()
            return start_response(status, headers)

        answer: Iterable[bytes] = super().serve(static_file, environ, start)
        return answer


def _serve_static(app: Flask, settings: Settings) -> None:
    wanted = security.standing(settings)
    files = _Files(
        app.wsgi_app,
        root=BUILT,
        prefix="static/",
        # Every file is named by a hash of its content.
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=lambda headers, _path, _url: security.add_missing(headers, wanted),
    )
    files.wanted = wanted
    app.wsgi_app = files  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
