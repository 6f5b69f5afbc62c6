"""The application in this process, and visitors of it who send requests as a browser would."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.registrations import Access
from services.store.tables import metadata
from services.store.tables.register import REGISTER
from services.texts import Texts
from tests.world.cast import ANNA, PASSWORD, Customer
from tests.world.demonstration import Demonstration, code_in
from tests.world.pages import Page
from tests.world.walk import FIRST, Walk, names_of
from webapp.demo import seed
from webapp.demo.clock import DemoClock
from webapp.demo.mode import DemoMode
from webapp.demo.states.reading import values_of
from webapp.demo.terms import PublishedTerms
from webapp.parts import Parts


class Secrets:
    """What must never stand in a log: everything that a visitor typed and every message held."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.tokens: set[str] = set()
        """Those of mailed links."""

    def add(self, *values: str) -> None:
        """Remember more of them; what is too short would be found by chance."""
        self.known.update(value for value in values if len(value) >= 4)


class Site(Demonstration):
    """One application: what it opens to testers, and a look into its database."""

    def __init__(self, app: Flask, secrets: Secrets) -> None:
        self.app = app
        self.secrets = secrets
        self.parts: Parts = app.extensions["belepo"]

    @property
    def texts(self) -> Texts:
        """The words of the pages."""
        return self.parts.profile.texts

    @property
    def language(self) -> str:
        """The insurer's first language."""
        return self.parts.profile.languages[0]

    def say(self, key: str, language: str = "hu", **facts: Any) -> str:
        """Return a text as a page shows it, spaces made alike."""
        return " ".join(self.texts.say(key, language, **facts).split())

    def empty(self) -> None:
        """Back to the register alone, and to a morning."""
        with self.parts.store.write() as connection:
            for table in reversed(metadata.sorted_tables):
                if table not in REGISTER:
                    connection.execute(table.delete())
        assert isinstance(self.parts.clock, DemoClock)
        self.parts.clock.reset()
        self.wait_for_morning()
        seed.add_staff(self.parts.store, self.parts.clock, 4)
        assert isinstance(self.parts.documents.terms, PublishedTerms)
        self.parts.documents.terms.forget_published()
        assert isinstance(self.parts.demo, DemoMode)
        self.parts.demo.faults.end_all()

    def wait_for_morning(self) -> None:
        """Let a demonstration begin in a morning: at night a deadline is one of another day, and reads otherwise.

        And with a minute: a test that asks what time it is does not find that it has become the next one meanwhile.
        """
        clock = self.parts.clock
        if isinstance(clock, DemoClock) and not clock.offset:
            now = clock.now()
            morning = now.replace(hour=8, minute=0, second=0, microsecond=0)
            clock.advance((morning if morning > now else morning + timedelta(days=1)) - now)

    def visitor(self, language: str = "hu", *, htmx: bool = False) -> "Visitor":
        """Return a new browser."""
        return Visitor(self, language, htmx=htmx)

    def open_account(self, customer: Customer = ANNA) -> None:
        """Open a customer's account by the services: quicker than by its pages, which have tests of their own."""
        registrations = self.parts.registrations
        begun, browser = (
            registrations.identification.identify(customer.policy_number, customer.knows, "hu"),
            "a browser's mark",
        )
        registrations.emails.choose_email(Access(begun.id), customer.address)
        (row,) = (row for row in self.rows("registrations") if row.id == begun.id)
        access = Access(begun.id, row.link_id, browser)
        registrations.mobiles.choose_mobile(access, customer.mobile)
        registrations.mobiles.confirm_mobile(access, self.code(customer.mobile))
        registrations.consents.open_terms(access, self.parts.documents.terms.in_force(self.now).version)
        registrations.consents.accept_terms(access)
        registrations.completion.complete(access, PASSWORD)
        self.secrets.add(PASSWORD, customer.email, customer.mobile)

    def ask(self, address: str, **form: str) -> bytes:
        browser = self.app.test_client()
        answer = browser.post(address, data=form) if form else browser.get(address)
        assert answer.status_code == 200
        return answer.data

    def mails_of(self, message: str, to: str = ANNA.email, language: str = "hu") -> list[dict[str, Any]]:
        """Return the mails of a kind that somebody got: mails of one moment arrive in any order."""
        subject = self.texts.say(f"mail.{message}.subject", language)
        return [mail for mail in self.mails(to) if mail["subject"] == subject]

    def told(self, message: str, to: str = ANNA.email, language: str = "hu") -> int:
        """Return how many mails of a kind somebody got."""
        return len(self.mails_of(message, to, language))

    def clock_time(self, moment: datetime) -> str:
        """Return a time of day as pages write it."""
        local = moment.astimezone(self.parts.profile.zone)
        return f"{local.hour}:{local.minute:02}"

    def time_from(self, moment: datetime) -> str:
        """Return the time of day from which pages say that something is possible: not a second too early."""
        return self.clock_time(moment + timedelta(minutes=1, microseconds=-1))

    def messages(self, to: str = "", kind: str = "") -> list[dict[str, Any]]:
        found = super().messages(to, kind)
        for message in found:
            tokens = [found for link in message["links"] for found in re.findall(r"(?:token|meghivo)=([\w.-]+)", link)]
            self.secrets.tokens.update(tokens)
            self.secrets.add(message["to"], *tokens)
            if message["kind"] == "sms":
                self.secrets.add(code_in(message))
        return found

    def link(self, to: str) -> str:
        """Return the newest link mailed to somebody, without the host."""
        return super().link(to).removeprefix(self.parts.settings.public_url)

    def activation_code(self, to: str) -> str:
        """Return the newest activation code mailed to somebody."""
        mails = [mail for mail in self.mails(to) if "token" not in "".join(mail["links"])]
        code = str(re.findall(r"\b\d{6}\b", mails[-1]["text"])[0])
        self.secrets.add(code)
        return code

    def database(self, *but: str) -> dict[str, list[Any]]:
        """Return all that the database holds, except the tables named."""
        with self.parts.store.read() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table)).all()))
                for table in metadata.sorted_tables
                if table.name not in but
            }

    def rows(self, table: str) -> list[Any]:
        """Return the rows of a table."""
        with self.parts.store.read() as connection:
            return list(connection.execute(select(metadata.tables[table])).all())


