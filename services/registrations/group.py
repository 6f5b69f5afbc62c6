"""The services of registrations."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.figures.group import FigureServices
from services.limits.group import LimitServices
from services.messages.group import MessageServices
from services.passwords import Hasher
from services.register.group import RegisterServices
from services.registrations.assisted import AssistedRegistrations
from services.registrations.registrations import Registrations
from services.terms import Documents


@dataclass(frozen=True)
class RegistrationServices:
    """The steps of a registration, and what staff may do with one."""

    steps: Registrations
    assisted: AssistedRegistrations


def build_registrations(
    base: Base,
    facts: Sequence[str],
    *,
    limits: LimitServices,
    register: RegisterServices,
    messages: MessageServices,
    codes: CodeServices,
    figures: FigureServices,
    documents: Documents,
    accounts: AccountServices,
    hasher: Hasher,
) -> RegistrationServices:
    """Build the services of registrations; `facts` are those of the profile's journey, in its order."""
    return RegistrationServices(
        steps=Registrations(
            base,
            facts,
            allowances=limits.allowances,
            policyholders=register.policyholders,
            codes=codes,
            documents=documents,
            outbox=messages.outbox,
            hasher=hasher,
            activations=accounts.activations,
        ),
        assisted=AssistedRegistrations(
            base,
            facts,
            allowances=limits.allowances,
            codes=codes.one_time_codes,
            outbox=messages.outbox,
            observations=figures.funnel,
        ),
    )
