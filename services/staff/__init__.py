"""Staff: their accounts and sessions, the customers they look at, and what they do together with a customer (M28–M30).

Members of staff never see or choose a code, a link or a password. The audit trail holds every look and every deed
under the member's id.
"""

from services.staff.accounts import StaffAccounts
from services.staff.cases import Case, Cases
from services.staff.customers import CustomerFile, CustomerFiles
from services.staff.member import ROLES, Member, StaffSession
from services.staff.search import Hit
from services.staff.sms_budget import SmsReleases

__all__ = [
    "ROLES",
    "Case",
    "Cases",
    "CustomerFile",
    "CustomerFiles",
    "Hit",
    "Member",
    "SmsReleases",
    "StaffAccounts",
    "StaffSession",
]
