"""The services behind the sign-in: a group for each part of the customer's portal."""

from dataclasses import dataclass

from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.contracts.group import ContractServices, build_contracts
from services.gateways.payments import PaymentProvider
from services.gateways.storage import Storage
from services.grants.group import GrantServices, build_grants
from services.letters.group import LetterServices, build_letters
from services.limits.group import LimitServices
from services.links import Links
from services.messages.group import MessageServices
from services.payments.group import PaymentServices, build_payments


@dataclass(frozen=True)
class PortalServices:
    """What a signed-in customer, the insurer and its staff do in the portal."""

    contracts: ContractServices
    letters: LetterServices
    payments: PaymentServices
    grants: GrantServices
    storage: Storage
    """Where the bytes of letters and files are."""


def build_portal(
    base: Base,
    storage: Storage,
    messages: MessageServices,
    limits: LimitServices,
    codes: CodeServices,
    *,
    accounts: AccountServices,
    links: Links,
    provider: PaymentProvider | None = None,
) -> PortalServices:
    """Build the portal's groups in their order; without a `provider` no card is taken."""
    letters = build_letters(base, storage=storage, messages=messages, limits=limits, codes=codes, accounts=accounts)
    return PortalServices(
        contracts=build_contracts(base),
        letters=letters,
        payments=build_payments(base, messages=messages, links=links, provider=provider),
        grants=build_grants(base, accounts=accounts, messages=messages),
        storage=storage,
    )
