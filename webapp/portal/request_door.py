"""Who fills in a request, and the addresses of its pages (P35, P45, P55)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from flask import Response
from markupsafe import Markup

from services.requests.applicant import By
from webapp.ui.respond import page


class _Sent(Protocol):
    """What is said of a request that was sent, at once or `is_twice`."""

    def __call__(self, request_id: str, *, is_twice: bool = False) -> str:
        """Return the address that says so."""
        ...


class _Shown(Protocol):
    def __call__(self, request_id: str, *, is_twice: bool = False) -> Response:
        """Show that a request was sent."""
        ...


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way to the pages of a new request; `webapp.portal.request_flow` shows them."""

    by: By
    kutid: str | None
    """Whose the files are."""
    address: Callable[..., str]
    """Makes the address of a kind, or of one of its pages."""
    files: Callable[[str, str], str]
    """Makes the address to which the files of a kind's question are posted."""
    home: str
    """Where the way back leads, and who leaves the request goes."""
    place: Markup
    """The name of that place."""
    sent: _Sent
    show_sent: _Shown
    was_sent: Callable[[str], bool]
    """Tells whether a draft with this id was sent by this door."""
    say: Callable[..., None]
    """Leaves a text for the next page, by its key and facts."""
    notice: Callable[[], Markup | None] = lambda: None
    """Takes the text that was left for this page."""
    can_leave: bool = True
    """Whether it can be left and gone on with later, on another device too."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """What was typed when an earlier session ended."""
    file: Callable[[str], Callable[[str], str] | None] = lambda _kind: None
    """For a kind, what makes the address of a file by its id; None for that of a customer's own."""
    render: Callable[..., Response] = page
