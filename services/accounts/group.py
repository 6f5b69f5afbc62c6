"""The services of customers' accounts."""

from dataclasses import dataclass
from typing import TypedDict

from services.accounts.activations import Activations
from services.accounts.challenges import Challenges
from services.accounts.changed_terms import ChangedTerms
from services.accounts.details import AccountDetails
from services.accounts.devices import SignedInDevices
from services.accounts.email_changes import EmailChanges
from services.accounts.mails import AccountMails
from services.accounts.mobile_changes import MobileChanges
from services.accounts.passkeys import Passkeys
from services.accounts.password_checks import PasswordChecks
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


class _Proving(TypedDict):
    """What every change needs that asks for the password and mails a notice."""

    sessions: Sessions
    password_checks: PasswordChecks
    account_mails: AccountMails


@dataclass(frozen=True)
class AccountServices:
    """What a customer, or staff on their behalf, can do with an account."""

    sign_ins: SignIns
    activations: Activations
    passkeys: Passkeys
    password_changes: PasswordChanges
    devices: SignedInDevices
    changed_terms: ChangedTerms
    email_changes: EmailChanges
    mobile_changes: MobileChanges
    details: AccountDetails
    hasher: Hasher
    sessions: Sessions
    password_checks: PasswordChecks
    account_mails: AccountMails


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
    sessions, account_mails = Sessions(base), AccountMails(messages.outbox, base.profile.texts)
    password_checks = PasswordChecks(base, limits.failed_attempts, hasher)
    sign_ins = SignIns(base, sessions=sessions, limits=limits, account_mails=account_mails, hasher=hasher)
    activations = Activations(
        base, is_wanted=has_activation, sessions=sessions,
        code_generator=codes.code_generator, allowances=limits.allowances, outbox=messages.outbox,
    )  # fmt: skip
    proving = _Proving(sessions=sessions, password_checks=password_checks, account_mails=account_mails)
    passkeys = Passkeys(
        base, origin=passkey_origin, challenges=Challenges(base, links, limits.allowances), sign_ins=sign_ins, **proving
    )
    passwords = PasswordChanges(base, limits=limits, hasher=hasher, **proving)
    emails = EmailChanges(base, allowances=limits.allowances, **proving)
    mobiles = MobileChanges(base, codes=codes, **proving)
    details = AccountDetails(base, outbox=messages.outbox, **proving)
    return AccountServices(
        sign_ins=sign_ins,
        activations=activations,
        passkeys=passkeys,
        password_changes=passwords,
        devices=SignedInDevices(base, sessions),
        changed_terms=ChangedTerms(base, sessions=sessions, terms=documents.terms),
        email_changes=emails,
        mobile_changes=mobiles,
        details=details,
        hasher=hasher,
        sessions=sessions,
        password_checks=password_checks,
        account_mails=account_mails,
    )
