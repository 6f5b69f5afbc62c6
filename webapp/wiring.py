"""Builds the application's parts once."""

from importlib import import_module

from services.accounts.group import build_accounts
from services.base import Base
from services.clients.group import build_clients
from services.clock import SystemClock
from services.codes.group import build_codes
from services.figures.group import build_figures
from services.health import Health
from services.limits.group import build_limits
from services.links import Links
from services.messages.group import build_messages
from services.passwords import Hasher
from services.portal import build_portal
from services.references import References
from services.register.group import build_register
from services.registrations.group import build_registrations
from services.staff.group import build_staff
from services.store.engine import Store
from services.store.version import last_written
from services.terms import build_documents
from services.worklists.group import build_worklists
from webapp.gateways import open_gateways
from webapp.http.series import HASHES_WAITING
from webapp.journey.registry import read_profile
from webapp.parts import Demonstration, Parts
from webapp.settings import Settings


def wire(settings: Settings) -> Parts:
    """Build the application's parts. Raises ProfileError when the profile cannot be used."""
    store = Store(settings.database, synchronous=settings.sqlite_synchronous)
    # The one import of testers' code: it stays out of production's memory.
    demo: Demonstration | None = import_module("webapp.demo.mode").DemoMode(settings) if settings.demo else None
    clock = demo.clock if demo else SystemClock()
    if not demo and not settings.trust_clock:
        clock.not_before(last_written(store))
    profile, journey = read_profile(settings, None if demo else clock.now())
    base = Base(store, clock, profile, settings.keys)
    hasher = Hasher(settings.bcrypt_rounds, places=settings.hashes_at_once, watch=HASHES_WAITING.inc)
    links = Links(base.keys.known_for("links"), settings.public_url)
    documents = build_documents(base, demo.terms(profile) if demo else None)
    limits, messages, figures = build_limits(base), build_messages(base), build_figures(base)
    codes = build_codes(base, limits=limits, messages=messages)
    accounts = build_accounts(
        base, limits=limits, messages=messages, codes=codes, documents=documents, hasher=hasher,
        links=links, passkey_origin=settings.passkey_origin, has_activation=journey.has_activation,
    )  # fmt: skip
    registrations = build_registrations(
        base, journey.facts, limits=limits, register=build_register(base, limits), messages=messages, codes=codes,
        figures=figures, documents=documents, accounts=accounts, hasher=hasher,
    )  # fmt: skip
    gateways = demo.gateways(settings) if demo else open_gateways(settings)
    portal = build_portal(base, gateways, messages, limits, codes, accounts=accounts, links=links)
    staff = build_staff(
        base, limits=limits, messages=messages, codes=codes, registrations=registrations, accounts=accounts,
        portal=portal, hasher=hasher, is_second_factor_needed=not settings.demo,
    )  # fmt: skip
    return Parts(settings, base, demo, clock, Health(base), links,
        documents=documents, references=References(base), limits=limits, messages=messages, codes=codes,
        figures=figures, accounts=accounts, registrations=registrations, staff=staff,
        clients=build_clients(base, limits=limits, staff=staff, caller=gateways.caller),
        worklists=build_worklists(base, limits=limits, messages=messages, staff=staff, grants=portal.grants),
        portal=portal,
    )  # fmt: skip
