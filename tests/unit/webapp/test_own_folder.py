"""Pages of an insurer's own folder: its logo, its steps, and its templates in place of ours."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from services import profiles
from services.profiles import ProfileError
from tests.world.site import Site
from webapp.cli.profile import judge
from webapp.journey.registry import known_steps

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 32"><path fill="{}" d="M0 0h96v32z"/></svg>'
MakeSite = Callable[..., Site]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of an insurer's own."""
    profiles.copy("mygenerali", tmp_path / "own")
    return tmp_path / "own"


def test_the_logo_stands_in_place_of_the_name(folder: Path, make_site: MakeSite) -> None:
    (folder / "logo.svg").write_text(SVG.format("#123456"), "utf-8")
    site = make_site(profile=str(folder))
    page = site.visitor().open("/belepes")
    (image,) = page.root.all("img")
    assert image["alt"] == site.parts.profile.texts.facts("hu")["insurer"]
    assert (image["width"], image["height"]) == ("96", "32")
    assert image["class"] == ""
    answer = site.app.test_client().get(image["src"])
    assert answer.mimetype == "image/svg+xml"
    assert answer.text == SVG.format("#123456")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "immutable" in answer.headers["Cache-Control"]
    assert site.app.test_client().get("/brand-00000000.svg").status_code == 404


def test_dark_pages_have_a_logo_of_their_own(folder: Path, make_site: MakeSite) -> None:
    (folder / "logo.svg").write_text(SVG.format("#123456"), "utf-8")
    (folder / "logo-dark.svg").write_text(SVG.format("#abcdef"), "utf-8")
    page = make_site(profile=str(folder)).visitor().open("/belepes")
    assert [image["class"] for image in page.root.all("img")] == ["on-light", "on-dark"]


def test_the_sheet_shows_one_of_two_logos(folder: Path, make_site: MakeSite) -> None:
    (folder / "logo.svg").write_text(SVG.format("#123456"), "utf-8")
    alone = make_site(profile=str(folder))
    assert "on-dark" not in _sheet(alone)
    (folder / "logo-dark.svg").write_text(SVG.format("#abcdef"), "utf-8")
    both = make_site(profile=str(folder))
    assert ".brand .on-dark" in _sheet(both)


def _sheet(site: Site) -> str:
    browser = site.app.test_client()
    return browser.get(re.findall(r'"(/brand-\w+\.css)"', browser.get("/belepes").text)[0]).text


def test_a_template_of_the_folder_takes_the_place_of_ours(folder: Path, make_site: MakeSite) -> None:
    (folder / "templates" / "steps").mkdir(parents=True)
    ours = (Path("webapp/templates/steps/identify.html")).read_text("utf-8")
    own = ours.replace("{% block main %}", "{% block main %}<!-- of the insurer -->", 1)
    (folder / "templates" / "steps" / "identify.html").write_text(own, "utf-8")
    assert "<!-- of the insurer -->" in make_site(profile=str(folder)).visitor().open().html


def test_a_step_that_does_not_load_is_named(folder: Path) -> None:
    (folder / "steps").mkdir()
    (folder / "steps" / "broken.py").write_text("import nothing_of_this_name\n", "utf-8")
    with pytest.raises(ProfileError, match=r"steps/broken\.py cannot be loaded: No module named"):
        known_steps(profiles.load(str(folder)))
    assert any("steps/broken.py" in str(problem) for problem in judge(str(folder)))


def test_a_step_is_read_again_and_belongs_to_its_insurer_alone(folder: Path) -> None:
    (folder / "steps").mkdir()
    file = folder / "steps" / "own.py"
    step = 'from webapp.journey.step import Step\n\n\nclass Own(Step):\n    name = "own"\n    fact = "{}"\n'
    file.write_text(step.format("first"), "utf-8")
    profile = profiles.load(str(folder))
    assert known_steps(profile)["own"].fact == "first"
    file.write_text(step.format("second one"), "utf-8")
    assert known_steps(profile)["own"].fact == "second one"
    assert "own" not in known_steps(profiles.load("mygenerali"))


def test_a_step_without_template_or_name_is_found_before_customers_meet_it(folder: Path) -> None:
    (folder / "steps").mkdir()
    step = 'from webapp.journey.step import Step\n\n\nclass Own(Step):\n    name = "own-one"\n    fact = "own"\n'
    (folder / "steps" / "own_one.py").write_text(step, "utf-8")
    file = folder / "profile.toml"
    journey = re.sub(r'^(journey = \[.*)"password"', r'\1"own-one", "password"', file.read_text("utf-8"), flags=re.M)
    file.write_text(journey, "utf-8")
    said = " ".join(f"{problem} {problem.mend}" for problem in judge(str(folder)))
    assert "has no template Write templates/steps/own_one.html" in said
    assert "has no text step.own_one in “hu”" in said
