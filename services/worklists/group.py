"""The services of worklists."""

from dataclasses import dataclass

from services.base import Base
from services.grants.group import GrantServices
from services.limits.group import LimitServices
from services.messages.group import MessageServices
from services.staff.group import StaffServices
from services.worklists.adviser_desk import AdviserDesk
from services.worklists.dispatch import InvitationDispatch
from services.worklists.invitations import Invitations
from services.worklists.quality import QualityCases
from services.worklists.scan import QualityScan
from services.worklists.selection_tokens import SelectionTokens
from services.worklists.unread_letters import UnreadLetters
from services.worklists.unregistered import Unregistered
from services.worklists.worker import WorklistWorker


@dataclass(frozen=True)
class WorklistServices:
    """The lists that staff work through, and the worker that sends their mails and fills them."""

    unregistered: Unregistered
    invitations: Invitations
    data_issues: QualityCases
    marks: SelectionTokens
    worker: WorklistWorker
    unread_letters: UnreadLetters
    desk: AdviserDesk


def build_worklists(
    base: Base, *, limits: LimitServices, messages: MessageServices, staff: StaffServices, grants: GrantServices
) -> WorklistServices:
    """Build the worklists, whose customers are looked at in cases of staff."""
    marks = SelectionTokens(base.keys.secrets)
    return WorklistServices(
        unregistered=Unregistered(base, search=staff.search, marks=marks),
        invitations=Invitations(base, marks=marks),
        data_issues=QualityCases(base, search=staff.search, marks=marks),
        marks=marks,
        worker=WorklistWorker(InvitationDispatch(base, messages.outbox), QualityScan(base, limits.allowances)),
        unread_letters=UnreadLetters(base, search=staff.search, marks=marks),
        desk=AdviserDesk(base, search=staff.search, marks=marks, nudges=grants.nudges),
    )
