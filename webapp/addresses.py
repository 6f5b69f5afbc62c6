"""Addresses that a browser names: followed only within the site."""

from urllib.parse import urlsplit


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
