"""Addresses: those that a browser names are followed only within the site, and those of the API are a program's."""

from urllib.parse import urlsplit

from flask import request


def is_api() -> bool:
    """Tell whether the request is a program's: answered in JSON, without cookies."""
    return request.path.startswith("/api/")


def local(address: str, otherwise: str = "/") -> str:
    """Return `address` if it stays here, else `otherwise`: an open redirect would lend the insurer's name."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return otherwise
    is_local = (
        not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    )
    return address if is_local and address.isprintable() and "\\" not in address else otherwise
