"""Turns a message of the outbox into what a person reads: a letter with two parts, or one SMS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from services.links import Links
from services.messages.outbox import Message
from services.profiles import Brand, Profile

_NO_BREAK = "\N{NO-BREAK SPACE}"
_DATES = {"en": "en_GB"}  # "20 November 2026" (wording, rule 9); Babel's "en" would put the month first
_IF = {
    "manager": "is_manager",
    "passkeys_added": "passkeys_added",
    "passkeys_removed": "passkeys_removed",
    "password_alone": "password_alone",
    "password.own": "password_own",
    "password.default4": "password_default4",
    "password.default3": "password_default3",
    "forgotten": "password_own",
    "set_own": "is_default",
    "reader": "is_encrypted",
    "by_day": "date_until",
    "register": "is_unregistered",
}
"""The parts that a mail has only if its facts hold something."""
_PARTS = ("subject", "preheader", "text", *_IF, "button", "link", "until", "not_you")


DECLINE_PURPOSE = "decline invitations"
"""The purpose of the token by which invitations are declined."""
REGISTER_PURPOSE, REGISTER_PARAMETER = "letter", "level"
"""The token by which a letter's notification fills in the number of a customer without an account (T2, T4)."""


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The paths of the pages that mails lead to. The web hands them over."""

    registration: str
    confirmation: str
    """Where a registration goes on by its mailed link."""
    sign_in: str
    forgotten_password: str
    new_password: str
    new_address: str
    declining: str
    """Where invitations are declined."""
    letter_password: str
    settings: str
    desk: str
    """The adviser's entrance to the console."""
    letter: str
    """A letter's page, with `letter_id` in braces."""
    invoice: str
    """An invoice's page, with `link_id` in braces."""
    request: str
    """A request's page, with `link_id` in braces; of one that was not sent, the page that is due."""
    receipt: str
    """A paid invoice's receipt, with `link_id` in braces."""


@dataclass(frozen=True)
class _Target:
    """Where a mail's button leads; with a purpose, by a token for the fact `link_id`."""

    path: str
    """With a fact in braces where it leads to one of many."""
    purpose: str | None = None
    parameter: str = "token"
    can_decline: bool = False
    """Whether the mail is one that its reader may decline, by the fact `link_id`."""


