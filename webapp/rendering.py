"""Words, times and pages: what every template can call, and whether a page or a fragment is due."""

from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from string import Formatter
from types import BuiltinMethodType, MethodType
from typing import Any, cast

from babel.dates import format_date
from babel.units import format_unit
from flask import Flask, Response, current_app, g, render_template, request
from flask.templating import Environment
from flask_babel import Babel
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from services.clock import DemoClock
from services.profiles import Profile
from services.texts import Texts
from webapp.addresses import here, is_api
from webapp.assets import Assets
from webapp.brand import brand_url
from webapp.forgery import csrf_field
from webapp.parts import Parts, wired

_NO_BREAK = "\u00a0"

# Asked for dozens of times a page: a context variable is many times quicker than Flask's proxies.
_language: ContextVar[str | None] = ContextVar("language", default=None)


def language() -> str:
    """Return the language of this request."""
    return _language.get() or _choose_language()


def speak(code: str) -> None:
    """Answer this request in a language, whichever the browser prefers, if the profile has it."""
    if code in wired().profile.languages:
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
    # As Markup.format_map does, which would take the text apart anew each time. Each piece is escaped.
    return Markup("".join(words + escape(facts[name]) if name else words for words, name in _pieces(template)))  # noqa: S704


def first_minute(moment: datetime) -> datetime:
    """Return the first whole minute that is not before `moment`.

    What is possible from a moment on is said without seconds: cut off, the page would send people a minute too early.
    """
    minute = moment.replace(second=0, microsecond=0)
    return minute if minute == moment else minute + timedelta(minutes=1)


def clock_time(moment: datetime) -> str:
    """Return the time of day such as 10:32 in the insurer's zone; with the date when it is not today."""
    parts = wired()
    local, today = moment.astimezone(parts.profile.zone), parts.clock.now().astimezone(parts.profile.zone).date()
    return f"{local:%H:%M}".removeprefix("0") if local.date() == today else date_and_time(moment)


def date_and_time(moment: datetime) -> str:
    """Return date and time such as “2026. november 20. 10:32” in the insurer's zone; a line may break between them."""
    local = moment.astimezone(wired().profile.zone)
    return f"{day(moment)} {f'{local:%H:%M}'.removeprefix('0')}"


def day(moment: datetime) -> str:
    """Return the date in words; it does not break across lines."""
    return date_in_words(moment.astimezone(wired().profile.zone).date())


def date_in_words(day_of_month: date) -> str:
    """Return a date that has no time of day; it does not break across lines."""
    locale = "en_GB" if language() == "en" else language()
    return format_date(day_of_month, "long", locale).replace(" ", _NO_BREAK)


def hours_in_words(count: int) -> str:
    """Return a number of hours, with the word for it."""
    return format_unit(count, "duration-hour", locale=language()).replace(" ", _NO_BREAK)


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


_Remembered = type(cache(str))
_KNOWN = frozenset({Macro, Say, MethodType, BuiltinMethodType, _Remembered})
"""Kinds of what templates call. A macro wants its evaluation context; no other is marked with `pass_…` here."""


class QuickCalls(Context):
    """Jinja's context, which asks of everything that a template calls whether it wants the context, anew each time.

    Of macros, texts and methods the answer is known. They are most of what is called, dozens of times a page.
    """

    def call(self, called: Any, /, *arguments: Any, **named: Any) -> Any:
        """Call what a template calls."""
        kind = type(called)
        if kind not in _KNOWN:
            return super().call(called, *arguments, **named)
        if named:
            named.pop("_loop_vars", None)
            named.pop("_block_vars", None)
        return called(self.eval_ctx, *arguments, **named) if kind is Macro else called(*arguments, **named)


class QuickEnvironment(Environment):
    """Jinja's environment; what every template knows is complete before the first one is loaded.

    Jinja looks globals up in a chain of dictionaries, so that later ones are still seen, and compares all of them at
    every import: as one plain dictionary that costs a tenth of the time of a page less.
    """

    context_class = QuickCalls

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template."""
        return {**self.globals, **(d or {})}


def say() -> Say:
    """Return the speaker of this application's texts."""
    return cast(Say, current_app.jinja_env.globals["t"])


