"""How a view answers: a page, or its fragment alone where HTMX asks for that."""

from typing import Any

from flask import Response, g, render_template, request


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
