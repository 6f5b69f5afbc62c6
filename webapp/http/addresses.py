"""Addresses: each is made by its endpoint's name, and one that a browser names is followed only within the site."""

import hashlib
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from flask import Flask, current_app, g, request, session
from werkzeug.exceptions import HTTPException

from webapp.parts import current_parts

API = "/api/"
"""Where programs ask, for what is not there too."""
LINKS = "followed"
"""The key in the browser's session of the tokens that `mark` has stood in for."""
_MOST_LINKS, _LONGEST_LINK = 4, 300
"""Windows with a mailed link each that one browser may have, and more than any token has signs: a cookie is small."""
_TOKENS = ("token", "meghivo", "level")
"""The parameters of mailed links that hold one."""


class Application(Flask):
    """Flask, whose `url_for` makes the address of an endpoint without arguments once.

    The site begins at the root of its host (`BELEPO_PUBLIC_URL` takes no path), so such an address never changes.
    Flask's own takes 3 microseconds for each link of a page; this one takes a tenth of one, and needs no request.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, static_folder=None, **options)
        self._known: dict[str, str] = {}

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Return the address of an endpoint; `values` fill its rule and its query, the others are Flask's.

        Raises BuildError where there is no such endpoint, or its rule takes more.
        """
        if values or _anchor or _method or _scheme or _external:
            return super().url_for(
                endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values
            )
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
    mailed link stays out of it (`mark`).
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
    shown = _marked(shown) | query
    return f"{quote(path)}?{urlencode(shown)}" if shown else quote(path)


def link_token(name: str = "token") -> str:
    """Return the token of the mailed link by which this page was opened, of the parameter `name`; or an empty text.

    It stands in the page's address, or the session knows it by its mark.
    """
    given = request.args.get(name, "")
    known = session.get(LINKS, ()) if given else ()
    return next((token for token in known if _mark_of(token) == given), given)


def mark(token: str) -> str:
    """Return what stands in further addresses for a mailed link's token, and have the browser's session remember it.

    The token itself would come into the history, screenshots and logs with each of them. Several are remembered, so
    that each window goes on with its own link. Of one that is too long to be ours nothing is left.
    """
    links = session.get(LINKS, [])
    if token in map(_mark_of, links):
        return token
    if len(token) > _LONGEST_LINK:
        return ""
    if token not in links:
        session[LINKS] = [*links, token][-_MOST_LINKS:]
    return _mark_of(token)


def without_token(address: str) -> str:
    """Return an address of a page of ours with the mark of each token in it."""
    path, _, query = address.partition("?")
    shown = dict(parse_qsl(query, keep_blank_values=True))
    return f"{path}?{urlencode(_marked(shown))}" if any(name in shown for name in _TOKENS) else address


def _marked(shown: dict[str, str]) -> dict[str, str]:
    if request.method == "POST" and current_parts().settings.cookie("session") not in request.cookies:
        # A browser that keeps no cookies remembers no link. Its form was refused for that reason, and the page that
        # says so leads back: only the token itself can open the link again, once cookies are allowed.
        return shown
    return {name: mark(value) if name in _TOKENS and value else value for name, value in shown.items()}


def _mark_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:8]


def _sent_token() -> dict[str, str]:
    try:
        return {"token": token} if (token := request.form.get("token")) else {}
    except HTTPException:
        return {}  # too large a form is not read


def local(address: str) -> str:
    """Return `address` if it stays here, else an empty text: an open redirect would lend the insurer's name."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    is_local = (
        not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    )
    return address if is_local and address.isprintable() and "\\" not in address else ""
