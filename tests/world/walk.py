"""The vocabulary of somebody at a browser, whatever drives it.

`tests.world.site.Visitor` sends requests to the application in this process; `tests.e2e.visitor.Visitor` drives a real
browser. The catalogue of states (`webapp.demo.states.walker`) cannot import tests; it has the same verbs.

Going about
    ``open`` an address, ``fill`` fields, ``submit`` the form of a step, ``send`` (both), ``act`` by a secondary button,
    ``open_document`` in a window of its own.
Reading
    ``step``, ``title``, ``path``, ``errors()``, ``value(name)``; in a real browser also ``focus`` and what is heard.
Messages
    ``link`` and ``code`` are the newest ones sent to the walker; the rest is asked of the `Demonstration`.
The registration
    ``take_step``, ``walk_to`` a step; one verb for each step: ``identify``, ``give_email``, ``open_link``,
    ``give_mobile``, ``give_code``, ``accept_terms``, ``give_password``.
The account
    ``sign_in``, ``sign_out``.

Two underscores in a field's name stand for the hyphen of a part: ``birth_date__day``.
"""

from abc import ABC, abstractmethod
from functools import cache
from typing import Generic, TypeVar

from services.profiles import load
from tests.world.cast import PASSWORD, Customer
from tests.world.demonstration import Demonstration
from tests.world.outcomes import wrong_code

FIRST = "/regisztracio"
SECOND = "/regisztracioveglegesites"
WAY = ("identify", "email", "email-sent", "mobile", "sms-code", "terms", "password", "done")
"""The steps of MyGenerali's registration."""
_LONGEST = 10
_DOCUMENTS = {"terms": "terms", "consents": "notice"}
"""What has to be opened before a step can be taken."""

Seen = TypeVar("Seen")
"""What a verb returns: the page that has come, or nothing where the browser is asked afterwards."""


class Walk(ABC, Generic[Seen]):
    """Somebody at a browser: a customer, with an address of their own."""

    def __init__(self, demonstration: Demonstration, customer: Customer, email: str) -> None:
        self._demonstration = demonstration
        self.customer = customer
        self.email = email

    # --- What each browser does in its own way ---------------------------------------------------------------

    @abstractmethod
    def open(self, address: str = FIRST) -> Seen:
        """Open an address of the site, or a whole one."""

    @abstractmethod
    def fill(self, **fields: str) -> None:
        """Fill in fields of the page: type a text, choose the value of a radio button, tick a box."""

    @abstractmethod
    def submit(self, step: str = "") -> Seen:
        """Press the button of the form of a step, by default the current one."""

    @abstractmethod
    def act(self, action: str, /, **fields: str) -> Seen:
        """Fill in fields and press a secondary button by its action."""

    @abstractmethod
    def open_document(self, name: str) -> None:
        """Open a document that the page links to in a window of its own, and come back."""

    @property
    @abstractmethod
    def step(self) -> str:
        """The step that the page shows; empty on a page that is none."""

    @property
    @abstractmethod
    def seen(self) -> Seen:
        """The page that is shown."""

    # --- Going about -----------------------------------------------------------------------------------------

    def send(self, step: str = "", /, **fields: str) -> Seen:
        """Fill in fields and press the button of the form of a step, by default the current one."""
        self.fill(**fields)
        return self.submit(step)

    def link(self, to: str = "") -> str:
        """Return the newest link mailed to the walker, or to another address."""
        return self._demonstration.link(to or self.email)

    def code(self, to: str = "") -> str:
        """Return as much of the newest code sent to the walker's mobile, or to another, as has to be typed."""
        return self._demonstration.code(to or self.customer.mobile)[-_typed(self.customer.profile) :]

    # --- The registration ------------------------------------------------------------------------------------

    def answers(self) -> dict[str, str]:
        """Return what is right for the step that is due, having opened the documents that it asks about."""
        step = self.step
        if step in _DOCUMENTS:
            self.open_document(_DOCUMENTS[step])
        if step == "sms-code":
            return {"sms_code": self.code()}
        answers = {
            "identify": self.customer.identification,
            "email": {"email": self.email, "email_confirm": self.email},
            "mobile": {"mobile": self.customer.mobile},
            "terms": {"terms": "1"},
            "consents": {"marketing": "decline", "data": "accept", "notice": "1", "contract": "1"},
            "password": {"password": PASSWORD, "password_confirm": PASSWORD},
        }
        return answers.get(step, {})

    def fill_step(self) -> None:
        """Fill in the step that is due with what is right."""
        self.fill(**self.answers())

    def take_step(self) -> Seen:
        """Fill in the step that is due and go on to the next, if need be by the link in the mail."""
        if self.step == "email-sent":
            return self.open(self.link())
        self.fill_step()
        return self.submit()

    def walk_to(self, step: str, customer: Customer | None = None) -> Seen:
        """Take every step up to one, from the first or from where the registration stands, as a customer."""
        if customer is not None:
            self.customer, self.email = customer, customer.email
        if not self.step:
            self.open()
        for _ in range(_LONGEST):
            if self.step == step:
                return self.seen
            before = self.step
            self.take_step()
            assert self.step != before, f"{before} did not lead on: {self.seen}"
        raise AssertionError(f"the journey has no step {step}")

    def identify(self, customer: Customer) -> Seen:
        """Take the first step."""
        if self.step != "identify":
            self.open()
        return self.send(**customer.identification)

    def give_email(self, address: str) -> Seen:
        """Have a link mailed."""
        return self.send(email=address, email_confirm=address)

    def open_link(self, to: str) -> Seen:
        """Open the newest link mailed to an address."""
        return self.open(self.link(to))

    def give_mobile(self, number: str) -> Seen:
        """Have a code sent."""
        return self.send(mobile=number)

    def give_code(self, code: str) -> Seen:
        """Type a code."""
        return self.send("sms-code", sms_code=code)

    def give_wrong_code(self, right: str) -> Seen:
        """Type a code that is not the right one."""
        return self.give_code(wrong_code(right))

    def accept_terms(self) -> Seen:
        """Read and accept the terms."""
        self.open_document("terms")
        return self.send(terms="1")

    def give_password(self, password: str = PASSWORD) -> Seen:
        """Take the last step."""
        return self.send(password=password, password_confirm=password)

    # --- The account -----------------------------------------------------------------------------------------

    def sign_in(self, email: str = "", password: str = PASSWORD) -> Seen:
        """Sign in with the walker's own address, or another."""
        if self.step != "login":
            self.open("/belepes")
        return self.send("login", email=email or self.email, password=password)

    @abstractmethod
    def sign_out(self) -> Seen:
        """Sign out by the button in the header."""


def names_of(fields: dict[str, str]) -> dict[str, str]:
    """Return fields by the names that they have in the page."""
    return {name.replace("__", "-"): value for name, value in fields.items()}


@cache
def _typed(profile: str) -> int:
    return load(profile).one_time_code.typed
