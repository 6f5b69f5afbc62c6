"""The services of customers' accounts."""

from dataclasses import dataclass

from services.accounts.activations import Activations
from services.accounts.challenges import Challenges
from services.accounts.checks import Checks
from services.accounts.details import AccountDetails
from services.accounts.notices import Notices
from services.accounts.passkeys import Passkeys
from services.accounts.passwords import PasswordChanges
from services.accounts.sessions import Sessions
from services.accounts.sign_in import SignIns
from services.base import Base
from services.codes.group import CodeServices
from services.limits.group import LimitServices
from services.links import Links
from services.messages.group import MessageServices
from services.passwords import Hasher
from services.terms import Documents


@dataclass(frozen=True)
class AccountServices:
    """What a customer, or staff on their behalf, can do with an account."""

    sign_ins: SignIns
    activations: Activations
    passkeys: Passkeys
    password_changes: PasswordChanges
    details: AccountDetails


def build_accounts(
    base: Base,
    *,
    limits: LimitServices,
    messages: MessageServices,
    codes: CodeServices,
    documents: Documents,
    hasher: Hasher,
    links: Links,
    passkey_origin: str,
    has_activation: bool,
) -> AccountServices:
    """Build the services of accounts.

    `passkey_origin` is scheme, host and port of the pages. `has_activation` says that the journey ends with a mailed
    activation code.
    """
    sessions, notices = Sessions(base.profile.sign_in), Notices(messages.outbox, base.profile.texts)
    checks = Checks(base, limits.failed_attempts, hasher)
    sign_ins = SignIns(base, sessions=sessions, limits=limits, terms=documents.terms, notices=notices, hasher=hasher)
    return AccountServices(
        sign_ins=sign_ins,
        activations=Activations(
            base,
            is_wanted=has_activation,
            sessions=sessions,
            seals=codes.seals,
            allowances=limits.allowances,
            outbox=messages.outbox,
        ),
        passkeys=Passkeys(
            base,
            origin=passkey_origin,
            challenges=Challenges(base, links, limits.allowances),
            sessions=sessions,
            sign_ins=sign_ins,
            checks=checks,
            notices=notices,
        ),
        password_changes=PasswordChanges(
            base, sessions=sessions, limits=limits, checks=checks, notices=notices, hasher=hasher
        ),
        details=AccountDetails(
            base,
            sessions=sessions,
            checks=checks,
            allowances=limits.allowances,
            codes=codes,
            notices=notices,
            outbox=messages.outbox,
        ),
    )
