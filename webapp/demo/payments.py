"""The demonstration's payment provider: its books, apart from the insurer's, as every provider's are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from flask import url_for

from services.gateways.payments import PaymentOrder, ProviderState, ProviderUnavailable, StartedPayment
from webapp.demo.faults import DemoFaults

_BOOKS = """CREATE TABLE IF NOT EXISTS payments (
    attempt TEXT PRIMARY KEY, invoice TEXT, amount INTEGER, currency TEXT, state TEXT, back_to TEXT
)"""
_COLUMNS = ("attempt", "invoice", "amount", "currency", "state", "back_to")
STATES = get_args(ProviderState)[1:]
"""What testers can have a payment become."""


class DemoProvider:
    """Keeps its payments in a file that all processes share, and says of each what testers want."""

    name = "Minta Pay"

    origin = None
    """Its pages are ours."""

    def __init__(self, file: Path, faults: DemoFaults) -> None:
        self._file = file.with_suffix(".sqlite")
        self._faults = faults

    def start(self, order: PaymentOrder) -> StartedPayment:
        """Begin a payment, once for an attempt."""
        self._answer()
        with self._books() as books:
            books.execute(
                "INSERT OR IGNORE INTO payments VALUES (?, ?, ?, ?, 'pending', ?)",
                (order.attempt, order.reference, order.amount, order.currency, urlsplit(order.back_to).path),
            )
        # It lives at the insurer's own address, by whatever name the browser knows that.
        return StartedPayment(url_for("demo_payments.show", attempt=order.attempt))

    def state(self, attempt: str, provider_id: str | None = None) -> ProviderState:
        """Return the state of a payment; `expired` for one that was never begun."""
        self._answer()
        found = self.find(attempt)
        return cast(ProviderState, found["state"]) if found else "expired"

    def cancel(self, attempt: str, provider_id: str | None = None) -> ProviderState:
        """Cancel a payment that is not final."""
        self._answer()
        self.become(attempt, "cancelled", only_if_pending=True)
        return self.state(attempt)

    def read(self, body: bytes, signature: str, now: datetime) -> None:
        """Return None: it signs nothing."""

    def probe(self) -> None:
        """Do nothing: it is always there."""

    def become(self, attempt: str, state: str, *, only_if_pending: bool = False) -> None:
        """Give a payment a state; testers may force a late success upon one that was cancelled or has expired."""
        condition = " AND state = 'pending'" if only_if_pending else ""
        with self._books() as books:
            books.execute(f"UPDATE payments SET state = ? WHERE attempt = ?{condition}", (state, attempt))  # noqa: S608

    def find(self, attempt: str) -> dict[str, Any] | None:
        """Return a payment of the books."""
        return next((one for one in self.all() if one["attempt"] == attempt), None)

    def all(self) -> list[dict[str, Any]]:
        """Return the payments, oldest first."""
        with self._books() as books:
            rows = books.execute("SELECT * FROM payments ORDER BY rowid").fetchall()
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]

    @property
    def is_silent(self) -> bool:
        """Whether its calls to the insurer get lost."""
        return self._faults.is_failing("payments-callback")

    def forget(self) -> None:
        """Empty the books."""
        with self._books() as books:
            books.execute("DELETE FROM payments")

    def _answer(self) -> None:
        if self._faults.is_failing("payments"):
            raise ProviderUnavailable("the demonstration's provider is away")

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=10)) as books, books:
            books.execute(_BOOKS)
            yield books
