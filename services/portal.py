"""The services behind the sign-in: a group for each part of the customer's portal."""

from dataclasses import dataclass

from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.contracts.group import ContractServices, build_contracts
from services.gateways.group import Gateways
from services.gateways.storage import Storage
from services.grants.group import GrantServices, build_grants
from services.letters.group import LetterServices, build_letters
from services.limits.group import LimitServices
from services.links import Links
from services.messages.group import MessageServices
from services.payments.group import PaymentServices, build_payments
from services.requests.group import RequestServices, build_requests
from services.uploads.group import UploadServices, build_uploads


@dataclass(frozen=True)
class PortalServices:
    """What a signed-in customer, the insurer and its staff do in the portal."""

    contracts: ContractServices
    letters: LetterServices
    payments: PaymentServices
    grants: GrantServices
    requests: RequestServices
    uploads: UploadServices
    storage: Storage
    """Where the bytes of letters and files are."""


def build_portal(
    base: Base,
    gateways: Gateways,
    messages: MessageServices,
    limits: LimitServices,
    codes: CodeServices,
    *,
    accounts: AccountServices,
    links: Links,
) -> PortalServices:
    """Build the portal's groups in their order."""
    storage = gateways.storage
    letters = build_letters(base, storage=storage, messages=messages, limits=limits, codes=codes, accounts=accounts)
    contracts = build_contracts(base)
    uploads = build_uploads(base, storage=storage, messages=messages, limits=limits, scanner=gateways.scanner)
    return PortalServices(
        contracts=contracts,
        letters=letters,
        payments=build_payments(base, messages=messages, links=links, provider=gateways.provider),
        requests=build_requests(
            base, messages=messages, limits=limits, portfolio=contracts.portfolio, files=uploads.files
        ),
        uploads=uploads,
        grants=build_grants(base, accounts=accounts, messages=messages),
        storage=storage,
    )
