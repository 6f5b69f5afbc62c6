"""`belepo documents`: letters from a folder, and letters for the post."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from services.gateways.storage import StorageUnavailable
from services.letters.batch import BatchReport, UnusableManifest
from services.register.importing import ImportFailed
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.wiring import wire


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
    click.echo(json.dumps({**asdict(report), "rejects": str(rejects)}) if as_json else _words(report, rejects))
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
    click.echo(f"{report.printed:,} letters are to be printed.")
    if report.damaged:
        raise click.ClickException(f"{report.damaged:,} letters are damaged and were left out; they stay due.")


def _words(report: BatchReport, rejects: Path) -> str:
    told = f"{report.added:,} letters were published, {report.known:,} were there before."
    refused = f"{report.refused:,} lines were refused: see {rejects}" if report.refused else "No line was refused."
    return f"{told}\n{refused}"


class _Shown:
    """A bar for people who watch, a line for each tenth in logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("Publishing letters"), BarColumn(bar_width=20), TextColumn("{task.fields[lines]:,} lines"),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None, lines=0)
        self._tenth = 0

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, lines: int, done: int, total: int) -> None:
        """Tell how far it is: lines, and bytes of the manifest."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, total=total, lines=lines)
        elif (tenth := done * 10 // max(1, total)) > self._tenth:
            self._tenth = tenth
            self._console.print(f"Publishing letters: {tenth * 10} %, {lines:,} lines", highlight=False)
