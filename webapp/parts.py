"""The application's parts, as every view and step may use them."""

from dataclasses import dataclass

from flask import current_app

from services.accounts import AccountDetails, Activations, Passkeys, PasswordChanges, SignIns
from services.clients import Answers, ApiKeys, ClientRegistrations
from services.clock import SystemClock
from services.codes.one_time_codes import OneTimeCodes
from services.figures import Figures, Observations
from services.links import Links
from services.messages.outbox import Outbox
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


@dataclass(frozen=True)
class Parts:
    """The application's parts, put together."""

    settings: Settings
    profile: Profile
    store: Store
    clock: SystemClock
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
