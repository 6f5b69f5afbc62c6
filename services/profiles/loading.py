"""Finds, reads and judges a profile."""

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.clock import SystemClock
from services.profiles.logo import DARK, LIGHT, UnfitLogo
from services.profiles.problems import Mistake, Problem, ProfileError, explain
from services.profiles.profile import Document, Profile
from services.profiles.words import mistakes_in_words

_HERE = Path(__file__).parent


def load(name_or_path: str, *, hardened: bool = False, now: datetime | None = None) -> Profile:
    """Read the profile that ships under this name, or an insurer's own file, and judge all that a start needs of it.

    With `hardened`, the values of ``hardened.toml`` go over its own. Documents must be in force by `now`, the
    machine's time where none is given. Raises ProfileError when there is no such profile or something in it is wrong.
    """
    file = find(name_or_path)
    text, values = _read(file)
    if hardened:
        values = _over(values, tomllib.loads((_HERE / "hardened.toml").read_text("utf-8")))
    try:
        profile = Profile.model_validate({**values, "folder": file.parent})
    except ValidationError as error:
        raise _error(file, [explain(one, Profile, text) for one in error.errors()]) from error
    if unfit := list(_unfit_files(profile)):
        raise _error(file, unfit)
    mistakes = [*mistakes_in_words(profile), *_mistakes_in_documents(profile, now or SystemClock().now())]
    if mistakes:
        raise _error(file, [mistake.found_in(text) for mistake in mistakes])
    return profile


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise ProfileError(f"{file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise ProfileError(
            f"{file}: {error}", [Problem("", str(error), "Write it as TOML, in UTF-8.", line)]
        ) from error


def _error(file: Path, problems: Sequence[Problem]) -> ProfileError:
    return ProfileError(f"{file}:\n  " + "\n  ".join(map(str, problems)), problems)


def _unfit_files(profile: Profile) -> Iterator[Problem]:
    """Yield the files beside the profile that are not what their names say: catalogues and logos."""
    try:
        _ = profile.own_texts
    except ValueError as error:
        yield Problem("texts", str(error), "Write it as a gettext catalogue, in UTF-8.")
    try:
        _ = profile.logos
    except UnfitLogo as error:
        yield Problem(f"{LIGHT} or {DARK}", str(error), "Save it as a plain SVG.")


def _mistakes_in_documents(profile: Profile, now: datetime) -> Iterator[Mistake]:
    """Yield why terms or a notice cannot be shown: none is in force, a version comes twice, a file is not UTF-8."""
    today = now.astimezone(profile.zone).date()
    for kind, documents in (("terms", profile.terms), ("notice", profile.notice)):
        first = min((document.in_force_from for document in documents), default=today)
        if first > today:
            what = f"no version is in force: the first begins on {first}, and today is {today}"
            yield Mistake((kind, "0", "in_force_from"), what, "Add the version that is in force until then.")
        seen: set[str] = set()
        for number, document in enumerate(documents):
            path = (kind, str(number), "version")
            if document.version in seen:
                yield Mistake(path, f"there are two versions {document.version}", "Rename one of them.")
            seen.add(document.version)
            yield from (
                Mistake(path, f"{kind}/{file.name} cannot be read", "Write it in UTF-8, readable for the server.")
                for file in _texts_of(profile, kind, document)
                if not _is_readable(file)
            )


def _texts_of(profile: Profile, kind: str, document: Document) -> Iterator[Path]:
    for language in profile.languages:
        for ending in ("html", "changes.txt"):
            file = profile.folder / kind / f"{document.version}.{language}.{ending}"
            if file.is_file():
                yield file


def _is_readable(file: Path) -> bool:
    try:
        file.read_text("utf-8")
    except (UnicodeDecodeError, OSError):
        return False
    return True


def find(name_or_path: str) -> Path:
    """Return the file of the profile that ships under this name, or of an insurer's own folder. Raises ProfileError."""
    shipped, own = _HERE / name_or_path / "profile.toml", Path(name_or_path)
    file = shipped if shipped.is_file() else own / "profile.toml" if own.is_dir() else own
    if not file.is_file():
        raise ProfileError(f"There is no profile “{name_or_path}”. Give the path of a file, or one of: {known()}.")
    return file


def short_name(name_or_path: str) -> str:
    """Return what tells this profile from others in the names of files: its own name, or that of its folder."""
    path = Path(name_or_path)
    if name_or_path.endswith(".toml"):
        return path.resolve().parent.name
    is_shipped = path.name == name_or_path and (_HERE / path / "profile.toml").is_file()
    return path.resolve().name if path.is_dir() and not is_shipped else name_or_path


def copy(name: str, folder: Path) -> None:
    """Copy a profile that ships, as the beginning of an insurer's own. Raises ProfileError where the folder exists."""
    source = _HERE / name / "profile.toml"
    if not source.is_file():
        raise ProfileError(f"There is no profile “{name}” to copy. There are: {known()}.")
    if folder.exists():
        raise ProfileError(f"{folder} is there already.")
    shutil.copytree(source.parent, folder)


def default() -> str:
    """Return the name of the profile that serves where none is chosen."""
    return (_HERE / "default").read_text("utf-8").strip()


def known() -> str:
    """Return the names of the profiles that ship."""
    return ", ".join(sorted(path.parent.name for path in _HERE.glob("*/profile.toml")))


def _over(values: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with `others` written over them, table by table."""
    return {
        **values,
        **{
            key: _over(values.get(key, {}), other) if isinstance(other, Mapping) else other
            for key, other in others.items()
        },
    }
