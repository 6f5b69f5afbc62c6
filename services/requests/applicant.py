"""Who fills in a request: the customer, or somebody else where the rules allow it (P45, P55)."""

from dataclasses import dataclass

from services.accounts import Session
from services.requests.request import CUSTOMER


@dataclass(frozen=True)
class Applicant:
    """Who fills in a request."""

    kutid: str | None
    """The customer whose request it is; None for somebody without an account."""
    asker: str | None = None
    """Whose draft it is, where it is not the customer's own: a mark of a browser, or of a member of staff."""
    actor: str = CUSTOMER
    """Who sends it, for the timeline."""
    policies: frozenset[str] | None = None
    """The policies that an intermediary acts for; None: whatever is the customer's (P55)."""
    language: str = ""
    """Of the mails to somebody without an account."""
    source: str = ""
    """The network address of somebody without an account."""

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows who it is: somebody without an account."""
        return self.kutid is None


By = Session | Applicant
"""Who asks: a customer's session, or who else fills in a request."""


def applicant_of(by: By) -> Applicant:
    """Return who fills in a request."""
    return by if isinstance(by, Applicant) else Applicant(by.account.kutid)
