"""A page as a test sees it, and everything that must hold of each page, whatever the test is about."""

import re

from werkzeug.test import TestResponse

from services.texts import Texts
from webapp.demo.states.reading import Element, actions_of, form_of, read, step_of

STEPS = {
    "identify", "email", "email-sent", "mobile", "sms-code", "sms-resend", "terms", "consents", "password", "done",
    "activation", "login", "logout", "forgot", "forgot-sent", "reset", "reset-done", "password-change",
    "password-changed", "terms-update", "email-change", "email-confirm", "email-changed", "mobile-change",
    "mobile-code", "close", "closed", "staff-login", "staff-search", "staff-record", "staff-code", "staff-done",
    "staff-letter-password", "staff-requests", "staff-request", "letter-consent", "grant",
    "passkey", "passkey-new", "figures", "sms-release", "invitation-decline", "invitation-declined",
    "home", "settings", "letters", "letter", "letter-confirm", "other-account",
    "contracts", "contract",
    "letter-password", "letter-password-try", "letter-password-sms", "letter-password-sent",
    "requests", "request", "request-form", "request-review", "request-done", "request-answer",
    "invoices", "invoice", "pay", "payment", "receipt", "demo-payment", "upload", "upload-password",
}  # fmt: skip
_POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
}  # fmt: skip
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page:
    """An answer of the server that has been read, and linted when it is HTML."""

    def __init__(self, response: TestResponse, texts: Texts) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.html = response.get_data(as_text=True)
        self.path = response.request.path
        self.root = read(self.html)
        self.is_fragment = "<!doctype html>" not in self.html
        self.language = next((html["lang"] for html in self.root.all("html")), "")
        self.lint(texts)

    # --- Reading --------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The document's title."""
        return next(self.root.all("title")).text

    @property
    def text(self) -> str:
        """What stands in the page's main part."""
        return next(self.root.all("main")).text

    @property
    def step(self) -> str:
        """The step that the page shows."""
        return step_of(self.root)

    @property
    def is_signed_in(self) -> bool:
        """Whether the page has the button to sign out."""
        return any(form["data-step"] == "logout" for form in self.root.all("form"))

    @property
    def csrf_token(self) -> str:
        """Any form's token."""
        return next(field["value"] for field in self.root.all("input") if field["name"] == "csrf_token")

    @property
    def addresses(self) -> list[str]:
        """Where the page leads: by its links, forms and scripts, back by a form, and by what its headers tell htmx."""
        names = ("href", "action", "src", "data-hx-get", "data-hx-post")
        found = [element[name] for element in self.root.all() for name in names if name in element]
        found += [field["value"] for field in self.root.all("input") if field["name"] == "next"]
        return found + [text for name, text in self.headers.items() if name == "Location" or name.startswith("HX-")]

    def form(self, step: str = "", action: str = "") -> Element:
        """Return the form of a step, or the one with the button for an action."""
        return form_of(self.root, step, action)

    def has_button(self, action: str) -> bool:
        """Tell whether there is a button for an action."""
        return any(action in actions_of(form) for form in self.root.all("form"))

    def by_id(self, name: str) -> Element | None:
        """Return the element with this id."""
        return next((element for element in self.root.all() if element["id"] == name), None)

    def value(self, name: str) -> str:
        """Return what a field holds."""
        return next(field["value"] for field in self.root.all("input") if field["name"] == name)

    @property
    def fields_in_error(self) -> list[str]:
        """The ids that the error summary links to."""
        summary = self.by_id("error-summary")
        return [link["href"].removeprefix("#") for link in summary.all("a")] if summary else []

    def error_of(self, name: str) -> str:
        """Return the message beside a field."""
        line = self.by_id(f"{name}-error")
        return line.text if line else ""

    def errors(self) -> dict[str, str]:
        """Each field in error with the message beside it, without the word that is there for screen readers."""
        lines = [line for line in self.root.all("p") if line["class"] == "error" and line["id"]]
        return {line["id"].removesuffix("-error"): line.text.partition(": ")[2].strip() for line in lines}

    # --- What must hold of every page -----------------------------------------------------------------------

    def lint(self, texts: Texts) -> None:
        """Fail on the first thing that must not be in any page."""
        self._lint_headers()
        self._lint_document(texts)
        self._lint_references()
        self._lint_forms()
        self._lint_names()
        self._lint_scripts()
        self._lint_errors(texts)

    def _lint_headers(self) -> None:
        given = self.headers["Content-Security-Policy"]
        if self.step == "pay":  # the one page whose form leads to the payment provider
            given = re.sub(r"(form-action 'self') https?://[\w.:-]+;", r"\1;", given)
        policy = {part.strip() for part in given.split(";")}
        assert policy == _POLICY
        for name, value in _HEADERS.items():
            assert self.headers.get(name) == value, f"{name}: {self.headers.get(name)}"
        if self.step != "demo-payment":  # the one page that is not ours: it knows nothing of HTMX
            vary = {part.strip() for part in self.headers["Vary"].split(",")}
            assert {"HX-Request", "HX-Boosted"} <= vary
        assert "Server" not in self.headers
        assert "X-Powered-By" not in self.headers

    def _lint_document(self, texts: Texts) -> None:
        assert "\0" not in self.html
        assert len(list(self.root.all("title"))) == 1
        assert self.title
        assert len(list(self.root.all("h1"))) == 1, "not exactly one h1"
        assert len(list(self.root.all("main"))) == 1
        if self.is_fragment:
            assert not list(self.root.all("html", "head", "body", "header", "footer")), "more than a fragment"
        else:
            assert self.language in texts.languages
        for text in (self.root.text, *(v for e in self.root.all() for v in e.attributes.values())):
            assert not re.search(r"\{[a-z_]+\}", text), f"an unfilled placeholder: {text}"

    def _lint_references(self) -> None:
        ids = [element["id"] for element in self.root.all() if "id" in element]
        assert len(ids) == len(set(ids)), f"ids stand twice: {sorted(i for i in ids if ids.count(i) > 1)}"
        known = set(ids) | ({"main"} if self.is_fragment else set())
        for element in self.root.all():
            for name in ("for", "aria-describedby", "aria-labelledby"):
                for target in element[name].split():
                    assert target in known, f"<{element.tag}> refers to #{target}, which is not there"
            if element.tag == "a" and element["href"].startswith("#"):
                assert element["href"][1:] in known, f"a link leads to {element['href']}"
        for mark in (element["data-step"] for element in self.root.all() if "data-step" in element):
            assert mark in STEPS

    def _lint_forms(self) -> None:
        labelled = {label["for"] for label in self.root.all("label")}
        wrapped = [id(field) for label in self.root.all("label") for field in label.all("input")]
        for form in self.root.all("form"):
            assert form["method"] in ("post", "get")
            assert form["action"].startswith("/"), f"a form without an address here: {form}"
            assert not list(form.all("form")), "a form in a form"
            tokens = [field for field in form.all("input") if field["name"] == "csrf_token"]
            # A token in an address would be told to others.
            assert len(tokens) == (0 if form["method"] == "get" or form["action"].startswith("/dev/") else 1)
            assert all(token["value"] for token in tokens)
        for field_ in self.root.all("input", "select", "textarea"):
            if field_["type"] != "hidden" and field_["aria-hidden"] != "true":
                assert field_["id"] in labelled or id(field_) in wrapped, f"{field_['name']} has no label"
            assert field_["type"] != "password" or not field_["value"], "a password is written back"

    def _lint_names(self) -> None:
        """Who speaks to the browser says what they see, so what is heard must hold it (WCAG 2.5.3)."""
        for element in self.root.all("a", "button"):
            heard = element["aria-label"]
            assert not heard or element.text.casefold() in heard.casefold(), f"“{element.text}” is heard as “{heard}”"

    def _lint_scripts(self) -> None:
        assert not list(self.root.all("style"))
        for script in self.root.all("script"):
            assert script["src"].startswith("/static/")
            assert not script.text
        for element in self.root.all():
            assert "style" not in element, f"<{element.tag}> has a style"
            assert not [name for name in element.attributes if name.startswith("on")]
            assert not re.match(r"(?i)\s*(javascript|data):", element["href"] + element["action"])
            assert not element["src"].startswith(("http", "//"))

    def _lint_dead_end(self) -> None:
        """What happened stands in one message; where a customer cannot go on, with the telephone and a reference."""
        (alert,) = [element for element in self.root.all() if element["role"] == "alert"]
        is_customers = not self.path.startswith(("/ugyfelszolgalat", "/partner", "/dev", "/api"))
        if is_customers and self.status in (410, 429):
            assert any(link["href"].startswith("tel:") for link in alert.all("a"))
            assert re.search(r"\b[2-9A-Z]{3}-[2-9A-Z]{3}\b", alert.text)

    def _lint_errors(self, texts: Texts) -> None:
        summary = self.by_id("error-summary")
        error_words = {
            texts.template("a11y.error_title", language, {}).partition("{")[0].strip() for language in texts.languages
        }
        assert all(error_words)
        begins_with_error = any(self.title.startswith(word) for word in error_words)
        assert begins_with_error == (summary is not None)
        if summary is None:
            assert self.status != 422
            if self.status >= 400:
                self._lint_dead_end()
            return
        # 404: the search found nobody; 413: a file is too large; 503: none can be kept
        assert self.status in (404, 413, 422, 429, 503)
        assert summary["role"] == "alert", "the summary is not announced"
        assert self.fields_in_error
        # A date's three fields are led to as one, by the first that is wrong.
        wrong = {element["id"].partition("-")[0] for element in self.root.all() if element["aria-invalid"] == "true"}
        assert wrong <= {name.partition("-")[0] for name in self.fields_in_error}, "a field that no link leads to"
        for name in self.fields_in_error:
            target = self.by_id(name)
            assert target is not None
            if target.tag != "section":
                assert target["aria-invalid" if target.tag in ("input", "select", "textarea") else "role"], (
                    f"{name} is not marked"
                )
                described = [self.by_id(each) for each in target["aria-describedby"].split()]
                assert any(each and "error" in each["class"].split() and each.text for each in described)
