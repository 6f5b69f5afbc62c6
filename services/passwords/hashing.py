"""bcrypt over the whole password, beside the pages rather than in their way."""

import base64
import hashlib
import hmac
import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import ParamSpec, TypeVar

import bcrypt

P = ParamSpec("P")
R = TypeVar("R")

_WHOLE = "whole:"
"""Marks a hash of the whole password; without it, it came from another system."""
_BCRYPT_READS = 72
_IN_USEFUL_TIME = 600
"""Hashes of a third of a second that two cores finish while a customer waits."""
_SECONDS_AT_MOST = 150


class Overloaded(Exception):
    """More passwords wait to be hashed than pages leave threads for, or than can be in useful time."""


def normal_form(password: str) -> str:
    """Return the form in which passwords are compared: NFC, every space ordinary (RFC 8265, OpaqueString)."""
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in password)
    return unicodedata.normalize("NFC", spaced)


def hash_secret(password: str, rounds: int = 12) -> str:
    """Return the bcrypt hash of `password`, all of it: about a third of a second at cost 12."""
    return _WHOLE + bcrypt.hashpw(_whole(password), bcrypt.gensalt(rounds)).decode("ascii")


def is_secret(password: str, hashed: str) -> bool:
    """Tell whether `hashed` was made from `password`: here, or by another system as bcrypt of the password itself."""
    if hashed.startswith(_WHOLE):
        return bcrypt.checkpw(_whole(password), hashed.removeprefix(_WHOLE).encode("ascii"))
    given = password.encode("utf-8")
    # Compared in any case: a quick answer would give away that the password is too long.
    is_right = bcrypt.checkpw(given[:_BCRYPT_READS], hashed.encode("ascii"))
    return is_right and len(given) <= _BCRYPT_READS


def _whole(password: str) -> bytes:
    # bcrypt reads 72 bytes (ASVS 6.2.8 forbids cutting): it is given a digest of everything, 64 characters
    # without a NUL. The key sets these digests apart from any that leaked elsewhere.
    digest = hmac.digest(b"belepo password", normal_form(password).encode("utf-8"), hashlib.sha384)
    return base64.b64encode(digest)


class Hasher:
    """Hashes in a few threads of low priority, so that pages stay quick while passwords are hashed.

    `places` is how many requests may wait for it at once: each holds one of the server's threads meanwhile.
    """

    def __init__(
        self,
        rounds: int,
        threads: int | None = None,
        places: int = _IN_USEFUL_TIME,
        watch: Callable[[int], object] = lambda change: None,
    ) -> None:
        """`watch` is given 1 when a request begins to wait for a hash, and -1 when it has it or gives up."""
        self._rounds = rounds
        self._watch = watch
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 2, "hash", initializer=_step_back)
        self._places = threading.BoundedSemaphore(min(places, _IN_USEFUL_TIME))
        self._decoy = hash_secret("nobody", rounds)

    def refuse_overload(self) -> None:
        """Raise Overloaded if there is no place now: asked before a try is counted that could not be looked at."""
        if not self._places.acquire(blocking=False):
            raise Overloaded
        self._places.release()

    def hash(self, password: str) -> str:
        """Return the hash of `password`. Raises Overloaded when the queue is too long."""
        return self._in_turn(hash_secret, password, self._rounds)

    def is_password(self, password: str, hashed: str | None) -> bool:
        """Tell whether `hashed` was made from `password`; without a hash, take the same time and say no."""
        return self._in_turn(self._compare, password, hashed or self._decoy) and hashed is not None

    def _compare(self, password: str, hashed: str) -> bool:
        is_right = is_secret(password, hashed)
        # A quick answer would give away a hash of lower cost: the hashes of the costs c, c + 1 … up to ours
        # take together what is missing.
        cost, rest = len("$2b$"), len("$2b$12")
        for lower in range(int(hashed.removeprefix(_WHOLE)[cost:rest]), self._rounds):
            is_secret(password, f"{_WHOLE}$2b${lower:02}{self._decoy.removeprefix(_WHOLE)[rest:]}")
        return is_right

    def _in_turn(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        if not self._places.acquire(blocking=False):
            raise Overloaded
        self._watch(1)
        try:
            waiting = self._pool.submit(work, *arguments, **named)
            try:
                return waiting.result(_SECONDS_AT_MOST)
            except FutureTimeoutError as error:
                waiting.cancel()  # nobody is there any more for the answer
                raise Overloaded from error
        finally:
            self._watch(-1)
            self._places.release()


def _step_back() -> None:
    # On Linux a thread has a niceness of its own; elsewhere this would slow the whole process. The lowest priority
    # would leave next to nothing beside another busy process of the machine, and passwords would wait too long.
    if hasattr(threading, "get_native_id") and os.uname().sysname == "Linux":
        thread = threading.get_native_id()
        # A process that was put behind others already may not step forward.
        os.setpriority(os.PRIO_PROCESS, thread, max(10, os.getpriority(os.PRIO_PROCESS, thread)))
