"""Somebody who walks through a demonstration at a browser of their own."""

import re
from collections.abc import Callable
from contextvars import Context
from datetime import timedelta
from typing import Any

from flask import Flask

from services import randomness
from services.messages.outbox import give_up_on
from webapp.demo.clock import DemoClock
from webapp.demo.inbox import arrived
from webapp.demo.states.browser import Browser
from webapp.demo.states.cast import Cast, Customer
from webapp.demo.terms import PublishedTerms
from webapp.parts import Parts

PASSWORD = "Kek7Hold8Fenyes"
_OF_OTHERS = {
    "birth_date": "1901-02-03",
    "tax_number": "11111111-1-42",
    "birth_number": "855314/0013",
    "postal_code": "9999",
    "mobile": "+36 20 999 9999",
}
"""Well-formed, and nobody's."""


class DemoBrowser(Browser):
    """A browser in a demonstration, with what testers have besides pages: the messages, the clock and the terms."""

    def __init__(
        self, app: Flask, base_url: str, headers: dict[str, str], preferences: dict[str, str] | None = None
    ) -> None:
        super().__init__(app, base_url, headers, preferences or {})
        self.parts: Parts = app.extensions["belepo"]
        self.cast = Cast(self.parts)
        self.email = f"vendeg.{randomness.characters(8).lower()}@example.hu"

    @property
    def customer(self) -> Customer:
        """The customer whom the walk is about: somebody with a mobile, who has not begun."""
        if self.cast.current is None:
            self.cast.current = self.cast.somebody()
        return self.cast.current

    def advance(self, **span: float) -> None:
        """Move the clock forward, for everybody, by what `timedelta` knows."""
        clock = self.parts.clock
        assert isinstance(clock, DemoClock)
        clock.advance(timedelta(**span))

    def publish_terms(self) -> None:
        """Put new terms into force, for everybody."""
        now = self.parts.clock.now()
        terms = self.parts.documents.terms
        assert isinstance(terms, PublishedTerms)
        terms.publish(f"{now:%Y-%m-%d-%H%M%S}-{randomness.digits(9)}", now)

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

    def activation_code(self) -> str:
        """Return the code of the newest mail."""
        return self._code_in(self._newest(self.email))

    @staticmethod
    def _code_in(message: dict[str, Any]) -> str:
        found = re.search(r": (\w+)\.", message["text"])
        assert found is not None
        return found[1]

    def _newest(self, to: str) -> dict[str, Any]:
        return [message for message in arrived(self.parts) if message["recipient"] == to][-1]


class Walker(DemoBrowser):
    """Somebody on their way: the registration, the account, and who they are."""

    def another(self) -> "Walker":
        """Return the same person at another browser."""
        another = Walker(self._app, self._base_url, dict(self.headers), self._preferences)
        another.email, another.cast.current = self.email, self.customer
        return another

    def walk(self, there: Callable[["Walker"], None]) -> None:
        """Walk, apart from the request that asked for it: what Flask keeps of that is not the walker's."""
        Context().run(there, self)

    def be(self, customer: Customer) -> None:
        """Be another customer."""
        self.cast.current = customer

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

    def sign_in(self, email: str = "", password: str = PASSWORD) -> None:
        """Sign in with the walker's own address, or another."""
        self.visit("sign_in.show")
        self.send("login", email=email or self.email, password=password)