def set_up(app: Flask, parts: Parts) -> None:
    """Give the templates their functions and variables, and every request its language."""
    profile, assets, voice = parts.profile, Assets(), cache(lambda code: _voice(parts.profile, code))
    app.jinja_environment = QuickEnvironment
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    Babel(app, locale_selector=language, default_timezone=profile.timezone)
    app.jinja_env.globals.update(
        t=Say(profile.texts, profile),
        asset=assets.url,
        brand_css_url=brand_url(profile.brand),
        csrf_field=csrf_field,
        icon=_icons(app),
        languages=_languages,
        theme=_theme,
        here=here,
        demo_clock=partial(_demo_clock, parts),
        demo=parts.settings.demo,
        sign_in_url="/belepes",
        register_url="/regisztracio",
    )
    app.before_request(_set_language)
    app.context_processor(lambda: {"language": language(), "profile": voice(language())})
    app.after_request(_remember_language)


def _icons(app: Flask) -> Callable[..., Markup]:
    """Return `icon(name, class)` of the templates; of the few that there are each is drawn once."""

    @cache
    def icon(*of: str) -> Markup:
        return Markup(app.jinja_env.get_template("components/icon.html").module.icon(*of))  # type: ignore[attr-defined]  # noqa: S704

    return icon


@dataclass(frozen=True)
class _Phone:
    display: str
    href: str


@dataclass(frozen=True)
class _Voice:
    """What the templates may know of the profile."""

    insurer: str
    phone: _Phone
    hours_text: str
    privacy_url: str
    legal_url: str


def _voice(profile: Profile, code: str) -> _Voice:
    facts = profile.texts.facts(code)
    return _Voice(
        insurer=facts["insurer"],
        phone=_Phone(profile.phone_display, f"tel:{profile.contact.phone}"),
        hours_text=facts["hours"],
        privacy_url=profile.contact.privacy_url,
        legal_url=profile.contact.legal_url,
    )


def _languages() -> list[tuple[str, str, str]]:
    """Return the other languages, each with the key of its name and this page's address in it."""
    return [
        (code, f"shell.language.{code}", here(lang=code)) for code in wired().profile.languages if code != language()
    ]


def _theme() -> str | None:
    return theme if (theme := kept("theme")) in ("light", "dark") else None


def _demo_clock(parts: Parts) -> str | None:
    is_moved = isinstance(parts.clock, DemoClock) and parts.clock.offset.total_seconds() > 0
    return date_and_time(parts.clock.now()) if is_moved else None


def _set_language() -> None:
    # Set anew at every request: a thread serves one after another.
    _language.set(_choose_language())


def _choose_language() -> str:
    known = wired().profile.languages
    if not is_api():
        for code in (request.args.get("lang"), kept("lang")):
            if code in known:
                return str(code)
    return request.accept_languages.best_match(known) or known[0]


def _remember_language(response: Response) -> Response:
    code = request.args.get("lang")
    if is_api():
        response.vary.add("Accept-Language")
    elif code in wired().profile.languages and code != kept("lang"):
        keep(response, "lang", str(code))
    return response


def keep(response: Response, name: str, value: str) -> None:
    """Remember a preference in the browser for a year; it says nothing about the person."""
    settings = wired().settings
    response.set_cookie(
        settings.cookie(name), value, max_age=365 * 86400, httponly=True, samesite="Lax", secure=settings.is_https
    )


def kept(name: str) -> str | None:
    """Return what `keep` has remembered in this browser."""
    return request.cookies.get(wired().settings.cookie(name))


def time_left(until: datetime) -> int:
    """Return the whole seconds until a moment, never less than 0."""
    if "now" not in g:
        g.now = wired().clock.now()
    left = (until - g.now).total_seconds()
    return max(0, -int(-left // 1))
