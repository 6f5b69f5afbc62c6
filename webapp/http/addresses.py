"""Addresses: each is made by its endpoint's name, and one that a browser names is followed only within the site."""

import hashlib
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from flask import Flask, current_app, g, request, session
from werkzeug.exceptions import HTTPException

from webapp.parts import current_parts

API = "/api/"
"""Where programs ask, for what is not there too."""
_LINK = "mailed"


class Application(Flask):
    """Flask, whose `url_for` makes the address of an endpoint without arguments once.

    The site begins at the root of its host (`BELEPO_PUBLIC_URL` takes no path), so such an address never changes.
    Flask's own takes 3 microseconds for each link of a page; this one takes a tenth of one, and needs no request.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, static_folder=None, **options)
        self._known: dict[str, str] = {}

    def url_for(self, /, endpoint: str, **options: Any) -> str:
        """Return the address of an endpoint; `options` are Flask's, and what the rule and the query take.

        Raises BuildError where there is no such endpoint, or its rule takes more.
        """
        if options and any(value is not None for value in options.values()):  # Flask hands on its own ones, unset
            return super().url_for(endpoint, **options)
        address = self._known.get(endpoint)
        if address is None:
            address = self._known[endpoint] = self.url_map.bind("").build(endpoint)
        return address


def is_api() -> bool:
    """Tell whether the request is a program's: answered in JSON, without cookies."""
    return request.path.startswith(API)


def here(**query: str) -> str:
    """Return where this page is shown again, with `query` besides.

    One that answers a form may have no address of its own: then it is the nearest above it that has. The token of a
    mailed link stays out of it: the browser's session remembers that, and `link_token` reads it again.
    """
    path = f"/{request.path.lstrip('/')}"  # one slash, or it would lead to another host
    shown = request.args.to_dict()
    if address := g.get("shown_at"):
        path, _, parameters = address.partition("?")
        shown = dict(parse_qsl(parameters, keep_blank_values=True))
    elif request.method == "POST":
        shown |= _sent_token()
        adapter = current_app.create_url_adapter(request)
        while path != "/" and adapter and not adapter.test(path, "GET"):
            path, shown = path.rpartition("/")[0] or "/", {}
    shown = _without_token(shown) | query
    return f"{quote(path)}?{urlencode(shown)}" if shown else quote(path)


def link_token() -> str:
    """Return the token of the mailed link by which this page was opened: of its address, or as the session holds it."""
    token = session.get(_LINK, "")
    is_remembered = bool(token) and request.args.get(_LINK) == _mark(token)
    return request.args.get("token") or (token if is_remembered else "")


def _without_token(shown: dict[str, str]) -> dict[str, str]:
    has_session = request.method == "GET" or current_parts().settings.cookie("session") in request.cookies
    if not shown.get("token") or not has_session:  # a browser without cookies remembers nothing
        return shown
    token = shown.pop("token")
    if session.get(_LINK) != token:
        session[_LINK] = token
    return {**shown, _LINK: _mark(token)}


def _mark(token: str) -> str:
    """Return what tells one link from another, so that a second window does not show the first one's page."""
    return hashlib.sha256(token.encode()).hexdigest()[:8]


def _sent_token() -> dict[str, str]:
    try:
        return {"token": token} if (token := request.form.get("token")) else {}
    except HTTPException:
        return {}  # too large a form is not read


def local(address: str, otherwise: str = "") -> str:
    """Return `address` if it stays here, else `otherwise`: an open redirect would lend the insurer's name."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return otherwise
    is_local = (
        not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    )
    return address if is_local and address.isprintable() and "\\" not in address else otherwise
