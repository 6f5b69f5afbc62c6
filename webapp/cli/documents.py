"""`belepo documents`: letters from a folder, and letters for the post."""

import json
from gettext import ngettext
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from services.gateways.storage import StorageUnavailable
from services.letters.batch import EXPLANATIONS, BatchReport, UnusableManifest
from services.register.importing import ImportFailed
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.wiring import wire

_SHOWN = 10
"""Customers and columns that the report for people names; with `--json` it names more."""


@click.group("documents")
def documents() -> None:
    """Publish letters to customers, and print those that nobody opens."""


@documents.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where refused lines are written; rejects.csv in the folder by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def add(shared: Context, folder: Path, rejects: Path | None, as_json: bool) -> None:
    """Publish the letters of FOLDER, as its manifest.csv or manifest.jsonl says.

    Each letter is published whole, with its mail, or not at all. Lines that cannot be published are written to the
    rejects. The same folder again publishes what is missing, and nothing twice. The exit code is 0 when the manifest
    was read to its end, and 1 when it was not, or when all of its lines were refused.
    """
    rejects = rejects or folder / "rejects.csv"
    parts = wire(shared.settings)
    migrate(parts.store)
    shown = _Shown(Console(stderr=True))
    try:
        with shown:
            report = parts.portal.letters.batch.run(folder, rejects=rejects, progress=shown.show)
    except (UnusableManifest, ImportFailed) as failure:
        raise click.ClickException(str(failure)) from failure
    except StorageUnavailable as failure:
        reason = f"The storage is away ({failure}). What was published stays; run it again for the rest."
        raise click.ClickException(reason) from failure
    finally:
        parts.store.close()
    click.echo(json.dumps({**vars(report), "rejects": str(rejects)}) if as_json else _words(report, rejects))
    if report.lines and report.refused == report.lines:
        raise click.exceptions.Exit(1)


@documents.command("print-list")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def print_list(shared: Context, folder: Path) -> None:
    """Write the letters that nobody opened before their day into FOLDER, for the post.

    Each list is a folder of its own with the PDFs and list.csv, at most 500 letters. Its letters count as printed and
    come into no other list. A folder whose name ends in .part is not finished: leave it alone.
    """
    parts = wire(shared.settings)
    migrate(parts.store)
    try:
        report = parts.portal.letters.print_list.write(folder)
    except StorageUnavailable as failure:
        reason = f"The storage is away ({failure}). Lists that were written stay; run it again for the rest."
        raise click.ClickException(reason) from failure
    except OSError as failure:
        raise click.ClickException(f"The list cannot be written: {failure.strerror}.") from failure
    finally:
        parts.store.close()
    for one in report.folders:
        click.echo(str(one))
    click.echo(f"{_letters(report.printed)} to be printed.")
    if report.damaged:
        them = ngettext("It was left out and stays due", "They were left out and stay due", report.damaged)
        raise click.ClickException(f"{_letters(report.damaged)} damaged. {them}.")


def _words(report: BatchReport, rejects: Path) -> str:
    """Return the report as lines, each of which says one thing."""
    said = [_counted(report.added, "{} letter was published.", "{} letters were published.")]
    if report.known:
        by = "by an earlier run."
        said.append(_counted(report.known, f"{{}} letter was published {by}", f"{{}} letters were published {by}"))
    if report.refused:
        refused = _counted(report.refused, "{} line was refused", "{} lines were refused")
        said.append(f"{refused}: see {rejects}")
        said += [f"  {count:,} × {EXPLANATIONS[reason]}" for reason, count in report.reasons.most_common()]
    else:
        said.append("No line was refused.")
    if report.without_address:
        no_mail = _counted(report.without_address, "No mail tells of {} letter", "No mail tells of {} letters")
        said.append(f"{no_mail}: no email address is known of KÜTID {_first(report.unreached)}.")
    if report.passed_over:
        columns = ngettext("A column of the manifest was", "Columns of the manifest were", len(report.passed_over))
        said.append(f"{columns} passed over: {_first(report.passed_over)}.")
    return "\n".join(said)


def _first(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")


def _letters(count: int) -> str:
    return _counted(count, "{} letter is", "{} letters are")


def _lines(count: int) -> str:
    return _counted(count, "{} line", "{} lines")


def _counted(count: int, one: str, many: str) -> str:
    return ngettext(one, many, count).format(f"{count:,}")


class _Shown:
    """A bar for people who watch, a line for each tenth in logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("Publishing letters"), BarColumn(bar_width=20), TextColumn("{task.fields[lines]}"),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None, lines=_lines(0))
        self._tenth = 0

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, lines: int, done: int, total: int) -> None:
        """Tell how far it is: lines, and bytes of the manifest."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, total=total, lines=_lines(lines))
        elif (tenth := done * 10 // max(1, total)) > self._tenth:
            self._tenth = tenth
            self._console.print(f"Publishing letters: {tenth * 10} %, {_lines(lines)}", highlight=False)
