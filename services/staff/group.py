"""The services of staff."""

from dataclasses import dataclass

from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.limits.group import LimitServices
from services.messages.group import MessageServices
from services.passwords import Hasher
from services.registrations.group import RegistrationServices
from services.staff.accounts import StaffAccounts
from services.staff.cases import Cases
from services.staff.customers import CustomerFiles
from services.staff.desk import Desk
from services.staff.second_factor import SecondFactors
from services.staff.sms_budget import SmsReleases


@dataclass(frozen=True)
class StaffServices:
    """What members of staff, and clients of the API, can do."""

    accounts: StaffAccounts
    cases: Cases
    customer_files: CustomerFiles
    desk: Desk
    sms_releases: SmsReleases


def build_staff(
    base: Base,
    *,
    limits: LimitServices,
    messages: MessageServices,
    codes: CodeServices,
    registrations: RegistrationServices,
    accounts: AccountServices,
    hasher: Hasher,
    is_second_factor_needed: bool = True,
) -> StaffServices:
    """Build the services of staff; only a demonstration does without a second factor."""
    cases = Cases(base)
    return StaffServices(
        accounts=StaffAccounts(
            base,
            tries=limits.failed_attempts,
            hasher=hasher,
            factors=SecondFactors(base.keys.secrets),
            is_second_factor_needed=is_second_factor_needed,
        ),
        cases=cases,
        customer_files=CustomerFiles(base, registrations.assisted, codes.one_time_codes),
        desk=Desk(
            base,
            cases=cases,
            registrations=registrations.assisted,
            customer_accounts=accounts,
            codes=codes,
            allowances=limits.allowances,
            outbox=messages.outbox,
        ),
        sms_releases=SmsReleases(base, messages.sms_budget),
    )
