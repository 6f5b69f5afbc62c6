"""The places of the portal: its navigation, the same on every page of a signed-in customer (P2)."""

from dataclasses import dataclass

from flask import g, request, url_for

from webapp.account import sessions
from webapp.parts import current_parts
from webapp.ui.faults import DATABASE_FAILURES
from webapp.ui.respond import is_fragment_due

_ON_THE_WAY = ("terms_update", "activation")
"""Pages that come before the portal: no link would lead past them."""


@dataclass(frozen=True)
class Place:
    """One of the places; `key` ends the key of its words, and `inside` names the blueprints of its other pages."""

    key: str
    endpoint: str
    icon: str
    inside: tuple[str, ...] = ()

    @property
    def href(self) -> str:
        """The address of its page."""
        return url_for(self.endpoint)

    @property
    def is_here(self) -> bool:
        """Whether the page that is asked for is this place or inside it."""
        return request.endpoint == self.endpoint or request.blueprint in self.inside

    @property
    def unread(self) -> int:
        """The number that stands beside its name."""
        return unread() if self.key == "letters" else 0


_SETTINGS = ("account", "password", "email", "mobile", "passkeys", "closing")
PLACES = (
    Place("home", "home.show", "home"),
    Place("contracts", "contracts.show_all", "shield", inside=("contracts",)),
    Place("letters", "letters.show", "mail", inside=("letter", "files")),
    Place("requests", "requests.show_all", "clipboard", inside=("requests", "request_new")),
    Place("invoices", "invoices.show_all", "document", inside=("invoices", "payments")),
    Place("settings", "account.overview", "sliders", inside=_SETTINGS),
)
"""In the order of the navigation; six at most."""


def unread() -> int:
    """Return how many letters the customer of this request has not opened."""
    if "unread" not in g:
        session = sessions.current()
        g.unread = current_parts().portal.letters.mailbox.unread(session) if session else 0
    return int(g.unread)


def frame() -> dict[str, object]:
    """Return what the frame of a page shows of the places: none for who is not signed in, or has not come in yet."""
    if is_fragment_due() or request.blueprint in _ON_THE_WAY:
        return {"places": ()}
    try:
        return {"places": _offered() if sessions.current() is not None else ()}
    except DATABASE_FAILURES:
        return {"places": ()}


def _offered() -> tuple[Place, ...]:
    """Return the places of this insurer: without an account to pay to, it sends no invoices here."""
    profile = current_parts().profile
    offered = {"invoices": profile.payments is not None, "requests": bool(profile.requests)}
    return tuple(place for place in PLACES if offered.get(place.key, True))