class Visitor(Walk[Page]):
    """A browser: with htmx it asks for fragments, without it follows redirects. Every page it gets is linted."""

    def __init__(self, site: Site, language: str = "hu", *, htmx: bool = False) -> None:
        super().__init__(site, ANNA, ANNA.email)
        self.site = site
        self.language = language
        self.client = site.app.test_client()
        self.headers = {"Accept-Language": language, **({"HX-Request": "true"} if htmx else {})}
        self.htmx = htmx
        self.page: Page | None = None
        self.csrf_token = ""
        self._filled: dict[str, str] = {}

    # --- Going about ----------------------------------------------------------------------------------------

    def open(self, address: str = FIRST, *, whole: bool = True) -> Page:
        """Open an address: by itself, as a whole page; go where it leads."""
        headers = {"Accept-Language": self.language} if whole else self.headers
        answer = self.client.get(address, headers=headers)
        for _ in range(3):
            if answer.status_code not in (302, 303):
                break
            self._look_for_tokens(answer.location)
            assert answer.location.startswith("/")
            assert answer.headers["Cache-Control"] == "no-store"
            answer = self.client.get(answer.location, headers=headers)
        return self._read(answer)

    def fill(self, **fields: str) -> None:
        self._filled |= names_of(fields)

    def submit(self, step: str = "") -> Page:
        return self._send(step or self.step)

    def act(self, action: str, /, **fields: str) -> Page:
        self.fill(**fields, action=action)
        return self._send("", action)

    def _send(self, step: str, action: str = "") -> Page:
        form = self.seen.form(step, action)
        filled, self._filled = self._filled, {}
        self._keep(filled)
        return self.follow(self.client.post(form["action"], data=values_of(form) | filled, headers=self.headers))

    def post(self, address: str, fields: Mapping[str, str], *, token: str | None = None) -> TestResponse:
        """Post these fields and nothing else but a CSRF token; the bare answer."""
        if not self.csrf_token:
            self.open("/")
        self._keep(fields)
        body = {"csrf_token": self.csrf_token if token is None else token, **fields}
        return self.client.post(address, data=body, headers=self.headers)

    def follow(self, response: TestResponse) -> Page:
        """Go where a redirect leads. A plain form that was accepted answers with one, and to htmx none does."""
        if "HX-Redirect" in response.headers:
            # Where a page with another frame comes: htmx loads it whole.
            assert self.htmx
            assert not response.data
            return self.open(response.headers["HX-Redirect"])
        if response.status_code != 303:
            page = self._read(response)
            assert page.is_fragment == self.htmx
            assert page.status >= 400 or self.htmx, "a plain form was accepted without a redirect"
            return page
        assert not self.htmx, "htmx was redirected"
        assert response.location.startswith("/")
        assert response.headers["Cache-Control"] == "no-store"
        return self.open(response.location)

    def open_document(self, name: str) -> None:
        here = self.seen
        link = next(link for link in here.root.all("a") if link["data-opens"] == name)
        self.open(link["href"])
        self.page = here

    # --- Reading --------------------------------------------------------------------------------------------

    @property
    def seen(self) -> Page:
        assert self.page is not None
        return self.page

    @property
    def step(self) -> str:
        return self.page.step if self.page else ""

    def _read(self, response: TestResponse) -> Page:
        self.page, self._filled = Page(response, self.site.texts), {}
        if not self.page.path.startswith("/dev/"):  # but for the inbox, which has the links themselves
            self._look_for_tokens(*self.page.addresses)
        if 'name="csrf_token"' in self.page.html:
            self.csrf_token = self.page.csrf_token
        cookies = [self.client.get_cookie(name) for name in ("session", "device")]
        self.site.secrets.add(self.csrf_token, *(cookie.value for cookie in cookies if cookie))
        return self.page

    def _look_for_tokens(self, *addresses: str) -> None:
        """Fail where a mailed link's token leads on: it would come into the history, screenshots and logs."""
        told = [address for address in addresses if any(token in address for token in self.site.secrets.tokens)]
        assert not told or not self.client.get_cookie("session"), told

    def _keep(self, fields: Mapping[str, str]) -> None:
        names = ("email", "email_confirm", "mobile", "password", "password_confirm", "current_password", "birth_date",
                 "tax_number", "communication_password", "sms_code", "token", "policy_number")  # fmt: skip
        self.site.secrets.add(*(fields[name] for name in names if name in fields))
        if "birth_date-year" in fields:
            parts = [fields.get(f"birth_date-{part}", "") for part in ("year", "month", "day")]
            self.site.secrets.add("-".join(parts))

    # --- The account ----------------------------------------------------------------------------------------

    def sign_out(self) -> Page:
        form = self.open("/fiok").form("logout")
        headers = {"Accept-Language": self.language}
        answer = self.client.post(form["action"], data=values_of(form), headers=headers)
        assert answer.status_code == 303
        return self.open(answer.location)

    def change_password(self, new: str, current: str = PASSWORD) -> Page:
        """Change the password on its page."""
        self.open("/fiok/jelszo")
        return self.send(current_password=current, password=new, password_confirm=new)

    def ask_for_reset(self, email: str = ANNA.email) -> Page:
        """Ask for a new password."""
        self.open("/sso/ForgotPassword")
        return self.send(email=email)

    def reset(self, new: str, email: str = ANNA.email) -> Page:
        """Follow the newest link that was mailed and set a new password."""
        self.open(self.site.link(email))
        return self.give_password(new)

    def copy(self) -> "Visitor":
        """Return a browser that holds the same cookies: a saved one, or another window."""
        copy = self.site.visitor(self.language, htmx=self.htmx)
        for name in ("session", "device"):
            if cookie := self.client.get_cookie(name):
                copy.client.set_cookie(name, cookie.value)
        copy.csrf_token = self.csrf_token
        return copy
