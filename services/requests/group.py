"""The services of requests."""

from dataclasses import dataclass

from services.base import Base
from services.contracts.portfolio import Portfolio
from services.limits.group import LimitServices
from services.messages.group import MessageServices
from services.requests.claims import Claims
from services.requests.drafts import Drafts
from services.requests.figures import RequestFigures
from services.requests.files import RequestFiles
from services.requests.handling import Handling
from services.requests.kinds import Kinds
from services.requests.mails import RequestMails
from services.requests.own import OwnRequests
from services.requests.reading import ASKED


@dataclass(frozen=True)
class RequestServices:
    """What the customer and the insurer do with requests."""

    kinds: Kinds
    drafts: Drafts
    own: OwnRequests
    handling: Handling
    claims: Claims
    figures: RequestFigures


def build_requests(
    base: Base,
    *,
    messages: MessageServices,
    limits: LimitServices,
    portfolio: Portfolio,
    files: RequestFiles | None = None,
) -> RequestServices:
    """Build the services of requests. Without `files`, which receives them, no question asks for any."""
    types = ASKED if files is None else ASKED | {"files"}
    kinds, mails = Kinds(base, portfolio, types), RequestMails(base, messages.outbox, limits.allowances)
    claims = Claims(base, limits.allowances, files)
    return RequestServices(
        kinds=kinds,
        drafts=Drafts(base, kinds, mails, claims, files),
        own=OwnRequests(base, mails, files),
        handling=Handling(base, mails, files),
        claims=claims,
        figures=RequestFigures(base),
    )
