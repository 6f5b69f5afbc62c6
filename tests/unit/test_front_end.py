"""What must hold of templates, style sheets and scripts: they can be read, are built whole, and stay light."""

import re
from itertools import combinations
from pathlib import Path

import brotli
import pytest

from webapp.http.assets import SOURCES, build, bundle

TEMPLATES = Path(__file__).parents[2] / "webapp" / "templates"
_SCRIPTS = sorted((SOURCES / "js").glob("*.js"))
_IMPORT = re.compile(r"^import (?:\{ (.+) \} from )?'\./(?:js/)?(.+)'$", re.M)
_TOP = re.compile(r"^(export )?(?:const|let|async function|function|class) (\w+)", re.M)


def _name(path: Path) -> str:
    return path.name


def _names(path: Path) -> dict[str, bool]:
    """Return the names that a script gives at its top, each with whether others may import it."""
    return {name: bool(export) for export, name in _TOP.findall(path.read_text("utf-8"))}


def _imported(path: Path) -> dict[str, str]:
    """Return the names that a script imports, each with the file that they come from."""
    found = _IMPORT.findall(path.read_text("utf-8"))
    return {name: file for names, file in found for name in names.split(", ") if name}


@pytest.mark.parametrize("folder", [TEMPLATES, SOURCES / "css", SOURCES / "js"], ids=_name)
def test_no_line_is_longer_than_the_eye_takes_in(folder: Path) -> None:
    long = [
        f"{path.relative_to(folder)}:{number}"
        for path in sorted(folder.rglob("*.*"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert not long


def test_every_file_is_in_the_build_once() -> None:
    together = "".join((SOURCES / name).read_text("utf-8") for name in ("app.css", "signed-in.css", "console.css"))
    sheets = re.findall(r'^@import "\./css/(.+)";$', together, re.M)
    assert sorted(sheets) == sorted(path.name for path in (SOURCES / "css").iterdir())
    sources = [SOURCES / "app.js", SOURCES / "signed-in.js", *_SCRIPTS]
    scripts = {file for path in sources for _, file in _IMPORT.findall(path.read_text("utf-8"))}
    assert scripts == {path.name for path in _SCRIPTS}
    built = bundle(SOURCES / "app.js") + bundle(SOURCES / "app.css")
    assert not re.search(r"^(?:@?import|export) ", built, re.M)
    assert built.count("const say = ") == built.count("*, ::before, ::after { box-sizing") == 1


@pytest.mark.parametrize("path", _SCRIPTS, ids=_name)
def test_a_script_imports_exactly_what_it_uses(path: Path) -> None:
    code = re.sub(r"//.*|'[^'\n]*'|`[^`]*`", "", _IMPORT.sub("", path.read_text("utf-8")))
    offered = {name: other.name for other in _SCRIPTS for name, is_exported in _names(other).items() if is_exported}
    words = set(re.findall(r"(?<![\w.])\w+\b(?!:)", code))
    used = {name: file for name, file in offered.items() if name in words and file != path.name}
    assert _imported(path) == used


def test_no_two_scripts_give_one_name() -> None:
    for one, other in combinations(_SCRIPTS, 2):
        assert not _names(one).keys() & _names(other).keys(), (one.name, other.name)


def test_what_a_first_visit_loads_stays_light(tmp_path: Path) -> None:
    names = build(tmp_path)
    sizes = {name: (tmp_path / f"{built}.br").stat().st_size for name, built in names.items()}
    assert sizes == {name: len(brotli.compress((tmp_path / built).read_bytes())) for name, built in names.items()}
    staff = sizes.pop("console.css")
    first = {name: size for name, size in sizes.items() if not name.startswith("signed-in.")}
    assert sum(size for name, size in first.items() if name.endswith(".js")) <= 15_000
    assert sum(first.values()) <= 23_600
    # What comes after signing in.
    assert sum(sizes.values()) - sum(first.values()) <= 4_000
    assert staff <= 2_600
