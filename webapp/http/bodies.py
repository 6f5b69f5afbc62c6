"""How large a request may be: what the server reads, and what it takes, is said once."""

from webapp.http.addresses import API

LARGEST_FORM = 64 * 1024
"""Bytes of the largest request of a page."""
_LARGEST_CALL = 16 * 1024
"""Bytes of a JSON document that the API takes."""
_LARGEST_LETTER = 21 * 1024 * 1024
"""Bytes of a letter of 20 MB and of what is said about it."""
_LETTERS = ("POST", f"{API}v1/documents")


def largest_body(method: str, path: str) -> int:
    """Return how many bytes of a body are taken at this address."""
    if (method, path) == _LETTERS:
        return _LARGEST_LETTER
    return _LARGEST_CALL if path.startswith(API) else LARGEST_FORM
