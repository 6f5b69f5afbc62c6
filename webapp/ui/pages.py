"""Sets up the templates: their environment, their globals, and every request's language."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from flask import Flask
from flask_babel import Babel
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader
from markupsafe import Markup

from services.profiles import PasswordRules, Profile
from webapp.http.addresses import here
from webapp.http.assets import Assets
from webapp.http.cookies import kept
from webapp.http.forgery import csrf_field
from webapp.parts import Parts
from webapp.ui.brand import brand_url, shown_logos
from webapp.ui.language import Say, language, languages, remember_language, set_language
from webapp.ui.tuning import QuickEnvironment


def set_up(app: Flask, parts: Parts) -> None:
    """Give the templates their functions and variables, and every request its language."""
    profile, assets, voice = parts.profile, Assets(), cache(lambda code: _voice(parts.profile, code))
    app.jinja_environment = QuickEnvironment
    app.jinja_loader = _loader(app, profile)
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    Babel(app, locale_selector=language, default_timezone=profile.timezone)
    app.jinja_env.globals.update(
        t=Say(profile.texts, profile),
        asset=assets.url,
        brand_css_url=cache(partial(brand_url, profile)),
        csrf_field=csrf_field,
        icon=_icons(app),
        logos=cache(partial(shown_logos, profile)),
        languages=languages,
        theme=_theme,
        here=here,
        demo=parts.settings.demo,
    )
    app.before_request(set_language)
    app.context_processor(lambda: {"language": language(), "profile": voice(language())})
    app.after_request(remember_language)


def _loader(app: Flask, profile: Profile) -> BaseLoader | None:
    """Return what finds templates: in the insurer's folder first, then in ours."""
    own, ours = profile.folder / "templates", app.jinja_loader
    return ChoiceLoader([FileSystemLoader(own), *([ours] if ours else [])]) if own.is_dir() else ours


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
    password_rules: str
    """The rules of a password in the words of Apple's `passwordrules`, for managers that make one."""


def _voice(profile: Profile, code: str) -> _Voice:
    facts = profile.texts.facts(code)
    return _Voice(
        insurer=facts["insurer"],
        phone=_Phone(profile.phone_display, f"tel:{profile.contact.phone}"),
        hours_text=facts["hours"],
        privacy_url=profile.contact.privacy_url,
        legal_url=profile.contact.legal_url,
        password_rules=_for_managers(profile.password),
    )


def _for_managers(rules: PasswordRules) -> str:
    """Return the rules of a password as password managers read them. One of their own breaks many insurers' (F29)."""
    kinds = {"upper": rules.upper, "lower": rules.lower, "digit": rules.digit}
    words = [f"minlength: {rules.min_length}", *(f"required: {kind}" for kind, is_needed in kinds.items() if is_needed)]
    words.append(f"allowed: {'ascii-printable' if rules.special else 'upper, lower, digit'}")
    return "; ".join(words)


def _theme() -> str | None:
    return theme if (theme := kept("theme")) in ("light", "dark") else None
