"""Reads the addresses that settings name: the public one, the database's, the mail servers' and others.

All of them may hold passwords: a refusal says what is wrong and repeats nothing of the address.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import idna
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")

_PORTS = {"http": 80, "https": 443}
_PLAIN_MAIL = "the form is smtp://user:password@host:port?starttls=1, or smtps://…"
_ESCAPES = "in a user or a password write # as %23, / as %2F, ? as %3F, @ as %40 and a space as %20"


@dataclass(frozen=True)
class MailServer:
    """An SMTP server; with `user`, the sender signs in."""

    host: str
    port: int
    is_encrypted: bool
    """From the first byte on (smtps)."""
    starts_tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def public_origin(address: str) -> str:
    """Return the address under which customers reach the server as browsers write an origin (RFC 6454, 6.2).

    Small letters, an international name as DNS has it, no usual port, no slash at the end. Raises ValueError for
    anything beyond scheme, host and port: links are built from it, and the server's paths begin at its root.
    """
    parts = _split(address)
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in _PORTS or not host:
        raise ValueError("it must be the whole address that links are built from, such as https://portal.example.hu")
    if parts.path not in ("", "/") or parts.query or "?" in address or parts.username is not None:
        raise ValueError("it is scheme and host alone, such as https://portal.example.hu, without a path or a query")
    shown = f":{port}" if port not in (None, _PORTS[parts.scheme]) else ""
    return f"{parts.scheme}://{_ascii_host(host)}{shown}"


def database(address: str) -> URL:
    """Return the database's address. Raises ValueError where it is none of PostgreSQL or SQLite that can be read."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError(
            "it cannot be read: the form is postgresql://user:password@host:5432/name or sqlite:///path"
        ) from None
    kind = url.get_backend_name()
    if kind != "postgresql" and url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ValueError("it must begin with sqlite:/// or postgresql://")
    if "@" in (url.host or "") or not 0 < (url.port or 1) < 65536:
        raise ValueError(f"its host or its port cannot be read: {_ESCAPES}")
    return url


def mail_server(address: str) -> MailServer:
    """Return the server of ``smtp://user:password@host:port?starttls=1`` or ``smtps://…``.

    Raises ValueError where the address cannot be read, or would send a password unencrypted over a network.
    """
    parts = _split(address)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    starttls = options.pop("starttls", "0")
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{_PLAIN_MAIL}; {_ESCAPES}")
    if options or starttls not in ("0", "1") or (starttls == "1" and parts.scheme == "smtps"):
        raise ValueError(f"it has an unknown option; smtp:// knows starttls=1; {_ESCAPES}")
    if parts.password and not parts.username:
        raise ValueError(f"it has a password without a user; {_PLAIN_MAIL}")
    is_encrypted, starts_tls = parts.scheme == "smtps", starttls == "1"
    if parts.username and not (is_encrypted or starts_tls) and parts.hostname not in LOOPBACK:
        raise ValueError("it would send its password unencrypted; add ?starttls=1 or use smtps://")
    return MailServer(
        host=parts.hostname,
        port=parts.port or (465 if is_encrypted else 587 if starts_tls else 25),
        is_encrypted=is_encrypted,
        starts_tls=starts_tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


@dataclass(frozen=True)
class ImapServer:
    """A mailbox at an IMAP server."""

    host: str
    port: int
    is_encrypted: bool
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"


def imap_server(address: str) -> ImapServer:
    """Return the mailbox of ``imaps://user:password@host:port/folder``.

    Raises ValueError where the address cannot be read, or would send the password unencrypted over a network.
    """
    parts = _split(address)
    form = "the form is imaps://user:password@host:port/folder"
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or parts.query or "?" in address:
        raise ValueError(f"{form}; {_ESCAPES}")
    if not parts.username or not parts.password:
        raise ValueError(f"it needs a user and a password; {form}")
    is_encrypted = parts.scheme == "imaps"
    if not is_encrypted and parts.hostname not in LOOPBACK:
        raise ValueError("it would send its password unencrypted; use imaps://")
    return ImapServer(
        host=parts.hostname,
        port=parts.port or (993 if is_encrypted else 143),
        is_encrypted=is_encrypted,
        user=unquote(parts.username),
        password=unquote(parts.password),
        folder=unquote(parts.path.removeprefix("/")) or "INBOX",
    )


def judge(address: str, schemes: Collection[str] = ()) -> None:
    """Raise ValueError where a library would read another address than the one that is meant.

    With `schemes`, it must begin with one of them. Of several hosts in a row, as clusters have them, the ports are
    the library's to read.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or (schemes and scheme.lower() not in schemes):
        raise ValueError(f"it must begin with {', '.join(f'{one}://' for one in schemes) or 'a service and ://'}")
    _split(address, has_one_host="," not in rest)


def is_of_this_machine(address: str) -> bool:
    """Tell whether what goes to this address surely stays on this machine."""
    if address.startswith(("demo:", "folder:")):
        return True
    try:
        return urlsplit(address).hostname in LOOPBACK
    except ValueError:
        return False


def _split(address: str, *, has_one_host: bool = True) -> SplitResult:
    # What begins with # is no part of an address as libraries read it: half a password becomes the host's port.
    if re.search(r"[\s#\x00-\x1f\x7f]", address):
        raise ValueError(f"it holds a # or a space, which end an address: {_ESCAPES}")
    try:
        parts = urlsplit(address)
        if has_one_host:
            parts.port  # noqa: B018 (read for what it raises)
    except ValueError:
        raise ValueError(f"its host or its port cannot be read: {_ESCAPES}") from None
    return parts


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{IPv6Address(host).compressed}]"
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        name = ""
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name):
        raise ValueError("its host is not a name that can be looked up")
    return name
