"""`belepo import`: the insurer's register from CSV files, with a progress bar and a report."""

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from services.clock import SystemClock
from services.passwords import hash_secret, is_secret
from services.payments.invoice_import import InvoiceImport
from services.profiles import Profile
from services.register.importing import (
    FileReport,
    Finding,
    ImportFailed,
    ImportReport,
    Quality,
    RegisterImport,
    TooManyRejects,
)
from services.store.engine import Store

_STEPS = {
    "customers": "Reading customers",
    "policies": "Reading policies",
    "phones": "Reading phones",
    "communication_ids": "Reading communication ids",
    "customer_accounts": "Reading customer accounts",
    "advisers": "Reading advisers",
    "policy_rows": "Reading rows of policies",
    "comparing": "Comparing with the register",
    "merging": "Merging into the register",
    "measuring": "Looking at the data's quality",
}
_FINDINGS: Sequence[tuple[str, Callable[[Quality], Finding]]] = (
    ("customers without a mobile", lambda quality: quality.without_mobile),
    ("without birth date (person) or tax number (company)", lambda quality: quality.without_second_datum),
    ("tax numbers without the part from the hyphen on", lambda quality: quality.tax_number_without_rest),
    ("tax numbers whose check digit is wrong", lambda quality: quality.tax_number_check_fails),
    ("phones shared by 4 customers or more", lambda quality: quality.shared_phones),
    ("names that a wrong encoding has damaged", lambda quality: quality.damaged_names),
)


class ImportContext(Protocol):
    """What the group of commands keeps as `obj` for this one."""

    @property
    def profile(self) -> Profile:
        """The insurer whose register it is."""
        ...

    @property
    def hash_cost(self) -> int:
        """The cost at which passwords are hashed."""
        ...

    def open_store(self) -> Store:
        """Open the database."""
        ...


def _file_option(name: str, what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    readable = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
    return click.option(name, type=readable, help=f"CSV file of {what}.")


@click.command("import", short_help="Import the insurer's register from CSV files.")
@_file_option("--customers", "customers")
@_file_option("--policies", "policies")
@_file_option("--phones", "phones; the numbers of each customer in it are replaced as a set")
@_file_option("--communication-ids", "communication ids")
@_file_option("--customer-accounts", "customer accounts")
@_file_option("--advisers", "who advises whom")
@_file_option("--policy-rows", "what policies cover; the rows of each policy in it are replaced as a set")
@_file_option("--invoices", "invoices; taken in after the register, row by row")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where refused rows are written; rejects.csv beside the first file by default.",
)
@click.option(
    "--max-rejects",
    type=click.IntRange(0),
    help="Import nothing when more rows than this are refused; by default only when all rows of a file are.",
)
@click.option("--dry-run", is_flag=True, help="Do everything, report it, and keep nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, also when nothing was imported.")
@click.pass_obj
def import_command(
    context: ImportContext,
    /,
    rejects: Path | None,
    max_rejects: int | None,
    dry_run: bool,
    as_json: bool,
    **given: Path | None,
) -> None:
    """Import the insurer's register from CSV files, all of them together or nothing.

    The files may hold everything or only what changed: customers and policies that are missing stay as they are.
    Rows that cannot be imported are written to the rejects, and the others are imported. The exit code is 0 when
    the files were imported, and 1 when nothing was: also where a file has no rows, or all of them are refused.
    """
    files = {kind: file for kind, file in given.items() if file}
    if not files:
        raise click.UsageError(
            "Name at least one file: --customers, --policies, --phones, --communication-ids, --customer-accounts, "
            "--advisers, --policy-rows, --invoices."
        )
    rejects = rejects or next(iter(files.values())).with_name("rejects.csv")
    invoices = files.pop("invoices", None)
    store = context.open_store()
    try:
        report = _import(store, context, files, rejects=rejects, max_rejects=max_rejects, is_dry_run=dry_run)
        if invoices:
            taken = _take_in(store, context, invoices, rejects=_beside(rejects), max_rejects=max_rejects,
                             is_dry_run=dry_run)  # fmt: skip
            report = replace(report, files=(*report.files, taken))
    except _NotImported as failure:
        if as_json:
            click.echo(json.dumps({"imported": failure.is_committed, "error": failure.message}))
        raise
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps(_facts(report, rejects), ensure_ascii=False, indent=2))
    else:
        _print(report, rejects)


class _NotImported(click.ClickException):
    """The import ended early; `is_committed` tells whether that was after its commit, of which `told` speaks."""

    def __init__(self, reason: str, *, is_committed: bool, told: str = "The import itself is complete.") -> None:
        super().__init__(f"{reason} {told if is_committed else 'Nothing was imported.'}")
        self.is_committed = is_committed


def _beside(rejects: Path) -> Path:
    """Return where the refused rows of invoices are written: the register's rejects are complete by then."""
    return rejects.with_stem(f"{rejects.stem}-invoices")


def _take_in(store: Store, context: ImportContext, file: Path, **how: Any) -> FileReport:
    try:
        return InvoiceImport(store, SystemClock(), context.profile).run(file, **how)
    except ImportFailed as failure:
        raise _NotImported(str(failure), is_committed=True, told="The register itself was imported.") from failure


