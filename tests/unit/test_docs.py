"""The documentation: short, linked, generated from the code where it can be, and complete in what code cites."""

import re
import tomllib
from pathlib import Path

import pytest

from docs.generate import pages
from services.profiles import Profile
from services.register.importing.rows import KINDS
from tests import ROOT
from webapp.settings import Settings

TEXTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "services" / "profiles" / "README.md"])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
REQUIREMENTS = {
    f"{system}{number}"
    for system, last in (("M", 31), ("T", 6), ("A", 8), ("B", 4), ("S", 4), ("P", 58))
    for number in range(1, last + 1)
}
_FENCE = re.compile(r"^ *```.*?^ *```$", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.M)
_CITED_REQUIREMENT = re.compile(r"\(([MTABSP]\d+)(?:[–,;:) ])")
_CITED_SECURITY = re.compile(r"security\.md, ([A-Z][a-zA-Z ,-]+?)[).:]")


def test_the_readme_has_8_kilobytes_at_most() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 8 * 1024


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", file.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), f"{link}: there is no such file"
        assert not anchor or anchor in _anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_generated_pages_are_up_to_date(page: Path) -> None:
    assert page.read_text("utf-8") == pages()[page], "run `make docs`"


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_key_of_a_profile_is_described() -> None:
    schema = Profile.model_json_schema()
    tables = {"profile": schema["properties"], **{name: one["properties"] for name, one in schema["$defs"].items()}}
    bare = [
        f"{table}.{key}"
        for table, keys in tables.items()
        for key, one in keys.items()
        # A table is described by its class; the folder is no key.
        if "description" not in one and "$ref" not in one and key != "folder"
    ]
    assert bare == []


def test_every_column_of_the_import_files_is_listed() -> None:
    rows = (ROOT / "docs/reference/import-files.md").read_text("utf-8").splitlines()
    for kind in KINDS:
        (row,) = (row for row in rows if row.startswith(f"| `{kind.name.replace('_', '-')}` |"))
        assert set(re.findall(r"`(\w+)`", row.partition("|")[2].partition("|")[2])) == set(kind.fields)


def test_the_changelog_has_the_version_that_is_installed() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest, *earlier = re.findall(
        r"^## (\S+?)(?:, \d{4}-\d\d-\d\d)?$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    assert newest == ("Unreleased" if version.endswith(".dev0") else version)
    assert version.removesuffix(".dev0") not in earlier


def test_every_metric_is_listed() -> None:
    listed = (ROOT / "docs/how-to/run-in-production.md").read_text("utf-8")
    declared = ("webapp/operations/health.py", "webapp/http/series.py")
    metrics = {name for file in declared for name in re.findall(r"belepo_\w+", (ROOT / file).read_text("utf-8"))}
    assert metrics
    assert {name for name in metrics if f"`{name}`" not in listed} == set()


def test_every_requirement_has_its_entry() -> None:
    entries = re.findall(
        r"^- \*\*([MTABSP]\d+)\*\* ", (ROOT / "docs/reference/requirements.md").read_text("utf-8"), re.M
    )
    assert set(entries) == REQUIREMENTS
    assert len(entries) == len(REQUIREMENTS)


def test_what_code_cites_is_in_the_documentation() -> None:
    security = (ROOT / "docs/explanation/security.md").read_text("utf-8")
    headings = tuple(_HEADING.findall(security))
    for folder in ("services", "webapp", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text("utf-8")
            assert set(_CITED_REQUIREMENT.findall(text)) <= REQUIREMENTS, file
            for cited in _CITED_SECURITY.findall(text):
                assert any(heading.startswith(cited) for heading in headings), f"{file}: {cited}"


def test_decisions_are_numbered_and_listed() -> None:
    index = (ROOT / "docs/decisions/index.md").read_text("utf-8")
    assert [int(file.name[:4]) for file in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for file in DECISIONS:
        title = file.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        assert title.startswith(f"{int(file.name[:4])}. ")
        assert f"- [{title}]({file.name})" in index.splitlines()


def test_the_pages_leave_no_page_unlinked() -> None:
    linked = set()
    for file in TEXTS:
        for link in _LINK.findall(file.read_text("utf-8")):
            if not re.match(r"[a-z]+:|#", link):
                linked.add((file.parent / link.partition("#")[0]).resolve())
    assert [file for file in TEXTS if file.is_relative_to(ROOT / "docs") and file not in linked] == []


def _anchors(file: Path) -> set[str]:
    """Return the names by which headings are linked, made as GitHub and MyST make them."""
    headings = _HEADING.findall(_FENCE.sub("", file.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
