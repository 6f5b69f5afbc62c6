"""Builds the application's parts once."""

from datetime import datetime
from importlib import import_module
from pathlib import Path

from services.accounts import AccountDetails, Activations, Passkeys, PasswordChanges, SignIns
from services.accounts.checks import Checks
from services.accounts.notices import Notices
from services.accounts.sessions import Sessions
from services.clients import Answers, ApiKeys, ClientRegistrations
from services.clock import SystemClock
from services.codes.one_time_codes import OneTimeCodes, Seals
from services.codes.sending import CodeSender
from services.figures import Figures, Observations
from services.health import Health
from services.limits.allowances import Allowances
from services.limits.waits import Tries
from services.links import Links
from services.messages.outbox import Outbox
from services.messages.sms_budget import Postage
from services.passwords import Hasher
from services.profiles import Profile
from services.profiles import load as load_profile
from services.references import References
from services.register.policyholders import PolicyHolders
from services.registrations import Registrations
from services.registrations.assisted import AssistedRegistrations
from services.staff import Cases, CustomerFiles, Desk, SmsReleases, StaffAccounts
from services.staff.second_factor import SecondFactors
from services.store.engine import Store
from services.store.version import last_written
from services.terms import TermsVersions
from services.worklists import Chores, Invitations, QualityCases, Unregistered
from services.worklists.marks import Marks
from services.worklists.rounds import Rounds
from services.worklists.sweep import QualitySweep
from webapp.journey.journey import Journey
from webapp.journey.registry import journey_of
from webapp.parts import Demonstration, Parts
from webapp.settings import Settings


def wire(settings: Settings) -> Parts:
    """Build the application's parts. Raises ProfileError when the profile cannot be used."""
    store = open_store(settings)
    # The one import of testers' code: it stays out of production's memory.
    demo: Demonstration | None = import_module("webapp.demo.mode").DemoMode(settings) if settings.demo else None
    clock = demo.clock if demo else SystemClock()
    if not demo and not settings.trust_clock:
        clock.not_before(last_written(store))
    # Testers set their clock back to the machine's time: what is in force by that is in force by theirs.
    profile, journey = read_profile(settings, None if demo else clock.now())
    allowances = Allowances(settings.keys_for("limits")[-1])
    hasher = Hasher(settings.bcrypt_rounds, places=settings.hashes_at_once)
    outbox = Outbox(store, clock)
    postage = Postage(store, clock, profile)
    observations = Observations(store, clock, profile)
    codes = OneTimeCodes(profile.one_time_code, settings.keys_known_for("one-time codes"), postage.is_stopped)
    code_sender = CodeSender(profile.one_time_code, codes, allowances, outbox)
    notice = TermsVersions(profile, kind="notice")
    terms = demo.terms(profile) if demo else TermsVersions(profile)
    sessions = Sessions(profile.sign_in)
    tries = Tries(profile.sign_in, allowances)
    checks = Checks(store, clock, tries, hasher)
    notices = Notices(outbox, profile.texts)
    activations = Activations(
        store,
        clock,
        profile,
        is_wanted=journey.has_activation,
        sessions=sessions,
        seals=Seals(profile.one_time_code, settings.keys_known_for("one-time codes")),
        allowances=allowances,
        outbox=outbox,
    )
    cases = Cases(store, clock, profile)
    marks = Marks(settings.secret_keys)
    assisted = AssistedRegistrations(
        profile, journey.facts, allowances=allowances, codes=codes, outbox=outbox, observations=observations
    )
    password_changes = PasswordChanges(
        store,
        clock,
        profile,
        sessions=sessions,
        tries=tries,
        checks=checks,
        allowances=allowances,
        notices=notices,
        hasher=hasher,
    )
    account_details = AccountDetails(
        store,
        clock,
        profile,
        sessions=sessions,
        checks=checks,
        allowances=allowances,
        codes=codes,
        code_sender=code_sender,
        notices=notices,
        outbox=outbox,
    )
    customer_files = CustomerFiles(store, clock, assisted, codes)
    desk = Desk(
        store,
        clock,
        profile,
        cases=cases,
        registrations=assisted,
        activations=activations,
        account_details=account_details,
        password_changes=password_changes,
        codes=codes,
        code_sender=code_sender,
        allowances=allowances,
        outbox=outbox,
    )
    links = Links(settings.keys_known_for("links"), settings.public_url)
    sign_ins = SignIns(
        store,
        clock,
        profile,
        sessions=sessions,
        tries=tries,
        allowances=allowances,
        terms=terms,
        notices=notices,
        hasher=hasher,
    )
    return Parts(
        settings=settings,
        demo=demo,
        profile=profile,
        store=store,
        clock=clock,
        health=Health(store, clock),
        links=links,
        outbox=outbox,
        postage=postage,
        observations=observations,
        figures=Figures(store, profile),
        terms=terms,
        notice=notice,
        references=References(store, clock),
        registrations=Registrations(
            store,
            clock,
            profile,
            journey.facts,
            allowances=allowances,
            policyholders=PolicyHolders(profile.identification, allowances, tries),
            codes=codes,
            code_sender=code_sender,
            terms=terms,
            notice=notice,
            outbox=outbox,
            hasher=hasher,
            activations=activations,
        ),
        activations=activations,
        sign_ins=sign_ins,
        passkeys=Passkeys(
            store,
            clock,
            profile,
            origin=settings.passkey_origin,
            links=links,
            sessions=sessions,
            sign_ins=sign_ins,
            checks=checks,
            allowances=allowances,
            notices=notices,
        ),
        password_changes=password_changes,
        account_details=account_details,
        staff=StaffAccounts(
            store,
            clock,
            profile.sign_in,
            tries=tries,
            hasher=hasher,
            factors=SecondFactors(settings.secret_keys),
            is_second_factor_needed=not settings.demo,
        ),
        cases=cases,
        customer_files=customer_files,
        desk=desk,
        unregistered=Unregistered(store, clock, cases=cases, marks=marks),
        invitations=Invitations(store, clock, profile, marks=marks),
        quality_cases=QualityCases(store, clock, cases=cases, marks=marks),
        chores=Chores(Rounds(store, clock, profile, outbox), QualitySweep(store, clock, profile, allowances)),
        api_keys=ApiKeys(store, clock, tries),
        api_answers=Answers(store, clock, settings.keys_for("answers of the API")[-1]),
        client_registrations=ClientRegistrations(clock, cases, customer_files, desk),
        sms_releases=SmsReleases(store, clock, postage),
        hasher=hasher,
        codes=codes,
    )


def read_profile(settings: Settings, now: datetime | None = None) -> tuple[Profile, Journey]:
    """Read the profile that the settings name, and its journey.

    Raises ProfileError for whatever in them would keep the server from starting at `now`, or the machine's time.
    """
    profile = load_profile(settings.profile, hardened=settings.hardened, now=now)
    return profile, journey_of(profile)


def open_store(settings: Settings) -> Store:
    """Open the database that the settings name, making the folder of an embedded one."""
    store = Store(settings.database, synchronous=settings.sqlite_synchronous)
    if store.is_sqlite and store.url.database:
        Path(store.url.database).parent.mkdir(parents=True, exist_ok=True)
    return store
