"""A browser inside the server, which walks through the application's doors as anybody's browser does."""

import re
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import ColumnElement, RowMapping, Select, exists, func, or_, select
from werkzeug.test import TestResponse

from services import randomness
from services.accounts.conditions import is_registered
from services.messages.outbox import give_up_on
from services.store.tables.codes import one_time_codes
from services.store.tables.register import customer_accounts, customers, phones, policies
from webapp.demo.clock import DemoClock
from webapp.demo.inbox import arrived
from webapp.demo.states.reading import Element, actions_of, form_of, read, step_of, values_of
from webapp.demo.terms import PublishedTerms
from webapp.parts import Parts

PASSWORD = "Kek7Hold8Fenyes"
_SO_MANY = 200
_OF_OTHERS = {
    "birth_date": "1901-02-03",
    "tax_number": "11111111-1-42",
    "birth_number": "855314/0013",
    "postal_code": "9999",
    "mobile": "+36 20 999 9999",
}
"""Well-formed, and nobody's."""


@dataclass(frozen=True)
class Customer:
    """An invented customer: what they type in the first step, and the number that text messages go to."""

    identification: dict[str, str]
    mobile: str
    kutid: str


_mobile = (
    select(phones.c.number)
    .where(phones.c.kutid == customers.c.kutid, phones.c.is_mobile)
    .order_by(phones.c.is_default.desc(), phones.c.policy_number)
    .limit(1)
    .scalar_subquery()
)


