"""What a browser holds of its registration: opaque ids in its signed session, or the token of a mailed link."""

import hashlib
from dataclasses import dataclass

from flask import session
from markupsafe import Markup

from services.registrations import Access, Registration
from webapp.http.addresses import link_token
from webapp.parts import current_parts
from webapp.ui.language import language


@dataclass(frozen=True)
class Browser:
    """This browser, and the token it came with while it is not bound yet."""

    access: Access | None
    token: str = ""
    is_token_unknown: bool = False

    @property
    def registration(self) -> Registration | None:
        """The registration as this browser may see it, read from the database."""
        return current_parts().registrations.records.find(self.access) if self.access else None

    @property
    def token_field(self) -> Markup:
        """The hidden field that carries the token to the next step."""
        return Markup('<input type="hidden" name="token" value="{}">').format(self.token) if self.token else Markup()

    def is_about(self, mark: str) -> bool:
        """Tell whether a form with this mark is about this browser's registration; another window may differ."""
        return not mark or (self.access is not None and mark_of(self.access.registration_id) == mark)

    @property
    def came_by_link(self) -> bool:
        """Whether this browser has followed a mailed link; it sees its registration while that mail is the newest."""
        return self.access is not None and self.access.link_id is not None

    def go_on_with(self, registration: Registration) -> None:
        """Bind this browser to a registration that it may see: with its link, unless a newer mail has left since."""
        link_id = self.access.link_id if self.access and self.access.link_id == registration.link_id else None
        access = Access(registration.id, link_id, browser_id(), language=language())
        known = held()
        if access == known:
            return  # setting signs and sends the cookie again, changed or not
        if known is None or (access.registration_id, access.link_id) != (known.registration_id, known.link_id):
            forget()
        session["registration"], session["link"] = access.registration_id, access.link_id


def mark_of(registration_id: str) -> str:
    """Return by what a form tells its registration from others; nothing can be reached by it."""
    return registration_id[:8]


def this_browser(token: str) -> Browser:
    """Return the browser of this request; `token` is the link's, if it came with one."""
    if not token:
        return Browser(held())
    opaque_id = current_parts().links.read("confirm", token)
    if not opaque_id:
        return Browser(None, is_token_unknown=True)
    return Browser(Access.by_link(opaque_id, browser_id(), language()), token)


def reader() -> Access | None:
    """Return the visit of a browser that opens a document: by the link that its page came by, or as it holds it.

    In a second window the session may hold another customer's registration; the document's address has the link's mark.
    """
    return this_browser(link_token()).access


def held() -> Access | None:
    """Return what the session holds."""
    registration_id = session.get("registration")
    if not registration_id:
        return None
    return Access(registration_id, session.get("link"), browser_id(), language=language())


def browser_id() -> str | None:
    """Return what tells this browser from others: a hash of its secret against forged forms, which no other one knows.

    It is there from the first page on, before anything else: also when the answer that said more got lost.
    """
    secret = session.get("csrf_token")
    return hashlib.sha256(secret.encode()).hexdigest() if secret else None


def proved() -> str | None:
    """Return the registration by which this browser opened an account, or None.

    Within its time alone: a saved session cookie cannot be taken back, so it must not be worth anything for ever.
    """
    access = held()
    registration = current_parts().registrations.records.find(access) if access else None
    return registration.id if registration and is_own(registration) else None


def forget() -> None:
    """Forget this browser's registration."""
    for key in ("registration", "link", "reopened"):
        session.pop(key, None)


def reopened() -> str | None:
    """Return the name of the done step that the customer is changing."""
    name: str | None = session.get("reopened")
    return name


def reopen(name: str | None) -> None:
    """Remember which done step the customer is changing; None when they have done so."""
    if name is None:
        session.pop("reopened", None)
    else:
        session["reopened"] = name


def is_own(registration: Registration) -> bool:
    """Tell whether this browser set the password of the registration, within its time."""
    return registration.is_complete and registration.expires_at > current_parts().clock.now()
