"""The services around the cast: an empty database with their register, a clock moved by hand, and a postman."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select

from services import profiles, randomness
from services.accounts import (
    AccountDetails,
    Activations,
    Device,
    PasswordChanges,
    Session,
    SignIns,
)
from services.accounts.checks import Checks
from services.accounts.notices import Notices
from services.accounts.sessions import Sessions
from services.clients import SCOPES, Answers, ApiKey, ApiKeys, ClientRegistrations
from services.clock import Clock
from services.codes import one_time_codes
from services.codes.one_time_codes import OneTimeCodes, Seals
from services.codes.sending import CodeSender
from services.figures import Figures, Observations
from services.limits.allowances import Allowances
from services.limits.waits import Tries
from services.links import Links
from services.messages.composer import Composer
from services.messages.delivery import Delivery
from services.messages.outbox import Outbox
from services.messages.sms_budget import Postage
from services.passwords import Hasher, hash_secret
from services.profiles import Profile
from services.register.policyholders import PolicyHolders, SecondDatum
from services.registrations import Registration, Registrations, Visit
from services.registrations.assisted import AssistedRegistrations
from services.staff import Cases, CustomerFiles, Desk, SmsReleases, StaffAccounts, StaffSession
from services.staff.accounts import new_member
from services.staff.member import Actor
from services.staff.second_factor import SecondFactors
from services.store.engine import Store
from services.store.tables import metadata
from services.store.tables.accounts import accounts, sessions
from services.store.tables.audit import audit
from services.store.tables.register import communication_ids, customers, phones, policies
from services.store.tables.staff import staff, staff_sessions
from services.terms import TermsVersions
from services.values import email_addresses
from services.worklists import Chores, Invitations, QualityCases, Unregistered
from services.worklists.marks import Marks
from services.worklists.rounds import Rounds
from services.worklists.sweep import QualitySweep
from tests.world.cast import (
    ANNA,
    ANNAS_OTHER_MOBILE,
    COMMUNICATION_ID,
    COMMUNICATION_PASSWORD,
    CROWD,
    ESZTER,
    GABOR,
    ILONA,
    ILONAS_LANDLINE,
    LAPTOP,
    LASZLO,
    MINTA,
    PASSWORD,
    PETER,
    PHONE,
    Customer,
)
from tests.world.clock import HandClock
from tests.world.outcomes import said
from tests.world.postman import Letter, Postman

KEYS = ("the newest key of these tests, 32+ signs", "the older key of these tests, 32+ signs..")
PROFILE = profiles.load("mygenerali")
LINKS = Links(KEYS, "https://belepo.example")
COMPOSER = Composer(PROFILE, LINKS)
FACTS = (
    "identifier",
    "email",
    "email_confirmed_at",
    "mobile",
    "mobile_confirmed_at",
    "terms_accepted_at",
    "is_complete",
)
BROWSER = "the mark of the customer's browser"
WRONG = SecondDatum(date(1984, 3, 14))


def move_in(store: Store) -> None:
    """Fill an empty register with the cast."""
    cast = (ANNA, MINTA, PETER, ILONA, GABOR, ESZTER, LASZLO, *CROWD)
    numbers = [(person, person.mobile, True) for person in cast if person.mobile]
    with store.write() as connection:
        connection.execute(insert(customers), [_customer(person) for person in cast])
        connection.execute(
            insert(policies),
            [
                {"policy_number": p.policy_number, "kutid": p.kutid, "status": "cancelled" if p is PETER else "live"}
                for p in cast
            ],
        )
        connection.execute(
            insert(phones),
            [
                {"kutid": person.kutid, "policy_number": person.policy_number, "number": number, "is_mobile": is_mobile}
                for person, number, is_mobile in (
                    *numbers,
                    (ANNA, ANNAS_OTHER_MOBILE, True),
                    (ILONA, ILONAS_LANDLINE, False),
                )
            ],
        )
        connection.execute(
            insert(communication_ids).values(
                communication_id=COMMUNICATION_ID,
                kutid=ANNA.kutid,
                password_hash=hash_secret(COMMUNICATION_PASSWORD, 4),
            )
        )


def _customer(person: Customer) -> dict[str, Any]:
    # A stored tax number regularly lacks the part from the hyphen on (M13).
    tax_number = person.knows.tax_number
    stored = tax_number.core if tax_number and person is GABOR else tax_number
    return {
        "kutid": person.kutid,
        "holder_type": "company" if stored else "person",
        "name": person.name,
        "birth_date": person.knows.birth_date,
        "tax_number": str(stored) if stored else None,
    }


class House:
    """The services of a registration, put together as the server does it, and what a customer would do with them."""

    def __init__(
        self,
        store: Store,
        clock: Clock | None = None,
        profile: Profile = PROFILE,
        facts: Sequence[str] = FACTS,
        published: Path | None = None,
        *,
        has_activation: bool = False,
    ) -> None:
        self.store = store
        self.clock = clock or HandClock()
        self.profile = profile
        self.links = LINKS
        self.outbox = Outbox(store, self.clock)
        self.allowances = Allowances(KEYS[-1])
        self.postage = Postage(store, self.clock, profile)
        self.observations = Observations(store, self.clock, profile)
        self.figures = Figures(store, profile)
        self.codes = OneTimeCodes(profile.one_time_code, KEYS, self.postage.is_stopped)
        code_sender = CodeSender(profile.one_time_code, self.codes, self.allowances, self.outbox)
        self.terms = TermsVersions(profile, published)
        hasher = Hasher(4, threads=2)
        sessions_, tries = Sessions(profile.sign_in), Tries(profile.sign_in, self.allowances)
        self.policyholders = PolicyHolders(profile.identification, self.allowances, tries)
        self.activations = Activations(
            store,
            self.clock,
            profile,
            is_wanted=has_activation,
            sessions=sessions_,
            seals=Seals(profile.one_time_code, KEYS),
            allowances=self.allowances,
            outbox=self.outbox,
        )
        self.registrations = Registrations(
            store,
            self.clock,
            profile,
            facts,
            allowances=self.allowances,
            policyholders=self.policyholders,
            codes=self.codes,
            code_sender=code_sender,
            terms=self.terms,
            notice=TermsVersions(profile, kind="notice"),
            outbox=self.outbox,
            hasher=hasher,
            activations=self.activations,
        )
        checks, notices = Checks(store, self.clock, tries, hasher), Notices(self.outbox, profile.texts)
        self.sign_ins = SignIns(
            store,
            self.clock,
            profile,
            sessions=sessions_,
            tries=tries,
            allowances=self.allowances,
            terms=self.terms,
            notices=notices,
            hasher=hasher,
        )
        self.password_changes = PasswordChanges(
            store,
            self.clock,
            profile,
            sessions=sessions_,
            tries=tries,
            checks=checks,
            allowances=self.allowances,
            notices=notices,
            hasher=hasher,
        )
        self.account_details = AccountDetails(
            store,
            self.clock,
            profile,
            sessions=sessions_,
            checks=checks,
            allowances=self.allowances,
            codes=self.codes,
            code_sender=code_sender,
            notices=notices,
            outbox=self.outbox,
        )
        self.staff = StaffAccounts(
            store, self.clock, profile.sign_in, tries=tries, hasher=hasher, factors=SecondFactors(KEYS)
        )
        self.cases = Cases(store, self.clock, profile)
        assisted = AssistedRegistrations(
            profile,
            facts,
            allowances=self.allowances,
            codes=self.codes,
            outbox=self.outbox,
            observations=self.observations,
        )
        self.customer_files = CustomerFiles(store, self.clock, assisted, self.codes)
        self.desk = Desk(
            store,
            self.clock,
            profile,
            cases=self.cases,
            registrations=assisted,
            activations=self.activations,
            account_details=self.account_details,
            password_changes=self.password_changes,
            codes=self.codes,
            code_sender=code_sender,
            allowances=self.allowances,
            outbox=self.outbox,
        )
        self.marks = marks = Marks(KEYS)
        self.unregistered = Unregistered(store, self.clock, cases=self.cases, marks=marks)
        self.invitations = Invitations(store, self.clock, profile, marks=marks)
        self.quality_cases = QualityCases(store, self.clock, cases=self.cases, marks=marks)
        self.rounds = Rounds(store, self.clock, profile, self.outbox)
        self.sweep = QualitySweep(store, self.clock, profile, self.allowances)
        self.chores = Chores(self.rounds, self.sweep)
        self.api_keys = ApiKeys(store, self.clock, tries)
        self.answers = Answers(store, self.clock, KEYS[-1])
        self.client_registrations = ClientRegistrations(self.clock, self.cases, self.customer_files, self.desk)
        self.sms_releases = SmsReleases(store, self.clock, self.postage)
        self.postman = Postman()

    # --- The post --------------------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Deliver what waits."""
        senders = {"email": self.postman, "sms": self.postman}
        delivery = Delivery(self.store, self.clock, COMPOSER, senders, self.undelivered, postage=self.postage)
        while delivery.deliver_due(64):
            pass

    def undelivered(self, connection: Any, topic: str, may_have_arrived: bool) -> None:
        """Give a code back that did not arrive, as the server does."""
        kutid = one_time_codes.whose(topic)
        if kutid is not None:
            self.codes.give_back(connection, kutid, may_have_arrived=may_have_arrived)

    def letters(self, kind: str, to: str = "") -> list[Letter]:
        """Return what has arrived, oldest first."""
        self.deliver()
        return [letter for letter in self.postman.letters if letter.kind == kind and to in ("", letter.to)]

    def visit_by_mail(self, to: str, browser: str = BROWSER) -> Visit:
        """Return the visit of a browser that opens the newest link mailed to this address."""
        link = self.letters("email", to)[-1].link
        assert link is not None
        opaque_id = self.links.read("confirm", link.partition("token=")[2])
        assert opaque_id is not None
        return Visit.by_link(opaque_id, browser)

    def code_sent(self, to: str) -> str:
        """Return the newest code sent to this mobile."""
        return self.letters("sms", to)[-1].code

    # --- A customer's way, up to a step ----------------------------------------------------------------------

    def identified(self, person: Customer) -> Visit:
        begun = self.registrations.identify(person.policy_number, person.knows, "hu", browser=BROWSER)
        return Visit(begun.id, browser=BROWSER)

    def mailed(self, person: Customer) -> Visit:
        visit = self.identified(person)
        self.registrations.choose_email(visit, person.address)
        return visit

    def linked(self, person: Customer) -> Visit:
        self.mailed(person)
        return self.visit_by_mail(person.email)

    def sent_code(self, person: Customer) -> Visit:
        visit = self.linked(person)
        self.registrations.choose_mobile(visit, person.mobile)
        return visit

    def confirmed(self, person: Customer) -> Visit:
        visit = self.sent_code(person)
        self.registrations.confirm_mobile(visit, self.code_sent(person.mobile))
        return visit

    def accepted(self, person: Customer) -> Visit:
        visit = self.confirmed(person)
        self.accept_terms(visit)
        return visit

    def accept_terms(self, visit: Visit) -> Registration:
        self.registrations.open_terms(visit, self.terms.in_force(self.clock.now()).version)
        return self.registrations.accept_terms(visit)

    def registered(self, person: Customer) -> Visit:
        visit = self.accepted(person)
        self.registrations.complete(visit, PASSWORD)
        return visit

    # --- A customer with an account --------------------------------------------------------------------------

    def signed_in(self, person: Customer, device: Device = PHONE, password: str = PASSWORD) -> Session:
        """Return a new session of somebody who has registered."""
        return self.session(self.sign_ins.sign_in(person.address.key, password, device))

    def session(self, token: str) -> Session:
        """Return the session behind what a browser holds, as it stands now."""
        seen = self.sign_ins.resume(token, is_activity=False)
        assert seen is not None
        return seen

    def session_of(self, session: Session) -> Session:
        """Return a session as it stands now, however its secret has changed."""
        (row,) = (row for row in self.rows(sessions) if row.id == session.id)
        return replace(session, ended_by=row.ended_by)

    def comes_in(self, person: Customer, password: str, device: Device = PHONE) -> str:
        """Try to sign in and return the answer."""
        return said(self.sign_ins.sign_in, person.address.key, password, device)

    def fail(self, person: Customer, times: int, device: Device = LAPTOP) -> None:
        """Fail so often to sign in, each time looked at."""
        for _ in range(times):
            assert self.comes_in(person, "not the password", device) == "login.failed"

    def reset_link(self, person: Customer) -> str:
        """Ask for a new password and return the id in the mailed link."""
        self.password_changes.ask_for_reset(person.address, "hu")
        return self.mailed_id("reset", person.email)

    def mailed_id(self, purpose: str, to: str) -> str:
        """Return the id in the newest link of this purpose that was mailed to an address."""
        links = [letter.link for letter in self.letters("email", to) if letter.link and "token=" in letter.link]
        ids = [self.links.read(purpose, link.partition("token=")[2]) for link in links]
        return [opaque_id for opaque_id in ids if opaque_id][-1]

    def told(self, message: str, to: str) -> int:
        """Return how many mails of a kind have reached an address."""
        subject = self.profile.texts.say(f"mail.{message}.subject", "hu")
        return sum(letter.subject == subject for letter in self.letters("email", to))

    # --- Staff -----------------------------------------------------------------------------------------------

    def member(self, role: str = "service", name: str = "Kiss Orsolya", adviser: str | None = None) -> StaffSession:
        """Return a new session of a new member of staff."""
        address = email_addresses.parse(f"{randomness.characters(8)}@example.hu")
        row = new_member(address, name, role, "no password", adviser=adviser, totp_secret=None, now=self.clock.now())
        with self.store.write() as connection:
            connection.execute(insert(staff), row)
        token = self.staff.sign_in_vouched(address.key, LAPTOP)
        with self.store.write() as connection:  # what tests find in the audit trail is what the member does from now on
            connection.execute(delete(audit).where(audit.c.actor == row["id"]))
        return self.at_work(token)

    def client(self, name: str = "G3", adviser: str | None = None) -> ApiKey:
        """Return a new client of the API that may do everything."""
        return self.api_keys.add(name, SCOPES, adviser=adviser)[0]

    def at_work(self, token: str) -> StaffSession:
        """Return the session behind what a member's browser holds."""
        seen = self.staff.resume(token, is_activity=False)
        assert seen is not None
        return seen

    def as_it_stands(self, session: StaffSession) -> StaffSession:
        """Return a session with whom its last search found."""
        (row,) = (row for row in self.rows(staff_sessions) if row.id == session.id)
        return replace(session, found=None if row.found is None else tuple(row.found))

    def case(self, by: Actor, person: Customer) -> str:
        """Return a case of a customer who was found and identified."""
        if isinstance(by, StaffSession):
            case_id = self.cases.search(by, person.policy_number)
            assert case_id is not None
        else:
            case_id = self.cases.look_up(by, "policy_number", person.policy_number)
        self.cases.identify(by, case_id, "call")
        return case_id

    def mark(self, session: StaffSession, person: Customer) -> str:
        """Return the mark by which a worklist shows a customer to this session."""
        return self.marks.seal(session, "customer", person.kutid)

    def deeds(self, by: Actor) -> list[str]:
        """Return what of somebody's doing stands in the audit trail."""
        return [row.action for row in self.rows(audit) if row.actor == by.actor]

    # --- What came of it -------------------------------------------------------------------------------------

    def see(self, visit: Visit) -> Registration:
        seen = self.registrations.find(visit)
        assert seen is not None
        return seen

    def accounts(self) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(accounts).order_by(accounts.c.created_at)).all())

    def rows(self, table: Any) -> list[Any]:
        # PostgreSQL puts new rows where erased ones were.
        query = select(table).order_by(audit.c.id) if table is audit else select(table)
        with self.store.read() as connection:
            return list(connection.execute(query).all())

    def everything(self, *but: Any) -> dict[str, list[Any]]:
        """Return all that the database holds, except the tables named."""
        return {table.name: sorted(self.rows(table), key=repr) for table in metadata.sorted_tables if table not in but}

    def count(self, table: Any) -> int:
        with self.store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
