"""The application's parts, as every view and step may use them."""

from dataclasses import dataclass

from flask import current_app

from services.accounts.group import AccountServices
from services.base import Base
from services.clients.group import ClientServices
from services.clock import SystemClock
from services.codes.group import CodeServices
from services.figures.group import FigureServices
from services.limits.group import LimitServices
from services.links import Links
from services.messages.group import MessageServices
from services.passwords import Hasher
from services.profiles import Profile
from services.references import References
from services.registrations.group import RegistrationServices
from services.staff.group import StaffServices
from services.store.engine import Store
from services.terms import Documents
from services.worklists.group import WorklistServices
from webapp.settings import Settings


@dataclass(frozen=True)
class Parts:
    """The settings, what every package needs, and one group of services for each package."""

    settings: Settings
    base: Base
    clock: SystemClock
    links: Links

    documents: Documents
    references: References
    limits: LimitServices
    messages: MessageServices
    codes: CodeServices
    figures: FigureServices
    hasher: Hasher
    accounts: AccountServices
    registrations: RegistrationServices
    staff: StaffServices
    clients: ClientServices
    worklists: WorklistServices

    @property
    def store(self) -> Store:
        """The database."""
        return self.base.store

    @property
    def profile(self) -> Profile:
        """The insurer's rules."""
        return self.base.profile


def wired() -> Parts:
    """Return the parts of the application that answers this request."""
    parts: Parts = current_app.extensions["belepo"]
    return parts
