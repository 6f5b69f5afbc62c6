"""The application's parts, as every view and step may use them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from flask import Blueprint, Flask, current_app

from services.accounts import AccountDetails, Activations, Passkeys, PasswordChanges, SignIns
from services.clients import Answers, ApiKeys, ClientRegistrations
from services.clock import SystemClock
from services.codes.one_time_codes import OneTimeCodes
from services.figures import Figures, Observations
from services.health import Health
from services.links import Links
from services.messages.outbox import Outbox
from services.messages.senders import Sender
from services.messages.sms_budget import Postage
from services.passwords import Hasher
from services.profiles import Profile
from services.references import References
from services.registrations import Registrations
from services.staff import Cases, CustomerFiles, Desk, SmsReleases, StaffAccounts
from services.store.engine import Store
from services.terms import TermsVersions
from services.worklists import Chores, Invitations, QualityCases, Unregistered
from webapp.settings import Settings


class Demonstration(Protocol):
    """What demo mode adds (`webapp.demo.mode`); production imports nothing of it."""

    @property
    def blueprint(self) -> Blueprint:
        """The testers' doors."""
        ...

    @property
    def clock(self) -> SystemClock:
        """The clock, which testers move."""
        ...

    @property
    def moved_by(self) -> timedelta:
        """How far testers have moved the clock."""
        ...

    def terms(self, profile: Profile) -> TermsVersions:
        """Return the terms, to which testers add versions."""
        ...

    def set_up(self, app: Flask, parts: "Parts") -> None:
        """Add the testers' doors to the application, and the moved clock to its pages."""
        ...

    def sender(self, parts: "Parts", way_out: Sender | None) -> Sender:
        """Return what puts messages into the inbox, after it has sent them by `way_out` if there is one."""
        ...

    def seed(self, parts: "Parts") -> None:
        """Fill an empty database with the demo customers and staff."""
        ...

    def greeting(self, parts: "Parts") -> str:
        """Return what a tester needs to begin."""
        ...


@dataclass(frozen=True)
class Parts:
    """The application's parts, put together."""

    settings: Settings
    demo: Demonstration | None
    """None in production."""
    profile: Profile
    store: Store
    clock: SystemClock
    health: Health
    links: Links
    outbox: Outbox
    postage: Postage
    observations: Observations
    figures: Figures
    terms: TermsVersions
    notice: TermsVersions
    references: References
    registrations: Registrations
    sign_ins: SignIns
    activations: Activations
    passkeys: Passkeys
    password_changes: PasswordChanges
    account_details: AccountDetails
    staff: StaffAccounts
    cases: Cases
    customer_files: CustomerFiles
    desk: Desk
    unregistered: Unregistered
    invitations: Invitations
    quality_cases: QualityCases
    chores: Chores
    api_keys: ApiKeys
    api_answers: Answers
    client_registrations: ClientRegistrations
    sms_releases: SmsReleases
    hasher: Hasher
    codes: OneTimeCodes


def wired() -> Parts:
    """Return the parts of the application that answers this request."""
    parts: Parts = current_app.extensions["belepo"]
    return parts
