"""Faults on command: parts of a demonstration that fail for a while (P57, contract)."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Literal, get_args

from services.clock import Clock
from services.events.calls import Caller, CallFailed
from services.gateways.storage import Storage, StorageUnavailable, StoredFile
from services.messages.composer import Composed
from services.messages.senders import Sender, TemporaryFailure, unwatched

Fault = Literal["storage", "storage-corrupt", "payments", "payments-callback", "core", "mail", "sms", "scanner"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


class DemoFaults:
    """Which parts fail, and until when by the demonstration's clock. All processes share it through one small file."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def begin(self, fault: Fault, duration: timedelta) -> None:
        """Let a part fail for `duration` from now; a second call replaces the end of the first."""
        self._write(self.failing() | {fault: self._clock.now() + duration})

    def end(self, fault: Fault) -> None:
        """Let a part work again."""
        self._write({name: until for name, until in self.failing().items() if name != fault})

    def end_all(self) -> None:
        """Let every part work again."""
        self._write({})

    def failing(self) -> dict[str, datetime]:
        """Return what fails now, each with the moment until which it does."""
        try:
            written: dict[str, str] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        ends = {name: datetime.fromisoformat(until) for name, until in written.items()}
        return {name: until for name, until in ends.items() if until > self._clock.now()}

    def is_failing(self, fault: Fault) -> bool:
        """Tell whether a part is to fail now."""
        return fault in self.failing()

    def _write(self, ends: dict[str, datetime]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        draft.write_text(json.dumps({name: until.isoformat() for name, until in ends.items()}))
        draft.replace(self._file)


class FailingStorage:
    """A storage that is away, or returns damaged bytes, while its fault lasts."""

    def __init__(self, storage: Storage, faults: DemoFaults) -> None:
        self._storage = storage
        self._faults = faults

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Keep `content`. Raises StorageUnavailable."""
        self._answer()
        self._storage.put(key, content)

    def get(self, key: str) -> StoredFile:
        """Return what is kept under `key`, or damaged bytes of the same length. Raises StorageUnavailable."""
        self._answer()
        found = self._storage.get(key)
        if self._faults.is_failing("storage-corrupt"):
            return StoredFile(found.size, _damaged(found.chunks))
        return found

    def delete(self, key: str) -> None:
        """Erase what is kept under `key`. Raises StorageUnavailable."""
        self._answer()
        self._storage.delete(key)

    def _answer(self) -> None:
        if self._faults.is_failing("storage"):
            raise StorageUnavailable("the demonstration's storage is away")


def _damaged(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Change one bit of the first byte."""
    for place, chunk in enumerate(chunks):
        yield chunk if place else bytes([chunk[0] ^ 1]) + chunk[1:]


class FailingCaller:
    """Calls the insurer's core system, which does not answer while its fault lasts."""

    def __init__(self, caller: Caller, faults: DemoFaults) -> None:
        self._caller = caller
        self._faults = faults

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Post a JSON body. Raises CallFailed."""
        if self._faults.is_failing("core"):
            raise CallFailed("the demonstration's core system is away")
        self._caller.post(url, headers, body)


class FailingSender:
    """A way out that takes no messages while the fault of its kind lasts."""

    def __init__(self, sender: Sender, faults: DemoFaults) -> None:
        self._sender = sender
        self._faults = faults

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = unwatched
    ) -> None:
        """Send, or raise TemporaryFailure."""
        if self._faults.is_failing("mail" if composed.kind == "email" else "sms"):
            raise TemporaryFailure("the demonstration's gateway is away")
        self._sender.send(recipient, composed, message_id, leaving)
