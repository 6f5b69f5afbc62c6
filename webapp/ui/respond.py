"""How a view answers the browser: by a page, by its fragment alone for HTMX, or by going on to another page."""

from collections.abc import Callable
from typing import Any

from flask import Response, g, make_response, redirect, render_template, request
from werkzeug.urls import iri_to_uri


def is_fragment_due() -> bool:
    """Tell whether HTMX asked for a part of the page; a boosted or restored request wants all of it."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and "HX-Boosted" not in headers


def page(
    template: str, status: int = 200, *, layout: str = "layouts/page.html", signed_out_to: str = "", **context: Any
) -> Response:
    """Render `template` as a page in its layout, or as its fragment alone where HTMX asked for that.

    `signed_out_to` is the page's own address where what it answers has ended a session: with the fragment comes what
    stands around it then, and htmx puts that address into the address bar.
    """
    takes_focus = "autofocus"
    if is_fragment_due():
        # The script gives the focus: WebKit itself would do so some time later, to somebody who is typing already.
        layout, takes_focus, g.shown_at = "layouts/fragment.html", "data-focus", signed_out_to
    response = Response(
        render_template(template, layout=layout, takes_focus=takes_focus, has_ended=bool(signed_out_to), **context),
        status,
    )
    response.headers["Vary"] = "HX-Request, HX-Boosted"
    if signed_out_to:
        response.headers["HX-Push-Url"] = signed_out_to
    return response


def see_other(address: str) -> Response:
    """Redirect (303) to a page: the browser gets it by GET, so that reloading sends nothing again."""
    return make_response(redirect(address, 303))


def go_on(address: str, show: Callable[[], Response] | None = None, *, push: bool = True) -> Response:
    """Answer an accepted form: go on to the page at `address`.

    A plain form is answered by a redirect. HTMX gets the page at once, as `show` renders it, with `address` for the
    address bar unless `push` is false. Without `show` the page has another frame, so HTMX loads it whole.
    """
    if not is_fragment_due():
        return see_other(address)
    if show is None:
        response = make_response("")
        response.headers["HX-Redirect"] = iri_to_uri(address)
        return response
    response = show()
    if push:
        response.headers["HX-Push-Url"] = iri_to_uri(address)
    return response
