"""Kinds of requests as data: what a profile may say, and what is told of what it may not (P33, P34)."""

import re
import shutil
from pathlib import Path

import pytest

from services import profiles
from services.profiles import ProfileError, load
from services.profiles.request_kinds import TYPES
from services.requests.kinds import Kind
from services.requests.reading import ASKED
from tests import ROOT
from webapp.cli.drawing import draw_text
from webapp.cli.profile import judge

SHIPPED = Path(profiles.__file__).parent
NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/profile.toml"))
HOW_TO = ROOT / "docs" / "how-to" / "add-a-kind-of-request.md"
FIXED = {
    "address-change": ["postal_code", "town", "street", "from"],
    "green-card": ["contract", "from"],
    "claim-motor": [
        "contract", "happened_on", "happened_at", "place", "description", "police", "photos", "account", "statement"
    ],
}  # fmt: skip
"""What others' tests fill in (contract, "The demo data set")."""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An insurer's own profile, a copy of one that ships."""
    shutil.copytree(SHIPPED / "mygenerali", tmp_path / "own")
    return tmp_path / "own" / "profile.toml"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_insurer_has_the_kinds_that_others_rely_on(name: str) -> None:
    known = load(name).requests
    assert {kind: list(known[kind].questions) for kind in FIXED} == FIXED
    assert not [problem for problem in judge(name) if problem.place.startswith("requests")]


@pytest.mark.parametrize(
    ("old", "new", "sentence", "line_of"),
    [
        ('{ place = "text" },', '{ place = "words" },', "“words” is no type of question", '{ place = "words" },'),
        (
            '{ police = "yes_no" },',
            '{ if = { polise = "yes" }, police = "yes_no" },',
            "depends on “polise”, which no page before it asks",
            "{ if = { polise",
        ),
        (
            '{ police = "yes_no" },',
            '{ if = { place = "yes" }, police = "yes_no" },',
            "depends on “place”, whose answers are free",
            "{ if = { place",
        ),
        (
            '{ if = { cause = "theft" }',
            '{ if = { cause = "thief" }',
            "“cause” is never “thief”; its answers are water, storm",
            '{ if = { cause = "thief" }',
        ),
        (
            '{ place = "text" },',
            '{ place = "text" },\n  { place = "text" },',
            "“place” is asked twice",
            None,
        ),
        ('{ place = "text" },', '{ colour = "text" },', "there is no text request.kind.claim-motor.colour.label", None),
        ('products = ["motor"]', 'products = ["boat"]', "there is no product “boat”", 'products = ["boat"]'),
        ('{ place = "text" },', '{ action = "text" },', "cannot be the name of a question", "{ action"),
        ('group = "claim"', 'group = "claims"', "“claims” is not one of", 'group = "claims"'),
    ],
)
def test_what_cannot_be_asked_is_said_with_its_line(
    own: Path, old: str, new: str, sentence: str, line_of: str | None
) -> None:
    change(own, old, new)
    problems = judge(str(own))
    found = next(one for one in problems if sentence in one.what)
    if line_of is not None:
        assert found.line is not None
        assert line_of in own.read_text("utf-8").splitlines()[found.line - 1]


def test_a_text_that_is_missing_is_told_with_the_remedy(own: Path) -> None:
    change(own, '{ place = "text" },', '{ colour = "text" },')
    told = [one for one in judge(str(own)) if "colour.label" in one.what]
    assert {'Add "request.kind.claim-motor.colour.label" = "…" to [wording.' in one.mend for one in told} == {True}
    assert len(told) == len(load("mygenerali").languages)


def test_a_kind_is_added_as_the_how_to_says(own: Path) -> None:
    kind, texts = re.findall(r"^```toml\n(.*?)^```$", HOW_TO.read_text("utf-8"), re.M | re.S)
    change(own, "[contact]\n", f"{kind}\n[contact]\n")
    with pytest.raises(ProfileError, match=r"request\.kind\.lost-key\.title"):
        load(str(own))
    text = own.read_text("utf-8")
    for language in ("hu", "en"):
        heading = f"[wording.{language}]\n"
        text = text.replace(heading, heading + texts) if heading in text else f"{text}\n{heading}{texts}"
    own.write_text(text, "utf-8")
    rules = load(str(own)).requests["lost-key"]
    asked = Kind("lost-key", rules, rules.pages)
    assert judge(str(own)) == []
    assert [page.id for page in asked.path({"stolen": "no"})] == ["contract", "lost_on", "stolen", "colour", "note"]
    assert "police_number" in [page.id for page in asked.path({"stolen": "yes"})]


def test_the_drawing_shows_pages_in_order_and_what_they_depend_on() -> None:
    lines = draw_text(load("allianz")).splitlines()
    (drawn,) = (line.split() for line in lines if line.strip().startswith("correspondence-address"))
    assert " ".join(drawn[1:6]) == "where → (if where ="
    assert drawn[-4:] == ["send;", "2", "working", "days"]


def test_what_is_not_asked_any_more_is_dropped() -> None:
    rules = load("allianz").requests["correspondence-address"]
    kind = Kind("correspondence-address", rules, rules.pages)
    answers = {"where": "post", "email": "a@example.hu", "postal_code": "1137"}
    assert kind.kept(answers) == {"where": "post", "postal_code": "1137"}


def test_every_type_but_files_is_answered_by_a_field() -> None:
    assert frozenset(TYPES) - {"files"} == ASKED
    told = HOW_TO.read_text("utf-8")
    assert not [kind for kind in TYPES if kind != "choice" and f"`{kind}`" not in told]