class Walker:
    """Somebody at a browser of their own. `headers` are those of whoever asked to see what the walker sees."""

    spoilt: ClassVar[set[str]] = set()
    """Customers with whom no other walk gets on: wrong tries slow them down, or their number has had too many codes."""

    def __init__(
        self, app: Flask, base_url: str, headers: dict[str, str], preferences: dict[str, str] | None = None
    ) -> None:
        self._app = app
        self.parts: Parts = app.extensions["belepo"]
        self.page: TestResponse
        self.cookies: dict[str, str] = {}
        """The Set-Cookie headers of the way, the last of each name."""
        self.email = f"vendeg.{randomness.characters(8).lower()}@example.hu"
        self._base_url = base_url
        self.headers = headers
        self._preferences = preferences or {}
        self._customer: Customer | None = None
        self._root = read("")
        self._shown: list[tuple[TestResponse, Element]] = []
        self.forget()

    def forget(self) -> None:
        """Go on in another browser, from another address: nobody's limits are used up by somebody's walks."""
        self._client = self._app.test_client()
        for name, text in self._preferences.items():
            self._client.set_cookie(name, text, domain=urlsplit(self._base_url).hostname or "")
        self._address = f"127.{randomness.digits(2)}.{randomness.digits(2)}.{randomness.digits(2)}"
        self.cookies = {}

    def another(self) -> "Walker":
        """Return the same person at another browser."""
        another = Walker(self._app, self._base_url, dict(self.headers), self._preferences)
        another.email, another._customer = self.email, self.customer
        return another

    def walk(self, there: Callable[["Walker"], None]) -> None:
        """Walk, apart from the request that asked for it: what Flask keeps of that is not the walker's."""
        Context().run(there, self)

    def become(self, other: "Walker") -> None:
        """Go on at the browser of another walker."""
        self._client, self.cookies, self.page, self._root = other._client, other.cookies, other.page, other._root
        self._shown = other._shown

    # --- Going about ---------------------------------------------------------------------------------------------

    def visit(self, endpoint: str = "registration.first_half", **values: Any) -> None:
        """Open a page by its endpoint, by default the registration; `values` fill its rule and its query."""
        self.open(self.address_of(endpoint, **values))

    def address_of(self, endpoint: str, **values: Any) -> str:
        """Return the address of an endpoint."""
        return self._app.url_map.bind("").build(endpoint, values)

    def open(self, address: str) -> None:
        """Open an address of the site, or a whole one."""
        self._ask(re.sub(r"^https?://[^/]+", "", address), "GET", None)

    def send(self, step: str, /, **fields: str) -> None:
        """Send the form of a step, with what is in it; two underscores stand for the hyphen of a part."""
        form = form_of(self._root, step)
        typed = {name.replace("__", "-"): text for name, text in fields.items()}
        self._ask(form["action"], "POST", values_of(form) | typed)

    def act(self, action: str, /, **fields: str) -> None:
        """Press a secondary button by its action."""
        form = form_of(self._root, action=action)
        self._ask(form["action"], "POST", {**values_of(form), "action": action, **fields})

    def send_to(self, address: str, **fields: str) -> None:
        """Send the first form that goes to this address."""
        form = next((form for form in self.forms if form["action"] == address), None)
        assert form is not None, f"There is no form to {address} at {self.path}."
        self._ask(address, "POST", values_of(form) | fields)

    def _ask(self, address: str, method: str, data: dict[str, str] | None) -> None:
        origin = {"REMOTE_ADDR": self._address}
        self.page = self._client.open(
            address, method=method, data=data, base_url=self._base_url, headers=self.headers, environ_base=origin
        )
        for cookie in self.page.headers.getlist("Set-Cookie"):
            self.cookies[cookie.partition("=")[0]] = cookie
        self._root = read(self.page.text if self.page.mimetype == "text/html" else "")
        if self.page.status_code in (302, 303):
            self._ask(self.page.headers["Location"], "GET", None)
        else:
            self._shown.append((self.page, self._root))

    def follow(self, rel: str) -> None:
        """Follow the page's link to what it `rel`ates to."""
        self.open(next(link["href"] for link in self._root.all("a") if link["rel"] == rel))

    def back(self) -> None:
        """Look at the page before this one, as it was then: browsers ask for nothing when somebody goes back."""
        self._shown.pop()
        self.page, self._root = self._shown[-1]

    @property
    def path(self) -> str:
        """The address of the page."""
        return self.page.request.path

    def links(self, prefix: str) -> list[str]:
        """Return the addresses on the page that begin with `prefix`, in order."""
        return [link["href"] for link in self._root.all("a") if link["href"].startswith(prefix)]

    @property
    def forms(self) -> list[Element]:
        """The forms of the page."""
        return list(self._root.all("form"))

    @property
    def actions(self) -> set[str]:
        """The actions of the page's secondary buttons."""
        return {action for form in self.forms for action in actions_of(form)}

    @property
    def step(self) -> str:
        """The step that the page shows."""
        return step_of(self._root)

    def advance(self, **span: float) -> None:
        """Move the clock forward, for everybody, by what `timedelta` knows."""
        clock = self.parts.clock
        assert isinstance(clock, DemoClock)
        clock.advance(timedelta(**span))

    # --- Messages ------------------------------------------------------------------------------------------------

    def link(self, to: str = "") -> str:
        """Return the link of the newest mail to an address, the walker's own if none is named."""
        return str(self._newest(to or self.email)["links"][0])

    def have_mail_refused(self) -> None:
        """Let the walker's mails have come back: a demonstration delivers whatever it is given."""
        arrived(self.parts)
        with self.parts.store.write() as connection:
            give_up_on(connection, self.email)

    def code(self, mobile: str = "") -> str:
        """Return the newest code sent to a number."""
        return self._code_in(self._newest(mobile or self.customer.mobile))

    def wrong_code(self, mobile: str = "") -> str:
        """Return a code that is not the newest one."""
        return self.unlike(self.code(mobile))

    @staticmethod
    def unlike(code: str) -> str:
        """Return another code."""
        return str((int(code) + 1) % 10 ** len(code)).zfill(len(code))

    @staticmethod
    def _code_in(message: dict[str, Any]) -> str:
        found = re.search(r": (\w+)\.", message["text"])
        assert found is not None
        return found[1]

    def _newest(self, to: str) -> dict[str, Any]:
        return [message for message in arrived(self.parts) if message["recipient"] == to][-1]

    # --- The customer --------------------------------------------------------------------------------------------

    @property
    def customer(self) -> Customer:
        """The customer whom the walk is about: somebody with a mobile, who has not begun."""
        if self._customer is None:
            self._customer = self.somebody()
        return self._customer

    def be(self, customer: Customer) -> None:
        """Be another customer."""
        self._customer = customer

    def somebody(self, holder: str = "", *only_if: ColumnElement[bool], has_mobile: bool = True) -> Customer:
        """Return another customer, of this kind, who has no account and was sent no code, by chance."""
        holder = holder or next(iter(self.parts.profile.identification.asks))
        query = self._without_account().where(
            _mobile.is_not(None) if has_mobile else _mobile.is_(None),
            customers.c.kutid.not_in(self.spoilt),
            ~exists().where(one_time_codes.c.kutid == customers.c.kutid),
            *only_if,
        )
        if self._customer is not None:
            query = query.where(customers.c.kutid != self._customer.kutid)
        if holder in ("person", "company"):
            query = query.where(customers.c.holder_type == holder)
        if holder == "person":
            query = query.where(func.length(customers.c.name) < 60)
        with self.parts.store.read() as connection:
            newest = query.order_by(customers.c.kutid.desc()).limit(_SO_MANY)
            rows = connection.execute(newest).mappings().all()
        return self._customer_of(randomness.one_of(rows), holder)

    def be_holder_of(self, number: ColumnElement[str], *only_if: ColumnElement[bool]) -> str:
        """Be a customer whose customer account has this kind of number, and return it."""
        self.be(self.somebody("", number.is_not(None), *only_if))
        query = select(number).where(customer_accounts.c.kutid == self.customer.kutid, number.is_not(None), *only_if)
        with self.parts.store.read() as connection:
            return connection.execute(query.limit(1)).scalars().one()

    def customer_with(self, number: str) -> Customer | None:
        """Return the customer with this policy number, or another identifier that is asked for; None if not one."""
        asked = self.parts.profile.identification
        query = self._without_account()
        kinds = [query.selected_columns[kind] for kind in asked.identifiers if kind in query.selected_columns]
        with self.parts.store.read() as connection:
            row = connection.execute(query.where(or_(*(kind == number for kind in kinds)))).mappings().first()
        if row is None:
            return None
        holder: str = row["holder_type"]
        return self._customer_of(row, holder if holder in asked.asks else next(iter(asked.asks)))

    def _without_account(self) -> Select[Any]:
        return (
            select(customers, policies.c.policy_number, customer_accounts.c.account_number, _mobile.label("number"))
            .join_from(customers, policies)
            .outerjoin(customer_accounts, customer_accounts.c.kutid == customers.c.kutid)
            .where(policies.c.status == "live", ~is_registered(customers.c.kutid))
        )

    def _customer_of(self, row: RowMapping, holder: str) -> Customer:
        return Customer(self._typed(dict(row), holder), row["number"] or "", row["kutid"])

    def _typed(self, row: dict[str, Any], holder: str) -> dict[str, str]:
        rules = self.parts.profile.identification
        kind = next(kind for kind in rules.identifiers if row.get(kind))
        typed = {rules.field: row[kind]}
        if len(rules.identifiers) > 1:
            typed["identifier_kind"] = kind
        if len(rules.asks) > 1:
            typed["holder_type"] = holder
        data = {**row, "mobile": row["number"], "birth_date": row["birth_date"] and row["birth_date"].isoformat()}
        return typed | {datum: data[datum] for datum in rules.asks[holder]}  # type: ignore[index]

    # --- The journey ---------------------------------------------------------------------------------------------

    def walk_to(self, step: str) -> None:
        """Take every step up to one, from the first or from where the registration stands."""
        if self.step not in (*self.parts.profile.journey, "done"):
            self.visit()
        while self.step != step:
            before = self.step
            self.take_step()
            assert self.step != before, f"{before} did not lead on: {self.page.status}"

    def take_step(self) -> None:
        """Fill in the step that is due as it should be."""
        match self.step:
            case "identify":
                self.send("identify", **self.customer.identification)
            case "email":
                self.send("email", email=self.email, email_confirm=self.email)
            case "email-sent":
                self.open(self.link())
            case "mobile":
                self.send("mobile", mobile=self.customer.mobile)
            case "sms-code":
                self.send("sms-code", sms_code=self.code())
            case "consents":
                self.open_document("notice")
                self.send("consents", marketing="decline", data="accept", notice="1", contract="1")
            case "terms":
                self.open_document("terms")
                self.send("terms", terms="1")
            case "password":
                self.send("password", password=PASSWORD, password_confirm=PASSWORD)

    def send_others_data(self) -> None:
        """Fill in the first step with a number that exists, and with what is not its holder's."""
        own = self.customer.identification
        self.send("identify", **{name: _OF_OTHERS.get(name, text) for name, text in own.items()})

    def open_document(self, name: str) -> None:
        """Open a document that the page links to, in another window."""
        link = next((link for link in self._root.all("a") if link["data-opens"] == name), None)
        assert link is not None, f"There is no document {name} at {self.path}."
        here = self.page, self._root
        self.open(link["href"])
        self.page, self._root = here

    def open_account(self) -> None:
        """Register, and sign in; the mails about it have arrived, so that later ones are newer."""
        self.walk_to("done")
        self.sign_in()
        arrived(self.parts)

    def open_active_account(self) -> None:
        """Register, sign in, and activate the account where that is asked for."""
        self.open_account()
        if self.step == "activation":
            self.send("activation", activation_code=self.activation_code())

    def activation_code(self) -> str:
        """Return the code of the newest mail."""
        return self._code_in(self._newest(self.email))

    def publish_terms(self) -> None:
        """Put new terms into force, for everybody."""
        now = self.parts.clock.now()
        terms = self.parts.documents.terms
        assert isinstance(terms, PublishedTerms)
        terms.publish(f"{now:%Y-%m-%d-%H%M%S}-{randomness.digits(9)}", now)

    def sign_in(self, email: str = "", password: str = PASSWORD) -> None:
        """Sign in with the walker's own address, or another."""
        self.visit("sign_in.show")
        self.send("login", email=email or self.email, password=password)
