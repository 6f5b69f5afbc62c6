"""Email addresses: what was typed, the form in which they are unique, and a hint for likely typing errors."""

import difflib
import re
from dataclasses import dataclass

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from email_validator.exceptions import EmailSyntaxError

from services.refusal import Refusal

# The providers that Hungarian customers use most; a near miss of one of them is worth a question.
_WELL_KNOWN = (
    "gmail.com", "freemail.hu", "citromail.hu", "hotmail.com", "outlook.com", "outlook.hu", "yahoo.com",
    "icloud.com", "live.com", "t-online.hu", "upcmail.hu", "indamail.hu", "vipmail.hu", "digikabel.hu",
    "chello.hu", "invitel.hu", "gmx.com", "protonmail.com", "azet.sk", "centrum.sk", "zoznam.sk",
)  # fmt: skip

# Whoever writes one of these means it, however near it is to another: a wrong correction sends the link to a stranger.
_NEVER_QUESTIONED = frozenset({
    *_WELL_KNOWN,
    # Hungary and Slovakia
    "email.hu", "vivamail.hu", "mail.hu", "mailbox.hu", "hotmail.hu", "gmx.hu", "yahoo.hu", "t-email.hu",
    "fibermail.hu", "pannonmail.hu", "axelero.hu", "matavnet.hu", "enternet.hu", "externet.hu", "interware.hu",
    "datanet.hu", "elender.hu", "dunaweb.hu", "tvnetwork.hu", "tvn.hu", "vnet.hu", "pr.hu", "hdsnet.hu",
    "kabelnet.hu", "kabelkon.hu", "monornet.hu", "hu.inter.net", "telekom.hu", "email.sk", "mail.sk", "post.sk",
    "posta.sk", "pobox.sk", "inmail.sk", "orangemail.sk", "stonline.sk", "t-com.sk", "atlas.sk", "outlook.sk",
    "email.cz", "seznam.cz", "centrum.cz", "atlas.cz", "post.cz", "volny.cz", "azet.cz",
    # Elsewhere
    "mail.com", "email.com", "ymail.com", "rocketmail.com", "googlemail.com", "aol.com", "aim.com", "msn.com",
    "me.com", "mac.com", "protonmail.ch", "proton.me", "pm.me", "tutanota.com", "tutanota.de", "tuta.io",
    "tuta.com", "fastmail.com", "fastmail.fm", "hushmail.com", "zoho.com", "zohomail.com", "zohomail.eu",
    "mailbox.org", "posteo.de", "posteo.net", "startmail.com", "inbox.com", "usa.com", "post.com", "hey.com",
    "duck.com", "mailfence.com", "runbox.com", "gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.eu", "gmx.us",
    "web.de", "t-online.de", "freenet.de", "arcor.de", "online.de", "email.de", "mail.de", "aon.at", "chello.at",
    "a1.net", "bluewin.ch", "chello.sk", "chello.nl", "chello.pl", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es",
    "yahoo.ro", "yahoo.co.uk", "yahoo.ca", "yahoo.in", "yahoo.co.in", "hotmail.de", "hotmail.fr", "hotmail.it",
    "hotmail.es", "hotmail.be", "hotmail.ch", "hotmail.nl", "hotmail.sk", "hotmail.co.uk", "outlook.de",
    "outlook.fr", "outlook.it", "outlook.es", "outlook.at", "outlook.cz", "outlook.pt", "live.de", "live.fr",
    "live.it", "live.nl", "live.be", "live.at", "live.co.uk", "live.hu", "live.ca", "libero.it", "virgilio.it",
    "tiscali.it", "alice.it", "laposte.net", "orange.fr", "free.fr", "wanadoo.fr", "sfr.fr", "wp.pl", "o2.pl",
    "onet.pl", "interia.pl", "op.pl", "gazeta.pl", "mail.ru", "inbox.ru", "list.ru", "bk.ru", "yandex.ru",
    "yandex.com", "rambler.ru", "ukr.net", "i.ua", "meta.ua", "abv.bg", "mail.bg", "mail.ee", "inbox.lv", "att.net",
    "comcast.net", "verizon.net", "sbcglobal.net", "cox.net", "btinternet.com", "sky.com", "telenet.be",
    "skynet.be", "ziggo.nl", "kpnmail.nl", "planet.nl", "xs4all.nl", "telia.com", "online.no", "qq.com", "163.com",
    "126.com", "naver.com", "daum.net", "rediffmail.com",
})  # fmt: skip
_MOST_LETTERS_APART = 2

_PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)
"""What most addresses look like: those of a whole register go through the library in minutes, by this in seconds."""

_LONGEST = 320
"""No address is longer; a megabyte is refused before anything looks at it."""
_LONGEST_PLAIN, _LONGEST_LOCAL = 254, 64
"""RFC 5321, 4.5.3.1, and what is left of it for an address."""


_INVISIBLE = re.compile("[\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""What comes along when an address is copied, marks of direction and of line breaks; none may be in an address."""


@dataclass(frozen=True)
class EmailAddress:
    """`typed` is shown and written to; `key` is what must be unique (case, Unicode form and IDN made one)."""

    typed: str
    key: str


def parse(text: str) -> EmailAddress:
    """Read an address. Raises Refusal: ``email.empty``, ``email.malformed`` or ``email.domain``."""
    typed = _INVISIBLE.sub("", text).strip()
    if not typed:
        raise Refusal("email", "empty")
    if len(typed) > _LONGEST:
        raise Refusal("email", "malformed")
    try:
        valid = validate_email(typed, check_deliverability=False, strict=True)
    except EmailSyntaxError as error:
        is_domain = "@" in typed and "after the @-sign" in str(error) and not typed.endswith("@")
        raise Refusal("email", "domain" if is_domain else "malformed") from error
    except EmailNotValidError as error:
        raise Refusal("email", "domain") from error
    return EmailAddress(typed, f"{valid.local_part.casefold()}@{valid.ascii_domain}")


def normalised(text: str) -> str | None:
    """Return the address of a register in `text` with its domain in small letters; None where it is none."""
    text = text.strip()
    plain = _PLAIN.fullmatch(text)
    if plain and len(text) <= _LONGEST_PLAIN and "--" not in plain[1]:
        local, domain = text[: plain.start(1) - 1], plain[1].lower()
        if len(local) <= _LONGEST_LOCAL and domain.rpartition(".")[2] not in SPECIAL_USE_DOMAIN_NAMES:
            return f"{local}@{domain}"
    if not text or len(text) > _LONGEST:
        return None
    try:
        valid = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return None
    return f"{valid.local_part}@{valid.domain}"


def key_of(typed: str) -> str:
    """Return the key of an address, for a sign-in: of what is no address, one that no account has.

    So the answer takes as long for what no account can have.
    """
    try:
        return parse(typed).key
    except Refusal:
        return typed.casefold()


def suggestion(address: str) -> str | None:
    """Return the address that was probably meant, when the domain is a near miss of a well-known one.

    The domains of providers are never questioned, nor is one that is longer or shorter by more than two letters.
    """
    local, _, domain = address.rpartition("@")
    domain = domain.casefold()
    if domain in _NEVER_QUESTIONED:
        return None
    alike = [known for known in _WELL_KNOWN if abs(len(known) - len(domain)) <= _MOST_LETTERS_APART]
    near = difflib.get_close_matches(domain, alike, n=1, cutoff=0.84)
    return f"{local}@{near[0]}" if near else None
