"""What requests need of the package that receives their files (P38)."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection


class RequestFiles(Protocol):
    """Receives files beside a request; `owner` is the request's id, which its draft has already."""

    def all(self, owner: str, question: str) -> Sequence[object]:
        """Return the files that were given to a question."""
        ...

    def submit(self, connection: Connection, owner: str) -> None:
        """Note that the files were sent with the request, or with an answer, in the transaction that sends it."""
        ...

    def hand_over(self, connection: Connection, owner: str) -> None:
        """Note that the insurer has what was sent, in the transaction that takes the request over (P39)."""
        ...

    def belong(self, connection: Connection, owner: str, kutid: str) -> None:
        """Note whose the files are, in the transaction that finds out (P45)."""
        ...

    def forget(self, connection: Connection, owner: str) -> None:
        """Erase the files of a draft, in the transaction that erases the draft."""
        ...
