"""The payment provider that a setting names (P49)."""

from urllib.parse import parse_qsl, unquote, urlsplit

from services.gateways.barion import Barion
from services.gateways.payments import PaymentProvider
from services.gateways.simplepay import SimplePay

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_BARION_PAGES = {"api.barion.com": "secure.barion.com", "api.test.barion.com": "secure.test.barion.com"}
"""Whose pages belong to which API, by docs.barion.com, *Barion environments*."""
FORMS = "barion://POS-key@api.barion.com?payee=address, or simplepay://merchant:secret@secure.simplepay.hu"


def open_provider(url: str) -> PaymentProvider | None:
    """Return the provider at ``barion://…`` or ``simplepay://…``; None without a URL. No network is touched.

    A host of this machine, as tests have, is asked without TLS. Raises ValueError, whose message holds nothing of the
    URL: its secrets are in it.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise ValueError(f"the form is {FORMS}") from None
    host, options = parts.hostname or "", dict(parse_qsl(parts.query, keep_blank_values=True))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    origin = f"{'http' if host in _THIS_MACHINE else 'https'}://{host}{port}"
    if parts.path not in ("", "/") or not host or not user:
        raise ValueError(f"the form is {FORMS}")
    if parts.scheme == "barion":
        payee = options.pop("payee", "")
        if password or options or "@" not in payee:
            raise ValueError(f"the form is {FORMS}; payee is the email address of the wallet")
        if host not in _BARION_PAGES and host not in _THIS_MACHINE:
            raise ValueError(f"the host is {' or '.join(_BARION_PAGES)}")
        pages = f"https://{_BARION_PAGES[host]}" if host in _BARION_PAGES else origin
        return Barion(origin, pages, pos_key=user, payee=payee)
    if parts.scheme == "simplepay":
        if options or not password:
            raise ValueError(f"the form is {FORMS}")
        return SimplePay(origin, merchant=user, secret=password)
    raise ValueError("it must begin with barion:// or simplepay://")
