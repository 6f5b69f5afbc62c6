"""Takes in a file of invoices, row by row as `PUT /invoices` does (P47)."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from services.clock import Clock
from services.payments.ledger import NewInvoice, keep
from services.profiles import Profile
from services.refusal import Refusal
from services.register.importing.failures import UnusableFile
from services.register.importing.rejects import Reject, Rejects
from services.register.importing.report import FileReport
from services.register.importing.rows import INVOICES, RowReaders, accepted, reject
from services.register.importing.source import CsvSource
from services.store.engine import Store

_AT_ONCE = 200
"""Rows of one transaction: customers who pay meanwhile do not wait for a whole file."""
_MISFITS = {"policy": ("policy_number", "unknown_policy"), "letter": ("letter", "unknown_letter"),
            "paid": ("amount", "paid")}  # fmt: skip


class InvoiceImport:
    """Imports the insurer's file of invoices. The register is imported before it, since invoices name policies."""

    def __init__(self, store: Store, clock: Clock, profile: Profile) -> None:
        self._store = store
        self._clock = clock
        self._profile = profile

    def run(
        self, file: Path, *, rejects: Path | None = None, max_rejects: int | None = None, is_dry_run: bool = False
    ) -> FileReport:
        """Take in what the file says, and return what became of its rows. The same file again changes nothing.

        It goes by pieces: an import that is cut off is complete when it is run again. Raises UnusableFile, or
        TooManyRejects when all rows are refused or more than `max_rejects`; rows before that one are kept.
        """
        counts = dict.fromkeys(("added", "changed", "unchanged"), 0)
        rows = 0
        with (
            CsvSource(file, INVOICES.columns, INVOICES.optional, INVOICES.alternatives) as source,
            Rejects(rejects, accepted(self._profile), max_rejects) as refused,
        ):
            found = self._read(source, file, refused)
            while piece := list(islice(found, _AT_ONCE)):
                rows += len(piece)
                with self._store.write() as connection:
                    # In one order, so that two imports at once wait for each other and never for good.
                    for line, number, invoice in sorted(
                        (one for one in piece if one is not None), key=lambda one: str(one[1])
                    ):
                        try:
                            counts[keep(connection, number, invoice, self._clock.now())] += 1
                        except Refusal as refusal:
                            refused.add(INVOICES.name, file, [Reject(line, "", *_MISFITS[refusal.reason])])
                    if is_dry_run:
                        connection.rollback()
                refused.judge({})
            if not rows:
                raise UnusableFile(f"{file.name} has a header and no rows: leave it out where nothing is new.")
            refused.judge({INVOICES.name: rows})
            refused.keep()
            return FileReport(INVOICES.name, rows=rows, refused=refused.counts[INVOICES.name], **counts)

    def _read(self, source: CsvSource, file: Path, refused: Rejects) -> Iterator[Any]:
        """Yield line, number and invoice of each row, and None for one that is refused."""
        today = self._clock.now().astimezone(self._profile.zone).date()
        read, seen = RowReaders(self._profile, today).of(INVOICES), set()
        for line, values in source.records():
            if isinstance(values, Refusal):
                refused.add(INVOICES.name, file, [Reject(line, "", values.field, values.reason)])
                yield None
                continue
            try:
                number, policy_number, amount, currency, due_on, first, last, letter, state = read(values)
            except Refusal as refusal:
                refused.add(INVOICES.name, file, [reject(INVOICES, line, values, refusal)])
                yield None
                continue
            if number in seen:
                refused.add(INVOICES.name, file, [Reject(line, "", INVOICES.key, "duplicate")])
                yield None
                continue
            seen.add(number)
            facts: dict[str, Any] = {
                "policy_number": policy_number, "amount": amount, "currency": currency, "letter_id": letter,
                "due_on": date.fromisoformat(str(due_on)), "state": state,
                "period_from": date.fromisoformat(str(first)) if first else None,
                "period_until": date.fromisoformat(str(last)) if last else None,
            }  # fmt: skip
            yield line, number, NewInvoice(**facts)
