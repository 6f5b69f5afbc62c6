"""Links that fill in the number of the first step: an invitation's, or that of a letter's notification (B2, T2, T4)."""

from typing import Any

from flask import url_for
from markupsafe import Markup

from services.messages.composer import REGISTER_PARAMETER, REGISTER_PURPOSE
from services.register.prefill import Prefill
from webapp.http.addresses import link_token, mark
from webapp.parts import current_parts
from webapp.ui.language import say

_LINKS = ("meghivo", REGISTER_PARAMETER)
"""The parameters of links that fill in a number: an invitation's, a letter's notification's."""


def read() -> tuple[Prefill | None, Markup | None]:
    """Return the number that the link fills in, and the page's words about it.

    Returns nothing without a link. The page does not say why a link is dead: it may be outdated, forged, or belong to
    a registered customer.
    """
    link = followed()
    if link is None:
        return None, None
    name, token = link
    if name == REGISTER_PARAMETER:
        return _told_by_letter(token)
    parts = current_parts()
    link_id = parts.links.read("invitation", token)
    found = parts.worklists.invitations.prefill(link_id) if link_id else None
    return found, say()("identify.invitation.filled" if found else "identify.invitation.over")


def _told_by_letter(token: str) -> tuple[Prefill | None, Markup | None]:
    parts = current_parts()
    letter_id = parts.links.read(REGISTER_PURPOSE, token)
    found = parts.portal.letters.notifications.prefill(letter_id) if letter_id else None
    return found, say()("identify.letter.filled") if found else None


def followed() -> tuple[str, str] | None:
    """Return the parameter and the token of the link that fills in a number, if one was followed."""
    return next(((name, token) for name in _LINKS if (token := link_token(name))), None)


def address(name: str, token: str) -> str:
    """Return the address that a link leads to, by its parameter and its token."""
    values: dict[str, Any] = {name: mark(token)}
    return url_for("registration.first_half", **values)
