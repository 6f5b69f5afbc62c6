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
from services.registrations.completion import Completion
from services.registrations.consents import ConsentSteps
from services.registrations.emails import EmailSteps
from services.registrations.identification import Identification
from services.registrations.mails import RegistrationMails
from services.registrations.mobiles import MobileSteps
from services.registrations.registrations import Registrations
from services.registrations.rows import Rows
from services.terms import Documents


@dataclass(frozen=True)
class RegistrationServices:
    """The steps of a registration, and what staff may do with one."""

    records: Registrations
    identification: Identification
    emails: EmailSteps
    mobiles: MobileSteps
    consents: ConsentSteps
    completion: Completion
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
    rows = Rows(facts, base.profile.registration, codes.one_time_codes)
    registration_mails = RegistrationMails(base.profile.registration, limits.allowances, messages.outbox)
    return RegistrationServices(
        records=Registrations(base, rows, allowances=limits.allowances),
        identification=Identification(base, rows, policyholders=register.policyholders, codes=codes, hasher=hasher),
        emails=EmailSteps(base, rows, registration_mails=registration_mails, allowances=limits.allowances),
        mobiles=MobileSteps(base, rows, codes=codes, allowances=limits.allowances),
        consents=ConsentSteps(base, rows, documents=documents),
        completion=Completion(
            base, rows, registration_mails=registration_mails, hasher=hasher, activations=accounts.activations
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
