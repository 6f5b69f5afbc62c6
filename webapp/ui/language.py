"""The language of a request, and its texts as templates and views say them."""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from string import Formatter
from typing import Any, cast

from flask import Response, current_app, request
from markupsafe import Markup, escape

from services.profiles import Profile
from services.texts import Texts
from webapp.http.addresses import here, is_api
from webapp.http.cookies import keep, kept
from webapp.parts import current_parts

# Asked for dozens of times a page: a context variable is many times quicker than Flask's proxies.
_language: ContextVar[str | None] = ContextVar("language", default=None)


def language() -> str:
    """Return the language of this request."""
    return _language.get() or _choose_language()


def speak(code: str) -> None:
    """Answer this request in a language, whichever the browser prefers, if the profile has it."""
    if code in current_parts().profile.languages:
        _language.set(code)


class Say:
    """`t(key, **facts)` of the templates: the text as safe HTML, telephone numbers as links."""

    def __init__(self, texts: Texts, profile: Profile) -> None:
        self._texts = texts
        link = Markup('<a class="tel" href="tel:{}">{}</a>').format(profile.contact.phone, profile.phone_display)
        self._ready: dict[tuple[str, str], Markup] = {}
        self._ready_plain: dict[tuple[str, str], str] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        for code in texts.languages:
            facts = texts.facts(code)
            self._facts[code] = {
                **facts,
                "phone": link,
                "phone_as": link + str(facts["phone_as"]).removeprefix(profile.phone_display),
            }

    def __call__(self, key: str, **facts: Any) -> Markup:
        """Return the text in the request's language as HTML; facts are escaped unless they are Markup."""
        code = language()
        if facts:
            return _fill(self._texts.template(key, code, facts), {**self._facts[code], **facts})
        if (code, key) not in self._ready:
            self._ready[code, key] = _fill(self._texts.template(key, code, {}), self._facts[code])
        return self._ready[code, key]

    def plain(self, key: str, **facts: Any) -> str:
        """Return the text in the request's language without markup, for titles and attributes."""
        code = language()
        if facts:
            return self._texts.say(key, code, **facts)
        if (code, key) not in self._ready_plain:
            self._ready_plain[code, key] = self._texts.say(key, code)
        return self._ready_plain[code, key]


@cache
def _pieces(template: str) -> tuple[tuple[str, str | None], ...]:
    """Return the words of a text, each with the name of the placeholder that follows."""
    return tuple((escape(words), name) for words, name, _, _ in Formatter().parse(template))


def _fill(template: str, facts: Mapping[str, Any]) -> Markup:
    # As Markup.format_map does, which would parse the text each time. Each piece is escaped.
    return Markup("".join(words + escape(facts[name]) if name else words for words, name in _pieces(template)))  # noqa: S704


def say() -> Say:
    """Return the speaker of this application's texts."""
    return cast(Say, current_app.jinja_env.globals["t"])


def languages() -> list[tuple[str, str, str]]:
    """Return the other languages, each with the key of its name and this page's address in it."""
    return [
        (code, f"shell.language.{code}", here(lang=code))
        for code in current_parts().profile.languages
        if code != language()
    ]


def set_language() -> None:
    # Set at every request: a thread serves one after another.
    _language.set(_choose_language())


def _choose_language() -> str:
    known = current_parts().profile.languages
    if not is_api():
        for code in (request.args.get("lang"), kept("lang")):
            if code in known:
                return str(code)
    return request.accept_languages.best_match(known) or known[0]


def remember_language(response: Response) -> Response:
    code = request.args.get("lang")
    if is_api():
        response.vary.add("Accept-Language")
    elif code in current_parts().profile.languages and code != kept("lang"):
        keep(response, "lang", str(code))
    return response
