"""The books of the demonstration's payment provider, apart from the insurer's."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_BOOKS = """CREATE TABLE IF NOT EXISTS orders (
    attempt TEXT PRIMARY KEY, invoice TEXT, amount INTEGER, currency TEXT, state TEXT, back_to TEXT, call_to TEXT
)"""
_COLUMNS = "attempt, invoice, amount, currency, state, back_to, call_to"


@dataclass(frozen=True)
class Order:
    """A payment as the provider knows it."""

    attempt: str
    """The insurer's id of it."""
    invoice: str
    amount: int
    """In the currency's smallest unit."""
    currency: str
    state: str
    back_to: str
    """The path of the insurer's page to which the customer goes back."""
    call_to: str
    """The path of the insurer's that is called when the state has changed."""


class Books:
    """Keeps orders in a file that all processes share."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def begin(self, order: Order) -> None:
        """Note an order; the same attempt again changes nothing."""
        values = (order.attempt, order.invoice, order.amount, order.currency, order.state, order.back_to, order.call_to)
        with self._open() as books:
            books.execute(f"INSERT OR IGNORE INTO orders ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608

    def become(self, attempt: str, state: str, *, only_if_pending: bool = False) -> None:
        """Give an order a state; testers may force a late success upon one that was cancelled or has expired."""
        condition = " AND state = 'pending'" if only_if_pending else ""
        with self._open() as books:
            books.execute(f"UPDATE orders SET state = ? WHERE attempt = ?{condition}", (state, attempt))  # noqa: S608

    def find(self, attempt: str) -> Order | None:
        """Return an order."""
        with self._open() as books:
            row = books.execute(f"SELECT {_COLUMNS} FROM orders WHERE attempt = ?", (attempt,)).fetchone()  # noqa: S608
        return Order(*row) if row else None

    def all(self) -> list[Order]:
        """Return the orders, oldest first."""
        with self._open() as books:
            return [Order(*row) for row in books.execute(f"SELECT {_COLUMNS} FROM orders ORDER BY rowid")]  # noqa: S608

    def forget(self) -> None:
        """Empty the books."""
        with self._open() as books:
            books.execute("DELETE FROM orders")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=10)) as books, books:
            books.execute(_BOOKS)
            yield books