def _import(store: Store, context: ImportContext, files: dict[str, Path], *, rejects: Path, **how: Any) -> ImportReport:
    # Beside the report, so that that alone can be redirected to a file.
    console = Console(stderr=True)
    shown = _Bar(console) if console.is_terminal else _Lines(console)
    importer = RegisterImport(
        store,
        SystemClock(),
        context.profile,
        make_hash=partial(hash_secret, rounds=context.hash_cost),
        is_password=is_secret,
        progress=shown.show,
    )
    try:
        with _stoppable(), shown.running():
            return importer.run(files, rejects=rejects, **how)
    except TooManyRejects as failure:
        raise _NotImported(f"{failure} See {rejects}.", is_committed=False) from failure
    except ImportFailed as failure:
        raise _NotImported(str(failure), is_committed=importer.is_committed) from failure
    except KeyboardInterrupt as interrupt:
        reason = f"Stopped by {interrupt}." if interrupt.args else "Interrupted."
        raise _NotImported(reason, is_committed=importer.is_committed) from None


@contextmanager
def _stoppable() -> Iterator[None]:
    """Have a signal that would end the process at once raise KeyboardInterrupt with its name instead."""

    def stop(number: int, _: object) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    # One that is ignored, as under nohup, stays ignored.
    taken = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _facts(report: ImportReport, rejects: Path) -> dict[str, Any]:
    """Return the report as JSON takes it; times are in seconds."""
    return {
        "imported": not report.is_dry_run,
        "dry_run": report.is_dry_run,
        "files": [asdict(file) for file in report.files],
        "left_out": dict(report.left_out),
        "phones_removed": report.phones_removed,
        "rows_removed": report.rows_removed,
        "quality": asdict(report.quality),
        "seconds": report.duration.total_seconds(),
        "locked_seconds": report.locked_for.total_seconds(),
        "rejects": str(rejects),
    }


class _Bar:
    """A bar for each step, for people who watch."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            _RowsColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None
        self._step = ""

    def running(self) -> AbstractContextManager[object]:
        """Draw while this is open."""
        return self._progress

    def show(self, step: str, rows_done: int, bytes_done: int, bytes_total: int) -> None:
        """Move the bar of `step`."""
        if self._task is None or step != self._step:
            if self._task is not None:
                self._progress.update(self._task, total=1, completed=1)
            self._step = step
            self._task = self._progress.add_task(_STEPS[step], total=bytes_total or None)
        self._progress.update(self._task, completed=bytes_done, rows=rows_done if bytes_total else None)


class _RowsColumn(ProgressColumn):
    """How many rows were read, and how many a second."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        """Return the text for `task`."""
        rows = task.fields.get("rows")
        if rows is None:
            return Text("")
        return Text(f"{rows:,} rows {rows / (task.finished_time or task.elapsed or 1):,.0f}/s")


class _Lines:
    """A line for each step and each tenth of a file, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[str, int] | None = None

    def running(self) -> AbstractContextManager[object]:
        """Nothing needs to be drawn."""
        return nullcontext()

    def show(self, step: str, rows_done: int, bytes_done: int, bytes_total: int) -> None:
        """Write a line when there is news."""
        tenth = bytes_done * 10 // bytes_total if bytes_total else 0
        if (step, tenth) != self._last:
            self._last = (step, tenth)
            done = f": {tenth * 10} %, {rows_done:,} rows" if tenth else ""
            self._console.print(f"{_STEPS[step]}{done}", highlight=False)


def _print(report: ImportReport, rejects: Path) -> None:
    console = Console(highlight=False)
    console.print(_rows_table(report.files))
    console.print(_quality_table(report.quality))
    refused = sum(file.refused for file in report.files)
    seconds = report.duration.total_seconds()
    console.print(
        "Dry run: nothing was kept." if report.is_dry_run else f"Imported in {seconds:,.1f} seconds.",
        f"The register was locked for {report.locked_for.total_seconds():.2f} seconds.",
    )
    console.print(f"{report.phones_removed:,} phones that the files no longer have were removed.")
    if report.rows_removed:
        console.print(f"{report.rows_removed:,} rows of policies that the files no longer have were removed.")
    if report.left_out:
        told = ", ".join(f"{field} ({count:,})" for field, count in sorted(report.left_out.items()))
        console.print(f"Values that cannot be used were left out of rows that were taken: {told}.")
    # Not through rich, which would break a long path into lines.
    click.echo(f"{refused:,} rows were refused: see {rejects}" if refused else "No row was refused.")


def _rows_table(files: Sequence[FileReport]) -> Table:
    table = Table(title="Rows", title_justify="left", box=box.SIMPLE)
    table.add_column("file", no_wrap=True)
    for heading in ("rows", "added", "changed", "unchanged", "refused"):
        table.add_column(heading, justify="right", no_wrap=True)
    for file in files:
        counts = (file.rows, file.added, file.changed, file.unchanged, file.refused)
        table.add_row(file.kind.replace("_", " "), *(f"{count:,}" for count in counts))
    return table


def _quality_table(quality: Quality) -> Table:
    title = f"Quality of the register ({quality.customers:,} customers)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    table.add_column("what keeps customers from registering")
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("for example")
    for label, of in _FINDINGS:
        finding = of(quality)
        table.add_row(label, f"{finding.count:,}", ", ".join(finding.examples))
    return table
