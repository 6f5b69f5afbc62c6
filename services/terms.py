"""The terms, and the privacy notice: versions are data, each with the day of its coming into force (M23, M24, A5)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path

from services.base import Base
from services.profiles import Profile


@dataclass(frozen=True)
class Terms:
    """One version of the terms, by language: its text as HTML, as PDF where there is one, and in short what is new."""

    version: str
    in_force_from: datetime
    texts: Mapping[str, str]
    pdfs: Mapping[str, Path]
    binding: str  # the language whose text counts
    summaries: Mapping[str, tuple[str, ...]]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the binding text: what exactly was accepted."""
        return hashlib.sha256(self.texts[self.binding].encode("utf-8")).hexdigest()

    def language(self, wanted: str) -> str:
        """Return the language in which there is a text: the one that is wanted, or the binding one."""
        return wanted if wanted in self.texts else self.binding

    def text(self, language: str) -> str:
        """Return the text in `language`, or the binding one."""
        return self.texts[self.language(language)]

    def changes(self, language: str) -> tuple[str, ...]:
        """Return in short what changed against the version before, in `language` or the binding one."""
        return self.summaries.get(language, self.summaries.get(self.binding, ()))

    def pdf(self, language: str) -> Path | None:
        """Return the PDF in `language`, or the binding one, or None."""
        return self.pdfs.get(language, self.pdfs.get(self.binding))


class TermsVersions:
    """All versions of a profile's terms or notice."""

    def __init__(self, profile: Profile, *, kind: str = "terms") -> None:
        documents = {"terms": profile.terms, "notice": profile.notice}[kind]
        self._shipped = [_shipped(profile, kind, entry.version, entry.in_force_from) for entry in documents]

    def in_force(self, now: datetime) -> Terms:
        """Return the version in force at `now`; before the first one's day, the first."""
        in_force = [terms for terms in self._all() if terms.in_force_from <= now] or self._all()[:1]
        return sorted(in_force, key=lambda terms: terms.in_force_from)[-1]  # of two at one moment the later entry

    def get(self, version: str, now: datetime) -> Terms | None:
        """Return this version if it is or has been in force by `now`."""
        return next((t for t in self._all() if t.version == version and t.in_force_from <= now), None)

    def _all(self) -> list[Terms]:
        return self._shipped


@dataclass(frozen=True)
class Documents:
    """The documents that a customer accepts or reads."""

    terms: TermsVersions
    notice: TermsVersions


def build_documents(base: Base, terms: TermsVersions | None = None) -> Documents:
    """Build the versions of both documents; `terms` stand in for the profile's own, as in demo mode."""
    return Documents(terms or TermsVersions(base.profile), TermsVersions(base.profile, kind="notice"))


def _shipped(profile: Profile, kind: str, version: str, day: date) -> Terms:
    folder = profile.folder / kind

    def files(ending: str) -> dict[str, Path]:
        found = {language: folder / f"{version}.{language}.{ending}" for language in profile.languages}
        return {language: path for language, path in found.items() if path.is_file()}

    changes = {language: path.read_text("utf-8").splitlines() for language, path in files("changes.txt").items()}
    return Terms(
        version,
        datetime.combine(day, time.min, profile.zone),
        {language: path.read_text("utf-8") for language, path in files("html").items()},
        files("pdf"),
        profile.languages[0],
        {language: tuple(line for line in lines if line.strip()) for language, lines in changes.items()},
    )
