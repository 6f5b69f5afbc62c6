"""The services around the cast: an empty database with their register, a clock moved by hand, and a postman."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from obstore.store import LocalStore, MemoryStore
from sqlalchemy import delete, func, insert, select

from services import profiles, randomness
from services.accounts import (
    Session,
)
from services.accounts.group import build_accounts
from services.base import Base
from services.clients import SCOPES, ApiKey
from services.clients.group import build_clients
from services.clock import Clock
from services.codes import one_time_codes
from services.codes.group import build_codes
from services.figures.group import build_figures
from services.gateways.group import Gateways
from services.gateways.scanner import Scanner
from services.gateways.storage import ObjectStorage, Storage
from services.gateways.webhooks import HttpCaller
from services.keys import Keys
from services.limits.group import build_limits
from services.links import Links
from services.messages.composer import Composer
from services.messages.delivery import Delivery
from services.messages.group import build_messages
from services.passwords import Hasher, hash_secret
from services.portal import PortalServices, build_portal
from services.profiles import Profile
from services.register.group import build_register
from services.register.policyholders import SecondDatum
from services.registrations import Access, Registration
from services.registrations.group import build_registrations
from services.sessions import Device
from services.staff import StaffSession
from services.staff.accounts import new_member
from services.staff.group import build_staff
from services.staff.member import Actor
from services.store.engine import Store
from services.store.migrate import migrate
from services.store.tables import metadata
from services.store.tables.accounts import accounts, sessions
from services.store.tables.audit import audit
from services.store.tables.register import communication_ids, customers, phones, policies
from services.store.tables.staff import staff, staff_sessions
from services.terms import build_documents
from services.values import email_addresses
from services.worklists.group import build_worklists
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
from tests.world.outcomes import outcome_of
from tests.world.postman import Letter, Postman
from webapp.demo.terms import PublishedTerms
from webapp.worker.mailed_pages import mailed_pages

KEYS = ("the newest key of these tests, 32+ signs", "the older key of these tests, 32+ signs..")
PROFILE = profiles.load("mygenerali")
LINKS = Links(KEYS, "https://belepo.example")
COMPOSER = Composer(PROFILE, LINKS, mailed_pages())
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


def base_of(store: Store, clock: Clock, profile: Profile = PROFILE) -> Base:
    """Return what every package of services needs."""
    return Base(store, clock, profile, Keys(KEYS))


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


def world_in(folder: Path, name: str) -> "World":
    """Return the cast's world in a database of its own, `name`, and with its bytes below `folder`."""
    store = Store(f"sqlite:///{folder / name}.sqlite3")
    migrate(store)
    move_in(store)
    world = World(store)
    (folder / "bytes").mkdir()
    world.keep_letters_in(folder / "bytes")
    return world


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


