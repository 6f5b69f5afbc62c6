"""The services of staff."""

from dataclasses import dataclass
from typing import TypedDict

from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.contracts.portfolio import Portfolio
from services.grants.grants import Grants
from services.limits.group import LimitServices
from services.messages.group import MessageServices
from services.passwords import Hasher
from services.portal import PortalServices
from services.registrations.group import RegistrationServices
from services.staff.account_help import AccountHelp
from services.staff.accounts import StaffAccounts
from services.staff.cases import Cases
from services.staff.contacts import CustomerContacts
from services.staff.customer_letters import CustomerLetters
from services.staff.customers import CustomerFiles
from services.staff.deeds import Deeds
from services.staff.granted import Granted
from services.staff.letter_passwords import LetterPasswordHelp
from services.staff.managed import ManagedAccounts
from services.staff.request_desk import RequestDesk
from services.staff.search import CustomerSearch
from services.staff.second_factor import SecondFactors
from services.staff.sign_in import StaffSignIns
from services.staff.sms_budget import SmsReleases
from services.staff.stuck_registrations import StuckRegistrations


class _Theirs(TypedDict):
    """What shows advisers their own customers' data."""

    cases: Cases
    grants: Grants
    portfolio: Portfolio


@dataclass(frozen=True)
class StaffServices:
    """What members of staff, and clients of the API, can do."""

    accounts: StaffAccounts
    sign_ins: StaffSignIns
    cases: Cases
    search: CustomerSearch
    customer_files: CustomerFiles
    contacts: CustomerContacts
    stuck_registrations: StuckRegistrations
    account_help: AccountHelp
    sms_releases: SmsReleases
    letters: CustomerLetters
    letter_passwords: LetterPasswordHelp
    granted: Granted
    requests: RequestDesk
    managed: ManagedAccounts


def build_staff(
    base: Base,
    *,
    limits: LimitServices,
    messages: MessageServices,
    codes: CodeServices,
    registrations: RegistrationServices,
    accounts: AccountServices,
    portal: PortalServices,
    hasher: Hasher,
    is_second_factor_needed: bool = True,
) -> StaffServices:
    """Build the services of staff; only a demonstration does without a second factor."""
    cases = Cases(base)
    factors = SecondFactors(base.keys.secrets, is_needed=is_second_factor_needed)
    deeds = Deeds(base, cases, registrations.assisted)
    theirs = _Theirs(cases=cases, grants=portal.grants.grants, portfolio=portal.contracts.portfolio)
    return StaffServices(
        accounts=StaffAccounts(base, hasher=hasher, factors=factors),
        sign_ins=StaffSignIns(base, tries=limits.failed_attempts, hasher=hasher, factors=factors),
        cases=cases,
        search=CustomerSearch(base, cases),
        customer_files=CustomerFiles(base, registrations.assisted, codes.one_time_codes),
        contacts=CustomerContacts(
            base,
            deeds=deeds,
            registrations=registrations.assisted,
            codes=codes,
            allowances=limits.allowances,
            outbox=messages.outbox,
        ),
        stuck_registrations=StuckRegistrations(
            deeds, registrations=registrations.assisted, codes=codes, allowances=limits.allowances
        ),
        account_help=AccountHelp(deeds, accounts),
        sms_releases=SmsReleases(base, messages.sms_budget),
        letters=CustomerLetters(base, cases=cases, deeds=deeds, desk=portal.letters.desk),
        letter_passwords=LetterPasswordHelp(base, cases=cases, deeds=deeds, passwords=portal.letters.password_help),
        granted=Granted(base, desk=portal.letters.desk, **theirs),
        managed=ManagedAccounts(base, **theirs),
        requests=RequestDesk(base, handling=portal.requests.handling, letters=portal.letters.desk),
    )