def _targets(pages: Pages) -> dict[str, _Target]:
    """Return one line for each mail with a button; the rest of a mail is its texts, ``mail.<message>.*``."""
    invitation = _Target(pages.registration, "invitation", "meghivo", can_decline=True)
    return {
        "confirm": _Target(pages.confirmation, "confirm"),
        "assisted": _Target(pages.confirmation, "confirm"),
        "registered": _Target(pages.sign_in),
        "activation": _Target(pages.sign_in),
        "reset": _Target(pages.new_password, "reset"),
        "reset_unknown": _Target(pages.registration),
        "reset_unactivated": _Target(pages.sign_in),
        "password_changed": _Target(pages.forgotten_password),
        "new_device": _Target(pages.forgotten_password),
        "address_new": _Target(pages.new_address, "email"),
        "invitation": invitation,
        "reminder": invitation,
        "document": _Target(pages.letter),
        "documents": _Target(pages.letter),
        "encrypted": _Target(pages.letter),
        "encrypted_again": _Target(pages.letter),
        "document_reminder": _Target(pages.letter),
        "document_posted": _Target(pages.letter),
        "grant_given": _Target(pages.settings),
        "grant_ended": _Target(pages.settings),
        "grant_adviser": _Target(pages.desk),
        "grant_adviser_ended": _Target(pages.desk),
        "consent_agreed": _Target(pages.settings),
        "consent_revoked": _Target(pages.settings),
        "nudge": _Target(pages.sign_in),
        "letter_password_set": _Target(pages.forgotten_password),
        "letter_password_reset": _Target(pages.letter_password),
        "upload_refused": _Target(pages.request),
        **dict.fromkeys(
            (f"request_{what}" for what in ("sent", "question", "answered", "closed", "withdrawn", "draft")),
            _Target(pages.request),
        ),
        "claim_sent": _Target(pages.registration),
        "claim_news": _Target(pages.registration),
        "request_by_other": _Target(pages.request),
        "payment_received": _Target(pages.receipt),
        "payment_not_made": _Target(pages.invoice),
        "payment_doubled": _Target(pages.invoice),
    }


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What leaves. Of an SMS only `text` is filled. `expires_at` is when it must no longer leave.

    Nothing of it is shown by ``repr``: it holds codes and tokens.
    """

    kind: str
    language: str
    expires_at: datetime
    subject: str = field(default="", repr=False)
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    links: tuple[str, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Header fields of a mail besides those that every mail has."""
    from_name: str = ""
    attachments: tuple["Attachment", ...] = ()


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail. Its name says nothing of the customer."""

    name: str
    type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Enclosure:
    """What a message gets only when it leaves, so that the outbox never holds it."""

    facts: Mapping[str, str] = field(default_factory=dict, repr=False)
    attachments: tuple[Attachment, ...] = ()


def nothing_enclosed(_message: Message) -> Enclosure:
    """Return an empty enclosure."""
    return Enclosure()


@cache
def _templates() -> Environment:
    # One a process: to compile them takes longer than to deliver.
    return Environment(
        loader=PackageLoader("services.messages", "."),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


class Composer:
    """Composes messages in one insurer's voice and colours."""

    def __init__(
        self,
        profile: Profile,
        links: Links,
        pages: Pages,
        enclose: Callable[[Message], Enclosure] = nothing_enclosed,
    ) -> None:
        """`enclose` returns what a message gets only when it leaves."""
        self._profile = profile
        self._enclose = enclose
        self._links = links
        self._targets = _targets(pages)
        self._declining, self._registering = pages.declining, pages.registration
        self._plain_frame = _templates().get_template("mail.txt")
        self._html_frame = _templates().get_template("mail.html")
        self._palette = _palette(profile.brand)
        # WebOTP binds a code to the page's host, without a port: https://wicg.github.io/sms-one-time-codes/.
        self._host = (urlsplit(links.public_url).hostname or "").encode("idna").decode("ascii")

    def compose(self, message: Message) -> Composed:
        """Return the message in its language, with its links and times.

        Raises KeyError when a text or one of its facts is missing, and what the enclosing raises.
        """
        enclosure = self._enclose(message)
        whole = replace(message, facts={**message.facts, **enclosure.facts})
        composed = self._sms(whole) if message.kind == "sms" else self._mail(whole)
        return replace(composed, attachments=enclosure.attachments)

    def _sms(self, message: Message) -> Composed:
        until = message.expires_at.astimezone(self._profile.zone)
        facts = {
            "host": self._host,
            "time": _time(until),  # always the bare time (rule 15)
            **message.facts,
        }
        key, texts = f"sms.{message.message}", self._profile.texts
        if self._profile.one_time_code.takes_tail and texts.has(f"{key}.tail", message.language):
            key = f"{key}.tail"  # which says what need not be typed
        text = texts.say(key, message.language, **facts)
        return Composed(kind="sms", language=message.language, expires_at=message.expires_at, text=text)

    def _mail(self, message: Message) -> Composed:
        language, texts = message.language, self._profile.texts
        link, register, decline = self._link(message), self._register(message), self._decline(message)
        plain = self._facts(message)
        rich = self._rich_facts(language, plain)
        parts = self._parts(message, plain)
        context = {
            "parts": parts,
            "link": link,
            "register": register,
            "decline": decline,
            "language": language,
            "palette": self._palette,
            "portal": texts.facts(language)["portal"],
            "conditional": tuple(_IF),
        }
        return Composed(
            kind="email",
            language=language,
            expires_at=message.expires_at,
            subject=parts["subject"],
            text=self._plain_frame.render(context, say=lambda key: texts.say(key, language, **plain)),
            html=self._html_frame.render(
                context, say=lambda key: self._rich(key, language, rich), message=message.message
            ),
            links=tuple(one for one in (link, register, decline) if one),
            headers={**_declining(decline), **_of_request(message)},
            from_name=texts.facts(language)["portal"],
        )

    def _parts(self, message: Message, facts: Mapping[str, str]) -> dict[str, str]:
        """Return the texts of a mail that it has in this language, and for which its facts are there."""
        language, texts = message.language, self._profile.texts
        return {
            part: texts.say(key, language, **facts)
            for part in _PARTS
            if texts.has(key := f"mail.{message.message}.{part}", language) and (part not in _IF or _IF[part] in facts)
        }

    def _link(self, message: Message) -> str:
        target = self._targets.get(message.message)
        if target is None:
            return ""
        if target.purpose is None:
            return self._links.url(target.path.format_map(message.facts))
        return self._links.url(target.path, target.purpose, message.facts["link_id"], parameter=target.parameter)

    def _register(self, message: Message) -> str:
        if "is_unregistered" not in message.facts:
            return ""
        letter_id = message.facts["letter_id"]
        return self._links.url(self._registering, REGISTER_PURPOSE, letter_id, parameter=REGISTER_PARAMETER)

    def _decline(self, message: Message) -> str:
        target = self._targets.get(message.message)
        if target is None or not target.can_decline:
            return ""
        return self._links.url(self._declining, DECLINE_PURPOSE, message.facts["link_id"])

    def _facts(self, message: Message) -> dict[str, Any]:
        """Return what fills a mail's texts, numbers and dates kept together by no-break spaces."""
        until = message.expires_at.astimezone(self._profile.zone)
        written = message.created_at.astimezone(self._profile.zone)
        # What a notice speaks of is when it happened; of a link, when it dies.
        at = message.facts.get("at")
        spoken_of = datetime.fromisoformat(at).astimezone(self._profile.zone) if at else until
        profile = self._profile.texts.facts(message.language)
        deadline = message.facts.get("deadline")
        day = datetime.fromisoformat(deadline).astimezone(self._profile.zone) if deadline else until
        return {
            "phone": profile["phone"].replace(" ", _NO_BREAK),
            "phone_as": profile["phone_as"].replace(" ", _NO_BREAK),
            "time": _time(until) if until.date() == written.date() else _whole(until, message.language),  # rule 9
            "datetime": _whole(spoken_of, message.language),
            **message.facts,
            "deadline": _date(day, message.language),
            # The form of a text follows a number.
            **({"count": int(message.facts["count"])} if "count" in message.facts else {}),
            **self._days(message),
        }

    def _days(self, message: Message) -> dict[str, str]:
        """Return the days on which the account's passkeys were added, if the mail lists them."""
        added = [datetime.fromisoformat(moment) for moment in message.facts.get("passkeys_added", "").split()]
        days = "; ".join(_date(moment.astimezone(self._profile.zone), message.language) for moment in added)
        return {"passkeys_added": days} if days else {}

    def _rich_facts(self, language: str, plain: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the facts as HTML: what must not break stays together, the telephone number can be dialled."""
        facts: dict[str, Any] = {**self._profile.texts.facts(language), **plain}
        ending = facts["phone_as"].removeprefix(facts["phone"])
        for fact in ("time", "datetime"):
            facts[fact] = Markup('<strong style="white-space:nowrap">{}</strong>').format(facts[fact])
        facts["contact_url"] = Markup('<a class="link" href="https://{0}" style="color:{1}">{0}</a>').format(
            facts["contact_url"], self._palette["brand"]
        )
        facts["phone"] = Markup('<a class="link" href="tel:{}" style="color:{};white-space:nowrap">{}</a>').format(
            self._profile.contact.phone, self._palette["brand"], self._profile.phone_display
        )
        facts["phone_as"] = facts["phone"] + ending
        return facts

    def _rich(self, key: str, language: str, facts: Mapping[str, Any]) -> Markup:
        return Markup.escape(self._profile.texts.template(key, language, facts)).format_map(facts)


def _of_request(message: Message) -> dict[str, str]:
    """Return the header field by which a mail leads to the log lines of the request that caused it."""
    return {"X-Request-ID": message.request_id} if message.request_id else {}


def _declining(url: str) -> dict[str, str]:
    """Return the header fields by which mail programs decline with one press (RFC 2369, RFC 8058)."""
    if not url:
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _time(moment: datetime) -> str:
    return f"{moment.hour}:{moment.minute:02}"


def _whole(moment: datetime, language: str) -> str:
    return f"{_date(moment, language)}{_NO_BREAK}{_time(moment)}"


def _date(moment: datetime, language: str) -> str:
    return format_date(moment, "long", locale=_DATES.get(language, language)).replace(" ", _NO_BREAK)


def _palette(brand: Brand) -> dict[str, str]:
    """Derive a mail's colours from a brand's six values, in the proportions of the pages' stylesheet.

    Mail clients know no ``color-mix``, so the mixing is done here, in sRGB.
    """
    return {
        "brand": brand.brand,
        "brand_dark": brand.brand_dark,
        "on_dark": _mix(brand.brand_dark, "#000000", 0.2),
        "accent": brand.accent,
        "canvas": brand.canvas,
        "sunken": _mix(brand.canvas, "#3a2a10", 0.96),
        "line": _mix(brand.canvas, "#3a2a10", 0.88),
        "canvas_dark": brand.canvas_dark,
        "surface_dark": _mix(brand.canvas_dark, "#ffffff", 0.95),
        "sunken_dark": _mix(brand.canvas_dark, "#ffffff", 0.91),
        "line_dark": _mix(brand.canvas_dark, "#ffffff", 0.82),
        "card": f"{brand.radius * 1.3:.0f}px",
        "control": f"{brand.radius * 0.72:.0f}px",
    }


def _mix(one: str, other: str, share: float) -> str:
    channels = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in channels)
