"""What requests need of whoever receives their files (P38)."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection


class RequestFiles(Protocol):
    """Receives files beside a request; `owner` is the request's id, which its draft has already."""

    def all(self, owner: str, question: str) -> Sequence[object]:
        """Return the files that were given to a question."""
        ...

    def submit(self, connection: Connection, owner: str) -> None:
        """Hand the files over with the request, in the transaction that sends it."""
        ...
