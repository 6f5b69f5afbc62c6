"""A browser inside the server, which goes through the application's doors as anybody's browser does."""

import re
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from services import randomness
from webapp.demo.states.reading import Element, actions_of, form_of, read, step_of, values_of


class Window:
    """What a browser shows."""

    page: TestResponse

    def __init__(self) -> None:
        self._root = read("")
        self._shown: list[tuple[TestResponse, Element]] = []

    @property
    def path(self) -> str:
        """The address of the page."""
        return self.page.request.path

    def links(self, prefix: str) -> list[str]:
        """Return the addresses on the page that begin with `prefix`, in order."""
        return [link["href"] for link in self._root.all("a") if link["href"].startswith(prefix)]

    @property
    def forms(self) -> list[Element]:
        """The forms of the page."""
        return list(self._root.all("form"))

    @property
    def actions(self) -> set[str]:
        """The actions of the page's secondary buttons."""
        return {action for form in self.forms for action in actions_of(form)}

    @property
    def step(self) -> str:
        """The step that the page shows."""
        return step_of(self._root)

    def back(self) -> None:
        """Look at the page before this one, as it was then: browsers ask for nothing when somebody goes back."""
        self._shown.pop()
        self.page, self._root = self._shown[-1]


class Browser(Window):
    """A browser at an address of its own. `headers` are those of whoever asked to see what it shows."""

    def __init__(self, app: Flask, base_url: str, headers: dict[str, str], preferences: dict[str, str]) -> None:
        super().__init__()
        self._app = app
        self._base_url = base_url
        self.headers = headers
        self._preferences = preferences
        self.cookies: dict[str, str] = {}
        """The Set-Cookie headers of the way, the last of each name."""
        self.forget()

    def forget(self) -> None:
        """Go on in another browser, from another address: nobody's limits are used up by somebody's walks."""
        self._client = self._app.test_client()
        for name, text in self._preferences.items():
            self._client.set_cookie(name, text, domain=urlsplit(self._base_url).hostname or "")
        self._address = f"127.{randomness.digits(2)}.{randomness.digits(2)}.{randomness.digits(2)}"
        self.cookies = {}

    def become(self, other: "Browser") -> None:
        """Go on at the browser that another has."""
        self._client, self.cookies, self.page, self._root = other._client, other.cookies, other.page, other._root
        self._shown = other._shown

    def visit(self, endpoint: str = "registration.first_half", **values: Any) -> None:
        """Open a page by its endpoint, by default the registration; `values` fill its rule and its query."""
        self.open(self.address_of(endpoint, **values))

    def address_of(self, endpoint: str, **values: Any) -> str:
        """Return the address of an endpoint."""
        return self._app.url_map.bind("").build(endpoint, values)

    def open(self, address: str) -> None:
        """Open an address of the site, or a whole one."""
        self._ask(re.sub(r"^https?://[^/]+", "", address), "GET", None)

    def send(self, step: str, file: tuple[str, bytes] | None = None, /, **fields: str) -> None:
        """Send the form of a step, with what is in it; two underscores stand for the hyphen of a part.

        `file` is the name and the content of what is chosen in the field of that name; without a name, nothing is.
        """
        form = form_of(self._root, step)
        typed = {name.replace("__", "-"): text for name, text in fields.items()}
        chosen = {} if file is None else {"file": (BytesIO(file[1]), file[0])}
        self._ask(form["action"], "POST", values_of(form) | typed | chosen)

    def act(self, action: str, /, **fields: str) -> None:
        """Press a secondary button by its action."""
        form = form_of(self._root, action=action)
        self._ask(form["action"], "POST", {**values_of(form), "action": action, **fields})

    def send_to(self, address: str, **fields: str) -> None:
        """Send the first form that goes to this address."""
        form = next((form for form in self.forms if form["action"] == address), None)
        assert form is not None, f"There is no form to {address} at {self.path}."
        self._ask(address, "POST", values_of(form) | fields)

    def _ask(self, address: str, method: str, data: dict[str, Any] | None) -> None:
        origin = {"REMOTE_ADDR": self._address}
        self.page = self._client.open(
            address, method=method, data=data, base_url=self._base_url, headers=self.headers, environ_base=origin
        )
        for cookie in self.page.headers.getlist("Set-Cookie"):
            self.cookies[cookie.partition("=")[0]] = cookie
        self._root = read(self.page.text if self.page.mimetype == "text/html" else "")
        if self.page.status_code in (302, 303):
            self._ask(self.page.headers["Location"], "GET", None)
        else:
            self._shown.append((self.page, self._root))

    def follow(self, rel: str) -> None:
        """Follow the page's link to what it `rel`ates to."""
        self.open(next(link["href"] for link in self._root.all("a") if link["rel"] == rel))

    def open_document(self, name: str) -> None:
        """Open a document that the page links to, in another window."""
        link = next((link for link in self._root.all("a") if link["data-opens"] == name), None)
        assert link is not None, f"There is no document {name} at {self.path}."
        here = self.page, self._root
        self.open(link["href"])
        self.page, self._root = here
