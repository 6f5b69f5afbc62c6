"""How large a request may be: what the server reads, and what it takes, is said once."""

import re

from webapp.http.addresses import API

LARGEST_FORM = 64 * 1024
"""Bytes of the largest request of a page."""
_LARGEST_CALL = 16 * 1024
"""Bytes of a JSON document that the API takes."""
_LARGEST_FILE = 21 * 1024 * 1024
"""Bytes of a letter or another file of 20 MB, and of what is said about it."""
_LETTERS = ("POST", f"{API}v1/documents")
_FILES = re.compile(r"/[\w-]+/.+/fajlok")
"""Addresses to which customers post files, such as those of a request."""


def largest_body(method: str, path: str) -> int:
    """Return how many bytes of a body are taken at this address."""
    if (method, path) == _LETTERS or takes_file(method, path):
        return _LARGEST_FILE
    return _LARGEST_CALL if path.startswith(API) else LARGEST_FORM


def takes_file(method: str, path: str) -> bool:
    """Tell whether a customer's file is posted to this address: it ends in ``/fajlok``."""
    return method == "POST" and not path.startswith(API) and _FILES.fullmatch(path) is not None
