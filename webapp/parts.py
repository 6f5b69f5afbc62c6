"""The application's parts, as every view and step may use them."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from flask import Blueprint, Flask, current_app

from services.accounts.group import AccountServices
from services.base import Base
from services.clients.group import ClientServices
from services.clock import SystemClock
from services.codes.group import CodeServices
from services.figures.group import FigureServices
from services.gateways.group import Gateways
from services.gateways.payments import PaymentProvider
from services.health import Health
from services.limits.group import LimitServices
from services.links import Links
from services.messages.group import MessageServices
from services.messages.senders import Sender
from services.portal import PortalServices
from services.profiles import Profile
from services.references import References
from services.registrations.group import RegistrationServices
from services.staff.group import StaffServices
from services.store.engine import Store
from services.terms import Documents, TermsVersions
from services.worklists.group import WorklistServices
from webapp.settings import Settings


class DemoPayments(PaymentProvider, Protocol):
    """The provider of card payments of a demonstration."""

    def beside(self, listener: socket.socket, insurer: str) -> Callable[[threading.Event], None]:
        """Return what keeps a process of the provider's at a listening socket until an event is set.

        `insurer` is the origin at which the server answers on this machine.
        """
        ...


class Demonstration(Protocol):
    """What demo mode adds (`webapp.demo.mode`); production imports nothing of it."""

    @property
    def blueprints(self) -> tuple[Blueprint, ...]:
        """The testers' doors, and the pages of the demonstration's payment provider."""
        ...

    @property
    def clock(self) -> SystemClock:
        """The clock, which testers move."""
        ...

    @property
    def moved_by(self) -> timedelta:
        """How far testers have moved the clock."""
        ...

    @property
    def payments(self) -> "DemoPayments":
        """The provider of card payments, which testers command."""
        ...

    def terms(self, profile: Profile) -> TermsVersions:
        """Return the terms, to which testers add versions."""
        ...

    def set_up(self, app: Flask, parts: "Parts") -> None:
        """Add the testers' doors to the application, and the moved clock to its pages."""
        ...

    def gateways(self, settings: Settings) -> Gateways:
        """Return the ways to the world outside, which testers let fail."""
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
    """The settings, what every package needs, and one group of services for each package."""

    settings: Settings
    base: Base
    demo: Demonstration | None
    """None in production."""
    clock: SystemClock
    health: Health
    links: Links

    documents: Documents
    references: References
    limits: LimitServices
    messages: MessageServices
    codes: CodeServices
    figures: FigureServices
    accounts: AccountServices
    registrations: RegistrationServices
    staff: StaffServices
    clients: ClientServices
    worklists: WorklistServices
    portal: PortalServices

    @property
    def store(self) -> Store:
        """The database."""
        return self.base.store

    @property
    def profile(self) -> Profile:
        """The insurer's rules."""
        return self.base.profile


def current_parts() -> Parts:
    """Return the parts of the application that answers this request."""
    parts: Parts = current_app.extensions["belepo"]
    return parts
