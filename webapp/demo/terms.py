"""The terms of a demonstration: testers publish further versions."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from services.profiles import Profile
from services.terms import Terms, TermsVersions


class PublishedTerms(TermsVersions):
    """The profile's terms, and the versions that testers publish; all processes share these through one small file."""

    def __init__(self, profile: Profile, file: Path) -> None:
        super().__init__(profile)
        self._file = file
        self._texts = profile.texts
        self._seen = -1
        self._versions = self._shipped

    def publish(self, version: str, now: datetime) -> None:
        """Put a new version into force from `now`, worded like the profile's latest."""
        entries = [*self._read(), {"version": version, "from": now.timestamp()}]
        draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        draft.write_text(json.dumps(entries), "utf-8")
        draft.replace(self._file)

    def forget_published(self) -> None:
        """Go back to the profile's own versions."""
        self._file.unlink(missing_ok=True)

    def _all(self) -> list[Terms]:
        try:
            written = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            written = 0
        if written != self._seen:
            self._versions = [*self._shipped, *map(self._version, self._read())]
            self._seen = written
        return self._versions

    def _version(self, entry: dict[str, Any]) -> Terms:
        latest, version = self._shipped[-1], entry["version"]
        return Terms(
            version=version,
            in_force_from=datetime.fromtimestamp(entry["from"], latest.in_force_from.tzinfo),
            texts={code: f"{text}<p>{version}</p>" for code, text in latest.texts.items()},
            pdfs={},
            binding=latest.binding,
            summaries={code: (self._texts.say("demo.terms.changes", code, version=version),) for code in latest.texts},
        )

    def _read(self) -> list[dict[str, Any]]:
        try:
            entries: list[dict[str, Any]] = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return []
        return entries
