"""Runs an import: loads the files onto a stage, then merges them into the register in one transaction."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from services.clock import Clock
from services.profiles import Profile
from services.register.importing import merging
from services.register.importing.failures import DatabaseFailed, UnusableFile
from services.register.importing.loading import Loader, Passwords, Progress
from services.register.importing.quality import measure
from services.register.importing.rejects import Reject, Rejects
from services.register.importing.report import FileReport, ImportReport, Quality
from services.register.importing.rows import KINDS, Kind, RowReaders, accepted
from services.register.importing.source import CsvSource
from services.register.importing.staging import Stage, columns_of
from services.store.engine import Store
from services.store.tables import DECLARED


class RegisterImport:
    """Imports the insurer's files into the register.

    `profile` says how the insurer's numbers, phones and moments are read; `make_hash` and `is_password` make and check
    the hash of a communication id's plain password; `progress` is told how far the run is.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        profile: Profile,
        *,
        make_hash: Callable[[str], str],
        is_password: Callable[[str, str], bool],
        progress: Progress = lambda step, rows_done, bytes_done, bytes_total: None,
    ) -> None:
        self.is_committed = False
        self._store = store
        self._clock = clock
        self._profile = profile
        self._passwords = Passwords(make_hash, is_password)
        self._progress = progress

    def run(
        self,
        files: Mapping[str, Path],
        *,
        rejects: Path | None = None,
        max_rejects: int | None = None,
        is_dry_run: bool = False,
    ) -> ImportReport:
        """Import `files`, by name (those of KINDS; any may be left out).

        All of it is committed together; nothing is when a file is unusable (UnusableFile), when all rows of one are
        refused or more than `max_rejects` of all (TooManyRejects), when another import does not end (RegisterBusy),
        when the database fails (DatabaseFailed), on any other exception, on a kill, and with `is_dry_run`.
        """
        self.is_committed = False
        chosen = {kind: files[kind.name] for kind in KINDS if kind.name in files}
        if rejects and rejects.exists() and any(file.exists() and rejects.samefile(file) for file in chosen.values()):
            raise UnusableFile(f"The rejects would overwrite {rejects.name}.")
        try:
            with ExitStack() as opened:
                sources = {
                    kind: opened.enter_context(CsvSource(file, kind.columns, kind.optional, kind.alternatives))
                    for kind, file in chosen.items()
                }
                refusals = opened.enter_context(Rejects(rejects, accepted(self._profile), max_rejects))
                stage = Stage(opened.enter_context(self._store.read()))
                return self._run(sources, refusals, stage, is_dry_run=is_dry_run)
        except DBAPIError as error:
            # Its first line alone: the rest, and the statement's parameters, are customers' data.
            fault = str(error.orig).partition("\n")[0]
            raise DatabaseFailed(f"The database failed: {fault}.") from None

    def _run(
        self, sources: Mapping[Kind, CsvSource], rejects: Rejects, stage: Stage, *, is_dry_run: bool
    ) -> ImportReport:
        started = self._clock.now()
        loader = Loader(stage, rejects, self._passwords, self._progress)
        readers = RowReaders(self._profile, started.astimezone(self._profile.zone).date())
        rows = {kind: loader.load(kind, source, readers.of(kind)) for kind, source in sources.items()}
        merge = _Merge(stage, sources, rows, rejects, self._progress)
        locked_for, quality = self._merge(merge, stage, is_dry_run=is_dry_run)
        return ImportReport(
            files=tuple(merge.file_report(kind) for kind in sources),
            left_out=readers.left_out,
            phones_removed=merge.phones_removed,
            rows_removed=merge.rows_removed,
            quality=quality,
            is_dry_run=is_dry_run,
            duration=self._clock.now() - started,
            locked_for=locked_for,
        )

    def _merge(self, merge: "_Merge", stage: Stage, *, is_dry_run: bool) -> tuple[timedelta, Quality]:
        """Merge; return how long the register was locked for it, and the register's quality afterwards."""
        edition = merge.compare_ahead()
        self._progress("merging", 0, 0, 0)
        with stage.merging(keeps=not is_dry_run):
            locked_at = self._clock.now()
            merge.apply(edition, locked_at)
            # What a dry run merges is there to be measured only until it is taken back.
            quality = self._measure(stage) if is_dry_run else None
        self.is_committed = not is_dry_run
        merge.keep_rejects()
        locked_for = self._clock.now() - locked_at
        if quality is None:
            with stage.connection.begin():
                quality = self._measure(stage)
        return locked_for, quality

    def _measure(self, stage: Stage) -> Quality:
        self._progress("measuring", 0, 0, 0)
        return measure(stage.connection)


class _Merge:
    """The comparison of one run's staged rows with the register, and their merge into it."""

    def __init__(
        self,
        stage: Stage,
        sources: Mapping[Kind, CsvSource],
        rows: Mapping[Kind, int],
        rejects: Rejects,
        progress: Progress,
    ) -> None:
        self._stage = stage
        self._sources = sources
        self._rows = rows
        self._rejects = rejects
        self._progress = progress
        self._present = {
            kind: columns_of(kind).difference(kind.optional - source.present) for kind, source in sources.items()
        }
        self._counts: dict[Kind, tuple[int, int]] = {}
        self.phones_removed = 0
        self.rows_removed = 0
        rejects.mark()

    def compare_ahead(self) -> int | None:
        """Compare without holding the lock where that would make registrations wait: on SQLite, which has but one.

        Return the edition of the register that was compared, or None where nothing was: PostgreSQL's lock keeps out
        other imports alone.
        """
        if not self._stage.is_sqlite:
            return None
        with self._stage.connection.begin():
            edition = self._stage.edition
            self._compare()
        return edition

    def apply(self, edition: int | None, now: datetime) -> None:
        """Change the register, in the transaction that holds its lock; compare again if it is another edition now.

        Raises TooManyRejects.
        """
        if edition is None or edition != self._stage.edition:
            self._compare()
        self._rejects.judge({kind.name: rows for kind, rows in self._rows.items()})
        for done, _ in enumerate(merging.merge(self._stage.connection, self._present), 1):
            self._progress("merging", done, 0, 0)
        merging.settle(self._stage.connection, now)
        for declared in DECLARED:
            for deed in declared.after_import:
                deed(self._stage.connection)
        self._stage.raise_edition()

    def keep_rejects(self) -> None:
        """Leave the rejects behind: what they say was imported without them."""
        self._rejects.keep()

    def file_report(self, kind: Kind) -> FileReport:
        """Return what became of the rows of one file."""
        rows = self._rows[kind]
        added, changed = self._counts[kind]
        refused = self._rejects.counts[kind.name]
        return FileReport(
            kind=kind.name,
            rows=rows,
            added=added,
            changed=changed,
            unchanged=rows - refused - added - changed,
            refused=refused,
        )

    def _compare(self) -> None:
        connection = self._stage.connection
        self._progress("comparing", 0, 0, 0)
        merging.compare(connection, self._present)
        self._rejects.back_to_mark()
        for kind, source in self._sources.items():
            misfits = connection.execute(merging.misfits(kind), execution_options={"yield_per": 5000})
            self._rejects.add(kind.name, source.file, (Reject(*row) for row in misfits))
        self._counts = {kind: merging.count_changes(connection, kind) for kind in self._sources}
        self.phones_removed = merging.count_vanished(connection)
        self.rows_removed = merging.count_vanished_rows(connection)
