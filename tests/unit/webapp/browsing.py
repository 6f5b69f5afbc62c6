"""A site with its inbox and clock, and a visitor who walks through it as a browser would."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from demo_cast import ANNA, PASSWORD, Customer
from flask import Flask
from pages import Element, Page
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.register.policyholders import SecondDatum
from services.registrations import Visit
from services.store.tables import metadata
from services.store.tables.register import REGISTER
from services.texts import Texts
from services.values import email_addresses
from webapp.demo import seed
from webapp.demo.clock import DemoClock
from webapp.demo.terms import PublishedTerms
from webapp.parts import Parts

FIRST = "/regisztracio"
SECOND = "/regisztracioveglegesites"
WAY = ("identify", "email", "email-sent", "mobile", "sms-code", "terms", "password", "done")


class Secrets:
    """What must never stand in a log: everything that a visitor typed and every message held."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def add(self, *values: str) -> None:
        """Remember more of them; what is too short would be found by chance."""
        self.known.update(value for value in values if len(value) >= 4)


class Site:
    """One application: its doors for testers, and a look into its database."""

    def __init__(self, app: Flask, secrets: Secrets) -> None:
        self.app = app
        self.secrets = secrets
        self.parts: Parts = app.extensions["belepo"]

    @property
    def texts(self) -> Texts:
        """The words of the pages."""
        return self.parts.profile.texts

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
        datum = SecondDatum(date.fromisoformat(customer.born))
        begun, browser = registrations.identification.identify(customer.policy_number, datum, "hu"), "a browser's mark"
        registrations.emails.choose_email(Visit(begun.id), email_addresses.parse(customer.email))
        (row,) = (row for row in self.rows("registrations") if row.id == begun.id)
        visit = Visit(begun.id, row.link_id, browser)
        registrations.mobiles.choose_mobile(visit, customer.mobile)
        registrations.mobiles.confirm_mobile(visit, self.code(customer.mobile))
        registrations.consents.open_terms(visit, self.parts.documents.terms.in_force(self.now).version)
        registrations.consents.accept_terms(visit)
        registrations.completion.complete(visit, PASSWORD)
        self.secrets.add(PASSWORD, customer.email, customer.mobile)

    def publish_terms(self, version: str) -> None:
        """Put a new version of the terms into force."""
        assert self.app.test_client().post("/dev/terms", data={"version": version}).status_code == 200

    def mails(self, message: str, to: str = ANNA.email, language: str = "hu") -> list[dict[str, Any]]:
        """Return the mails of a kind that somebody got: mails of one moment arrive in any order."""
        subject = self.texts.say(f"mail.{message}.subject", language)
        return [mail for mail in self.messages(to, "email") if mail["subject"] == subject]

    def told(self, message: str, to: str = ANNA.email, language: str = "hu") -> int:
        """Return how many mails of a kind somebody got."""
        return len(self.mails(message, to, language))

    def advance(self, **span: float) -> None:
        """Let time pass."""
        seconds = timedelta(**span).total_seconds()
        assert self.app.test_client().post("/dev/clock", data={"advance": seconds}).status_code == 200

    @property
    def now(self) -> datetime:
        """The application's time."""
        return datetime.fromisoformat(json.loads(self.app.test_client().get("/dev/clock").data)["now"])

    def clock_time(self, moment: datetime) -> str:
        """Return a time of day as pages write it."""
        local = moment.astimezone(self.parts.profile.zone)
        return f"{local.hour}:{local.minute:02}"

    def time_from(self, moment: datetime) -> str:
        """Return the time of day from which pages say that something is possible: not a second too early."""
        return self.clock_time(moment + timedelta(minutes=1, microseconds=-1))

    def messages(self, to: str | None = None, kind: str | None = None) -> list[dict[str, Any]]:
        """Return what was sent, oldest first."""
        asked = {name: value for name, value in (("to", to), ("kind", kind)) if value}
        found: list[dict[str, Any]] = json.loads(
            self.app.test_client().get("/dev/messages.json", query_string=asked).data
        )
        for message in found:
            self.secrets.add(message["to"], *(link.partition("token=")[2] for link in message["links"]))
            if message["kind"] == "sms":
                self.secrets.add(_code(message))
        return found

    def link(self, to: str) -> str:
        """Return the address of the newest link mailed to somebody, without the host."""
        mails = [mail for mail in self.messages(to, "email") if "token=" in "".join(mail["links"])]
        return str(mails[-1]["links"][0]).removeprefix(self.parts.settings.public_url)

    def code(self, to: str) -> str:
        """Return the newest code sent to a mobile."""
        return _code(self.messages(to, "sms")[-1])

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