class World:
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
        is_second_factor_needed: bool = True,
    ) -> None:
        self.store = store
        self.clock = clock or HandClock()
        self.profile = profile
        self.links = LINKS
        self.base = base = base_of(store, self.clock, profile)
        hasher = Hasher(4, threads=2)
        self.limits, self.documents = (
            build_limits(base),
            build_documents(base, PublishedTerms(profile, published) if published else None),
        )
        self.message_services, self.figure_services = build_messages(base), build_figures(base)
        self.code_services = build_codes(base, limits=self.limits, messages=self.message_services)
        self.register = build_register(base, self.limits)
        self.account_services = build_accounts(
            base, limits=self.limits, messages=self.message_services, codes=self.code_services,
            documents=self.documents, hasher=hasher,
            links=LINKS, passkey_origin=LINKS.public_url, has_activation=has_activation,
        )  # fmt: skip
        self.registration_services = build_registrations(
            base, facts, limits=self.limits, register=self.register, messages=self.message_services,
            codes=self.code_services, figures=self.figure_services, documents=self.documents,
            accounts=self.account_services, hasher=hasher,
        )  # fmt: skip
        self.portal = self.portal_at(ObjectStorage(MemoryStore()))
        self.staff_services = build_staff(
            base, limits=self.limits, messages=self.message_services, codes=self.code_services,
            registrations=self.registration_services, accounts=self.account_services, hasher=hasher,
            portal=self.portal, is_second_factor_needed=is_second_factor_needed,
        )  # fmt: skip
        self._name_services()
        self.postman = Postman()

    def keep_letters_in(self, folder: Path) -> None:
        """Keep the bytes of letters in a folder, so that they outlive the process."""
        self.portal = self.portal_at(ObjectStorage(LocalStore(folder)))

    def portal_at(self, storage: Storage, scanner: Scanner | None = None) -> PortalServices:
        """Return the portal's services with another storage, and perhaps a virus scanner."""
        return build_portal(
            self.base,
            Gateways(storage, HttpCaller(allows_private=False), scanner=scanner),
            self.message_services,
            self.limits,
            self.code_services,
            accounts=self.account_services,
            links=LINKS,
        )

    def _name_services(self) -> None:
        """Call the services by the short names that tests use."""
        self.allowances = self.limits.allowances
        self.outbox, self.sms_budget = self.message_services.outbox, self.message_services.sms_budget
        self.observations, self.figures = self.figure_services.funnel, self.figure_services.reports
        self.codes = self.code_services.one_time_codes
        self.terms = self.documents.terms
        self.policyholders = self.register.policyholders
        customer = self.account_services
        self.sign_ins, self.activations, self.passkeys = customer.sign_ins, customer.activations, customer.passkeys
        self.password_changes, self.account_details = customer.password_changes, customer.details
        self.devices, self.changed_terms = customer.devices, customer.changed_terms
        self.email_changes, self.mobile_changes = customer.email_changes, customer.mobile_changes
        self.registrations = self.registration_services
        staff = self.staff_services
        self.staff_sign_ins = staff.sign_ins
        self.staff, self.cases, self.search, self.contacts = staff.accounts, staff.cases, staff.search, staff.contacts
        self.stuck_registrations, self.account_help = staff.stuck_registrations, staff.account_help
        self.customer_files, self.sms_releases = staff.customer_files, staff.sms_releases
        worklists = build_worklists(
            self.base, limits=self.limits, messages=self.message_services, staff=staff, grants=self.portal.grants
        )
        self.unregistered, self.invitations = worklists.unregistered, worklists.invitations
        self.quality_cases, self.marks, self.worklist_worker = worklists.data_issues, worklists.marks, worklists.worker
        self.dispatch, self.scan = self.worklist_worker.dispatch, self.worklist_worker.scan
        clients = build_clients(self.base, limits=self.limits, staff=staff, caller=HttpCaller(allows_private=False))
        self.api_keys, self.answers = clients.api_keys, clients.idempotency
        self.client_registrations = clients.registrations

    # --- The post --------------------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Deliver what waits."""
        senders = {"email": self.postman, "sms": self.postman}
        composer = Composer(self.profile, LINKS, mailed_pages(), self.portal.letters.enclosing)
        delivery = Delivery(self.store, self.clock, composer, senders, self.undelivered, sms_budget=self.sms_budget)
        delivery.delivered = self.portal.letters.notifications.delivered
        while delivery.deliver_due(64):
            pass

    def undelivered(self, connection: Any, topic: str, may_have_arrived: bool) -> None:
        """Give a code back that did not arrive, as the server does."""
        kutid = one_time_codes.whose(topic)
        if kutid is not None:
            self.codes.give_back(connection, kutid, may_have_arrived=may_have_arrived)
        self.portal.letters.notifications.undelivered(connection, topic)
        self.portal.letters.reminding.undelivered(connection, topic)

    def letters(self, kind: str, to: str = "") -> list[Letter]:
        """Return what has arrived, oldest first."""
        self.deliver()
        return [letter for letter in self.postman.letters if letter.kind == kind and to in ("", letter.to)]

    def access_by_mail(self, to: str, browser: str = BROWSER) -> Access:
        """Return the access of a browser that opens the newest link mailed to this address."""
        link = self.letters("email", to)[-1].link
        assert link is not None
        opaque_id = self.links.read("confirm", link.partition("token=")[2])
        assert opaque_id is not None
        return Access.by_link(opaque_id, browser)

    def code_sent(self, to: str) -> str:
        """Return the newest code sent to this mobile."""
        return self.letters("sms", to)[-1].code

    # --- A customer's way, up to a step ----------------------------------------------------------------------

    def identified(self, person: Customer) -> Access:
        begun = self.registrations.identification.identify(person.policy_number, person.knows, "hu", browser=BROWSER)
        return Access(begun.id, browser=BROWSER)

    def mailed(self, person: Customer) -> Access:
        access = self.identified(person)
        self.registrations.emails.choose_email(access, person.address)
        return access

    def linked(self, person: Customer) -> Access:
        self.mailed(person)
        return self.access_by_mail(person.email)

    def sent_code(self, person: Customer) -> Access:
        access = self.linked(person)
        self.registrations.mobiles.choose_mobile(access, person.mobile)
        return access

    def confirmed(self, person: Customer) -> Access:
        access = self.sent_code(person)
        self.registrations.mobiles.confirm_mobile(access, self.code_sent(person.mobile))
        return access

    def accepted(self, person: Customer) -> Access:
        access = self.confirmed(person)
        self.accept_terms(access)
        return access

    def accept_terms(self, access: Access) -> Registration:
        self.registrations.consents.open_terms(access, self.terms.in_force(self.clock.now()).version)
        return self.registrations.consents.accept_terms(access)

    def registered(self, person: Customer) -> Access:
        access = self.accepted(person)
        self.registrations.completion.complete(access, PASSWORD)
        return access

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
        return outcome_of(self.sign_ins.sign_in, person.address.key, password, device)

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
        token = self.staff_sign_ins.sign_in_vouched(address.key, LAPTOP)
        with self.store.write() as connection:  # what tests find in the audit trail is what the member does from now on
            connection.execute(delete(audit).where(audit.c.actor == row["id"]))
        return self.at_work(token)

    def client(self, name: str = "G3", adviser: str | None = None) -> ApiKey:
        """Return a new client of the API that may do everything."""
        return self.api_keys.add(name, SCOPES, adviser=adviser)[0]

    def at_work(self, token: str) -> StaffSession:
        """Return the session behind what a member's browser holds."""
        seen = self.staff_sign_ins.resume(token, is_activity=False)
        assert seen is not None
        return seen

    def as_it_stands(self, session: StaffSession) -> StaffSession:
        """Return a session with whom its last search found."""
        (row,) = (row for row in self.rows(staff_sessions) if row.id == session.id)
        return replace(session, found=None if row.found is None else tuple(row.found))

    def case(self, by: Actor, person: Customer) -> str:
        """Return a case of a customer who was found and identified."""
        if isinstance(by, StaffSession):
            case_id = self.search.search(by, person.policy_number)
            assert case_id is not None
        else:
            case_id = self.search.look_up(by, "policy_number", person.policy_number)
        self.cases.identify(by, case_id, "call")
        return case_id

    def mark(self, session: StaffSession, person: Customer) -> str:
        """Return the mark by which a worklist shows a customer to this session."""
        return self.marks.seal(session, "customer", person.kutid)

    def deeds(self, by: Actor) -> list[str]:
        """Return what of somebody's doing stands in the audit trail."""
        return [row.action for row in self.rows(audit) if row.actor == by.actor]

    # --- What came of it -------------------------------------------------------------------------------------

    def see(self, access: Access) -> Registration:
        seen = self.registrations.records.find(access)
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
