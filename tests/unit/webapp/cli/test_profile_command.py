"""`belepo profile`: what it prints, what it finds wrong in a file, and the picture of the documentation."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from services import profiles
from services.profiles import load
from services.profiles.standards import departures, guessing_chance
from webapp.cli import rehearsal
from webapp.cli.main import main
from webapp.demo.states import STATES

SHIPPED = Path(profiles.__file__).parent
ROOT = SHIPPED.parents[1]
NAMES = ["mygenerali", "allianz", "genertel", "generali-sk"]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["profile", *arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.output


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_has_nothing_wrong(name: str) -> None:
    code, output = run("check", str(SHIPPED / name / "profile.toml"))
    assert (code, output.endswith("nothing is wrong with it.\n")) == (0, True), output


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("minutes = 60", "minutes = 60\nhuors = 1", ["registration.huors: there is no such setting", "Take it out"]),
        ("tries = 3", "triess = 3", ["one_time_code.triess", "Write “tries”", "one_time_code.tries: is missing"]),
        ('"sms-code"', '"sms-kode"', ["there is no step “sms-kode”", "Did you mean “sms-code”?"]),
        ('"mobile", "sms-code"', '"sms-code", "mobile"', ["“sms-code” cannot come before “mobile”", "put “mobile”"]),
        ('"email", "email-sent"', '"email-sent", "email"', ["“email-sent” cannot come before “email”"]),
        (', "email-sent"', "", ["nobody proves the address"]),
        ('"terms", "password"', '"password", "terms"', ["it ends with “password”"]),
        ('"terms"', '"email"', ["a step stands in it twice"]),
        ('["birth_date"]', '["shoe_size"]', ["identification.asks.person"]),
        ("{ digits = 9 }", "{ letters = 9 }", ["identification.identifiers.policy_number"]),
        ("[facts.hu]", '[wording.hu]\n"emial.title" = "x"\n\n[facts.hu]', ["wording.hu.emial.title", "email.title"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line_and_how_to_mend_it(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    folder = tmp_path / "own"
    shutil.copytree(SHIPPED / "mygenerali", folder)
    file = folder / "profile.toml"
    text = file.read_text("utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    file.write_text(changed, "utf-8")
    code, output = run("check", str(file))
    assert code == 1
    for word in words:
        assert word in output
    line = int(output.removeprefix(f"{file}:").partition(":")[0])
    # A setting that is missing is looked for in its table, a wrong one on its line.
    where = changed.splitlines()[line - 1]
    assert any(piece in where for piece in (*new.split("\n"), "[one_time_code]", "journey", "asks", "identifiers"))


def own(tmp_path: Path, old: str = "", new: str = "") -> Path:
    """Return the file of a profile that was begun as a copy of one that ships."""
    folder = tmp_path / "own"
    shutil.copytree(SHIPPED / "mygenerali", folder)
    file = folder / "profile.toml"
    file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        (
            "[facts.hu]", '[wording.hu]\n"start.need.policy" = "{phon}"\n\n[facts.hu]', '"start.need.policy"',
            "nothing fills the placeholder {phon} in this text\n    Write {phone} if that is meant, or take it out.",
        ),
        ("2026-01-01", "2126-01-01", "in_force_from", "\n    Add the version that is in force until then.\n"),
        ('Generali"\nphone', 'Jövő"\nphone', "insurer_sms", "insurer_sms: makes each text message several parts"),
        ("#0d5c63", "#e2974b", "[brand]", "brand #e2974b on #ffffff has a contrast of 2.4; it needs 4.5\n"),
    ],
)  # fmt: skip
def test_what_would_fail_before_a_customer_is_found_with_its_line(
    tmp_path: Path, old: str, new: str, line: str, told: str
) -> None:
    file = own(tmp_path, old, new)
    code, output = run("check", str(file))
    assert code == 1
    assert told in output
    assert "as the sentence says" not in output
    number = int(output.removeprefix(f"{file}:").partition(":")[0])
    assert file.read_text("utf-8").splitlines()[number - 1].startswith(line)


def test_every_page_is_shown_in_every_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [replace(STATES["identify"], status=status) for status in (200, 418)]
    monkeypatch.setattr(rehearsal, "known", lambda _: shown)
    file = own(tmp_path)
    code, output = run("check", "--pages", str(file))
    assert code == 1
    assert [line for line in output.splitlines() if "the page" in line] == [
        f"{file}: the page identify in {language} is answered 200, not 418" for language in ("hu", "en")
    ]
    shutil.rmtree(file.parent / "demo")
    assert "has no demo customers" in run("check", "--pages", str(file))[1]


def test_terms_copied_from_another_insurer_are_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(SHIPPED / "genertel", folder)
    file = folder / "profile.toml"
    file.write_text(file.read_text("utf-8").replace("Genertel Biztosító Zrt.", "Tisza Egyesület"), "utf-8")
    code, output = run("check", str(file))
    assert code == 1
    assert "terms/2026-1.hu.html: does not name “Tisza Egyesület”" in output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"mobile", "sms-code"', '"sms-code", "mobile"', "“sms-code” cannot come before “mobile”"),
        ("[facts.hu]", '[wording.hu]\n"start.need.policy" = "{phon}"\n\n[facts.hu]', "nothing fills the placeholder"),
        ("2026-01-01", "2126-01-01", "no version is in force"),
    ],
)
def test_a_profile_that_would_fail_before_a_customer_does_not_start(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    file = own(tmp_path, old, new)
    settings = {"BELEPO_DEMO": "1", "BELEPO_DATA_DIR": str(tmp_path), "BELEPO_PROFILE": str(file)}
    result = CliRunner().invoke(main, ["serve"], env=settings)
    assert result.exit_code == 1
    assert told in result.output


def test_rules_chance_and_departures_are_shown() -> None:
    _, output = run("show", "allianz")
    for words in ("the last 5 are enough", "1 in 11,111", "ASVS 6.5.4", "ASVS 6.2.5", "NIST 3.1.1.2", "ASVS 6.2.1"):
        assert words in output


@pytest.mark.parametrize("name", NAMES)
def test_the_hardened_values_leave_the_sms_alone_to_depart(name: str) -> None:
    profile = load(name, hardened=True)
    assert guessing_chance(profile.one_time_code) == pytest.approx(9 / 10**6)
    assert [departure.paragraphs for departure in departures(profile)] == ["ASVS 6.6.1; NIST 3.1.3.3"]
    assert profile.one_time_code.minutes == 10
    assert load(name).journey == profile.journey


def test_the_picture_of_the_journeys_is_drawn_from_the_profiles(tmp_path: Path) -> None:
    picture = tmp_path / "journeys.svg"
    assert run("draw", *NAMES, "--svg", str(picture))[0] == 0
    assert picture.read_text("utf-8") == (ROOT / "docs" / "journeys.svg").read_text("utf-8")
    assert "docs/journeys.svg" in (ROOT / "README.md").read_text("utf-8")


def test_the_journey_is_drawn_as_text() -> None:
    _, output = run("draw", "genertel")
    places = [output.index(step) for step in load("genertel").journey]
    assert places == sorted(places)


def test_what_digits_are_worth_as_a_password_is_said_where_letters_are_mailed() -> None:
    words = "One core tries all 10,000 in about a minute"
    assert words in " ".join(run("show", "generali-sk")[1].split())
    assert words not in " ".join(run("show", "mygenerali")[1].split())