class Visitor:
    """A browser: with htmx it asks for fragments, without it follows redirects. Every page it gets is linted."""

    def __init__(self, site: Site, language: str = "hu", *, htmx: bool = False) -> None:
        self.site = site
        self.language = language
        self.client = site.app.test_client()
        self.headers = {"Accept-Language": language, **({"HX-Request": "true"} if htmx else {})}
        self.htmx = htmx
        self.page: Page | None = None
        self.csrf_token = ""

    # --- One request ----------------------------------------------------------------------------------------

    def get(self, address: str, *, whole: bool = True) -> Page:
        """Open an address: by itself, as a whole page; go where it leads."""
        headers = {"Accept-Language": self.language} if whole else self.headers
        answer = self.client.get(address, headers=headers)
        for _ in range(3):
            if answer.status_code not in (302, 303):
                break
            assert answer.location.startswith("/")
            assert answer.headers["Cache-Control"] == "no-store"
            answer = self.client.get(answer.location, headers=headers)
        return self._read(answer)

    def post(self, address: str, fields: Mapping[str, str], *, token: str | None = None) -> TestResponse:
        """Post these fields and nothing else but a CSRF token; the bare answer."""
        if not self.csrf_token:
            self.get("/")
        self._keep(fields)
        body = {"csrf_token": self.csrf_token if token is None else token, **fields}
        return self.client.post(address, data=body, headers=self.headers)

    def send(self, fields: Mapping[str, str] = {}, *, step: str = "", action: str = "") -> Page:
        """Fill in the form of the page and send it: all it holds, with `fields` typed in."""
        assert self.page is not None
        form = self.page.form("" if action else step or self.page.step, action)
        body = {**_held(form), **({"action": action} if action else {}), **fields}
        self._keep(fields)
        return self.follow(self.client.post(form["action"], data=body, headers=self.headers))

    def follow(self, response: TestResponse) -> Page:
        """Go where a redirect leads. A plain form that was accepted answers with one, and to htmx none does."""
        if "HX-Redirect" in response.headers:
            # Where a page with another frame comes: htmx loads it whole.
            assert self.htmx
            assert not response.data
            return self.get(response.headers["HX-Redirect"])
        if response.status_code != 303:
            page = self._read(response)
            assert page.is_fragment == self.htmx
            assert page.status >= 400 or self.htmx, "a plain form was accepted without a redirect"
            return page
        assert not self.htmx, "htmx was redirected"
        assert response.location.startswith("/")
        assert response.headers["Cache-Control"] == "no-store"
        return self.get(response.location)

    def _read(self, response: TestResponse) -> Page:
        self.page = Page(response, self.site.texts)
        if 'name="csrf_token"' in self.page.html:
            self.csrf_token = self.page.csrf_token
        cookies = [self.client.get_cookie(name) for name in ("session", "device")]
        self.site.secrets.add(self.csrf_token, *(cookie.value for cookie in cookies if cookie))
        return self.page

    def _keep(self, fields: Mapping[str, str]) -> None:
        names = ("email", "email_confirm", "mobile", "password", "password_confirm", "current_password", "birth_date",
                 "tax_number", "communication_password", "sms_code", "token", "policy_number")  # fmt: skip
        self.site.secrets.add(*(fields[name] for name in names if name in fields))
        if "birth_date-year" in fields:
            parts = [fields.get(f"birth_date-{part}", "") for part in ("year", "month", "day")]
            self.site.secrets.add("-".join(parts))

    # --- The account ----------------------------------------------------------------------------------------

    def sign_in(self, email: str = ANNA.email, password: str = PASSWORD) -> Page:
        """Sign in, on the page that asks for it."""
        if self.page is None or self.page.step != "login":
            self.get("/belepes")
        return self.send({"email": email, "password": password}, step="login")

    def sign_out(self) -> Page:
        """Press the button in the page's head."""
        form = self.get("/fiok").form("logout")
        headers = {"Accept-Language": self.language}
        answer = self.client.post(form["action"], data=_held(form), headers=headers)
        assert answer.status_code == 303
        return self.get(answer.location)

    def change_password(self, new: str, current: str = PASSWORD) -> Page:
        """Change the password on its page."""
        self.get("/fiok/jelszo")
        return self.send({"current_password": current, "password": new, "password_confirm": new})

    def ask_for_reset(self, email: str = ANNA.email) -> Page:
        """Ask for a new password."""
        self.get("/sso/ForgotPassword")
        return self.send({"email": email})

    def reset(self, new: str, email: str = ANNA.email) -> Page:
        """Follow the newest link that was mailed and set a new password."""
        self.get(self.site.link(email))
        return self.give_password(new)

    def copy(self) -> "Visitor":
        """Return a browser that holds the same cookies: a saved one, or another window."""
        copy = self.site.visitor(self.language, htmx=self.htmx)
        for name in ("session", "device"):
            if cookie := self.client.get_cookie(name):
                copy.client.set_cookie(name, cookie.value)
        copy.csrf_token = self.csrf_token
        return copy

    # --- The steps ------------------------------------------------------------------------------------------

    def open(self) -> Page:
        """Open the registration."""
        return self.get(FIRST)

    def identify(self, customer: Customer) -> Page:
        """Take the first step."""
        if self.page is None or self.page.step != "identify":
            self.open()
        return self.send(customer.identification)

    def give_email(self, address: str) -> Page:
        """Take the second step."""
        return self.send({"email": address, "email_confirm": address})

    def open_link(self, address: str) -> Page:
        """Open the newest link mailed to an address."""
        return self.get(self.site.link(address))

    def give_mobile(self, number: str) -> Page:
        """Have a code sent."""
        return self.send({"mobile": number})

    def give_code(self, code: str) -> Page:
        """Type a code."""
        return self.send({"sms_code": code}, step="sms-code")

    def give_wrong_code(self, right: str) -> Page:
        """Type a code that is not the right one."""
        return self.give_code(f"{(int(right) + 1) % 10**4:04}")

    def read_terms(self) -> None:
        """Open the terms in a window of their own."""
        before = self.page
        self.get("/aszf")
        self.page = before

    def accept_terms(self) -> Page:
        """Read and accept the terms."""
        self.read_terms()
        return self.send({"terms": "1"})

    def give_password(self, password: str = PASSWORD) -> Page:
        """Take the last step."""
        return self.send({"password": password, "password_confirm": password})

    def reach(self, step: str, customer: Customer = ANNA) -> Page:
        """Walk on to a step, from the start or from where the registration stands."""
        taken = {
            "identify": lambda: self.identify(customer),
            "email": lambda: self.give_email(customer.email),
            "email-sent": lambda: self.open_link(customer.email),
            "mobile": lambda: self.give_mobile(customer.mobile),
            "sms-code": lambda: self.give_code(self.site.code(customer.mobile)),
            "terms": self.accept_terms,
            "password": self.give_password,
        }
        page = self.page if self.page and self.page.step else self.open()
        for name in WAY[WAY.index(page.step) : WAY.index(step)]:
            assert page.step == name, f"{page.step} instead of {name}"
            page = taken[name]()
        assert page.step == step, f"{page.step} instead of {step}: {page.text}"
        return page


def _code(message: Mapping[str, Any]) -> str:
    return str(re.findall(r": (\d+)\.", message["text"])[0])


def _held(form: Element) -> dict[str, str]:
    """Return what a browser would send of a form that nobody touched, buttons aside."""
    held = {}
    for field in form.all("input"):
        if field["name"] and (field["type"] not in ("radio", "checkbox") or "checked" in field):
            held[field["name"]] = field["value"]
    return held
