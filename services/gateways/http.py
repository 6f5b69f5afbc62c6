"""Asks other servers over HTTP, with limits on time and size."""

from collections.abc import Mapping
from dataclasses import dataclass

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

_PATIENCE = (3.0, 10.0)
"""Seconds to connect, and between two pieces of an answer: a customer waits."""
_LARGEST = 256 * 1024


class NoAnswer(Exception):
    """The server does not answer in time, or too much. The message names the class of the fault alone."""


@dataclass(frozen=True)
class Answer:
    """An answer, whole and unread: a signature is over these bytes."""

    status: int
    headers: Mapping[str, str]
    """Their names are matched without case."""
    body: bytes


def ask(method: str, address: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
    """Send a request and return its answer, whatever its status; no redirect is followed. Raises NoAnswer."""
    try:
        with requests.request(
            method, address, headers=dict(headers), data=body, timeout=_PATIENCE, allow_redirects=False, stream=True
        ) as answer:
            content = answer.raw.read(_LARGEST + 1, decode_content=True)
    except (RequestException, HTTPError, OSError) as error:
        raise NoAnswer(type(error).__name__) from None
    if len(content) > _LARGEST:
        raise NoAnswer("too large")
    return Answer(answer.status_code, answer.headers, content)
