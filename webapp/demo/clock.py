"""The clock of a demonstration."""

import json
import os
from datetime import timedelta
from pathlib import Path

from services.clock import SystemClock


class DemoClock(SystemClock):
    """A clock that testers move forward; all processes share it through one small file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._offset = 0.0

    @property
    def offset(self) -> timedelta:
        """How far this clock is ahead of the machine's."""
        self._read()
        return timedelta(seconds=self._offset)

    def advance(self, by: timedelta) -> None:
        """Move the clock forward for every process; survives a restart."""
        self._write(self.offset.total_seconds() + by.total_seconds())

    def reset(self) -> None:
        """Go back to real time."""
        self._write(0.0)

    def _write(self, offset: float) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        draft.write_text(json.dumps({"offset": offset}))
        draft.replace(self._file)

    def _read(self) -> float:
        try:
            # A file system's clock is coarse; that each change is a file of its own tells two quick ones apart.
            status = self._file.stat()
            written = status.st_mtime_ns, status.st_ino
        except FileNotFoundError:
            written = 0, 0
        if written != self._seen:
            offset = float(json.loads(self._file.read_text())["offset"]) if all(written) else 0.0
            if offset < self._offset:
                self._highest = 0.0
            self._seen, self._offset = written, offset
        return super()._read() + self._offset
