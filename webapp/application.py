"""Puts the Flask application together."""

from importlib import import_module
from typing import Any

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from services import audit
from webapp import api, console
from webapp.account import (
    activation,
    closing,
    email,
    forgotten_password,
    mobile,
    overview,
    passkeys,
    password,
    sign_in,
    terms_update,
)
from webapp.api import problems
from webapp.http import bodies, forgery, limits, security, static_files, watching
from webapp.http.addresses import Application
from webapp.http.compression import CompressEveryStatus
from webapp.journey.registry import journey_of
from webapp.operations import health
from webapp.parts import Parts
from webapp.portal import (
    claims,
    contracts,
    files,
    home,
    invoices,
    letter,
    letter_password,
    letters,
    payments,
    places,
    request_new,
    requests,
    uploads,
)
from webapp.registration import page
from webapp.settings import Settings, SettingsError
from webapp.site import accessibility, declining, privacy_notice, start, terms
from webapp.ui import brand, faults, pages
from webapp.wiring import wire


def create_app(settings: Settings) -> Flask:
    """Make the application for these settings.

    Raises ProfileError when the profile cannot be used, RuntimeError when the front-end files are not built.
    """
    app = Application("webapp")
    app.config.update(_configuration(settings))
    parts = wire(settings)
    app.extensions["belepo"] = parts
    app.extensions["belepo.journey"] = journey_of(parts.profile)
    watching.set_up(app)
    pages.set_up(app, parts)
    security.set_up(app, settings)
    app.context_processor(sign_in.frame)
    app.context_processor(places.frame)
    # The API has keys, and no browser sends one by itself. Mail programs post to decline an invitation, and the link's
    # token is the proof. Testers' scripts have no page to take a token from.
    # A payment provider's call is a hint alone.
    demo_doors = parts.demo.blueprints if parts.demo else ()
    uploads.set_up(app, {claims.blueprint.name: claims.turn_away, console.PARTNER: console.turn_away})
    open_doors = (api.blueprint, declining.blueprint, payments.hints, *demo_doors)
    forgery.set_up(app, {one.name for one in open_doors})
    CompressEveryStatus(app)
    app.extensions["belepo.limits"] = limits.set_up(app, parts)
    faults.set_up(app, for_programs=problems)
    app.before_request(_note_source)
    for module in (
        accessibility, activation, brand, claims, closing, contracts, declining, email, files, forgotten_password,
        health, home, invoices, letter, letter_password, letters, mobile, overview, page, passkeys, password,
        payments, privacy_notice, request_new, requests, sign_in, start, terms, terms_update, uploads,
    ):  # fmt: skip
        app.register_blueprint(module.blueprint)
    app.register_blueprint(payments.hints)
    console.open_doors(app)
    if settings.oidc_issuer:
        import_module("webapp.console.company").set_up(app, settings)  # and with it Authlib, which few need
    app.register_blueprint(api.blueprint)
    if parts.demo:
        parts.demo.set_up(app, parts)
    static_files.set_up(app, settings)
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    tracing = _tracing(settings, parts) if settings.traces_url else None
    pages_watched = watching.watched(app.wsgi_app, is_behind_proxy=hops > 0, tracing=tracing)
    app.wsgi_app = pages_watched  # type: ignore[method-assign,assignment]
    return app


def _tracing(settings: Settings, parts: Parts) -> watching.Tracing:
    try:
        traces = import_module("webapp.operations.traces")  # and with it OpenTelemetry, which few have
    except ModuleNotFoundError as error:
        raise SettingsError("BELEPO_TRACES_URL needs further packages: pip install 'belepo[traces]'.") from error
    tracing: watching.Tracing = traces.tracing(
        settings.traces_url, parts.health, is_behind_proxy=settings.trusted_proxies > 0
    )
    return tracing


def _note_source() -> None:
    audit.comes_from(request.remote_addr)


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
        "MAX_CONTENT_LENGTH": bodies.LARGEST_FORM,
        "MAX_FORM_MEMORY_SIZE": bodies.LARGEST_FORM,
        "MAX_FORM_PARTS": 60,
        # Refusals carry keys of our own catalogues; WTForms' texts are never shown.
        "WTF_I18N_ENABLED": False,
        # Pages are packed anew each time: gzip takes about half of brotli's time for as many bytes, and all read it.
        "COMPRESS_ALGORITHM": ["gzip"],
        "COMPRESS_LEVEL": 3,
        "COMPRESS_MIMETYPES": ["text/html", "text/css", "application/json"],
    }
