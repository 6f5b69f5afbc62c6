"""Profiles: what ships loads, and what is wrong in an insurer's own file is said in a plain sentence."""

import re
import shutil
from pathlib import Path

import pytest
from house import PROFILE

from services import profiles
from services.profiles import ProfileError, load
from services.profiles.contrast import contrast

SHIPPED = Path(profiles.__file__).parent
NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/profile.toml"))


class Draft:
    """An insurer's own profile, begun as a copy of the one that ships."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(SHIPPED / "mygenerali", folder)
        self.file = folder / "profile.toml"

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text("utf-8")
        assert text.count(old) == 1, old
        self.file.write_text(text.replace(old, new), "utf-8")

    def error(self) -> str:
        """Return the one sentence that loading says, without the file's name."""
        with pytest.raises(ProfileError) as error:
            load(str(self.file))
        first, *sentences = str(error.value).splitlines()
        assert first.startswith(str(self.file))
        assert "pydantic" not in str(error.value)
        assert "Traceback" not in str(error.value)
        return "\n".join(sentence.strip() for sentence in sentences) or first


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    return Draft(tmp_path / "own")


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_can_be_used(name: str) -> None:
    profile = load(name)
    assert profile.name == name
    assert profile.zone.key == profile.timezone
    assert profile.phone_display.replace(" ", "").replace("-", "") == profile.contact.phone


def test_an_insurers_own_file_is_loaded_by_its_path(draft: Draft) -> None:
    draft.change('portal = "MyGenerali"\naz_insurer = "a Generali"', 'portal = "Sajátom"\naz_insurer = "a Generali"')
    own = load(str(draft.file))
    assert own.folder == draft.file.parent
    assert own.texts.facts("hu")["portal"] == "Sajátom"
    assert own.texts.facts("en")["portal"] == "MyGenerali"


def test_times_are_spans() -> None:
    rules = PROFILE.registration
    spans = (rules.lifetime, rules.longest, rules.warning, rules.mail_again)
    assert [span.total_seconds() for span in spans] == [3600, 86400, 300, 60]
    code = PROFILE.one_time_code
    assert [span.total_seconds() for span in (code.lifetime, code.again, code.budget)] == [1800, 60, 86400]
    assert PROFILE.identification.wait.total_seconds() == 1800


def test_a_profile_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        PROFILE.registration.minutes = 5  # type: ignore[misc]


def test_there_is_no_such_profile() -> None:
    with pytest.raises(ProfileError, match=re.escape("nowhere")) as error:
        load("nowhere")
    assert all(name in str(error.value) for name in NAMES)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("minutes = 60", "minutes = 60\nhuors = 1", "registration.huors: there is no such setting"),
        ('name = "mygenerali"', 'nane = "mygenerali"', "name: is missing\nnane: there is no such setting"),
        ("\nhours_in_all = 24", "", "registration.hours_in_all: is missing"),
        ("minutes = 60", "minutes = 1", "registration.minutes: Input should be greater than or equal to 5"),
        ("+3614523333", "+36145", "contact.phone: +36145 is not a telephone number in the form +3612345678"),
        ("+3614523333", "hívjon!", "contact.phone: hívjon! is not a telephone number in the form +3612345678"),
        ("+3614523333", "06 1 45", "contact.phone: 06 1 45 is not a telephone number in the form +3612345678"),
        ("Europe/Budapest", "Buda", "timezone: there is no time zone “Buda”; write one like Europe/Budapest"),
        ("Europe/Budapest", "Europe", "timezone: there is no time zone “Europe”; write one like Europe/Budapest"),
        ("Europe/Budapest", "../etc", "timezone: there is no time zone “../etc”; write one like Europe/Budapest"),
        ("#0d5c63", "#e2974b", "brand: brand #e2974b on #ffffff has a contrast of 2.4; it needs 4.5"),
        ("#7fcdd0", "#0d5c64", "brand: brand_dark #0d5c64 on #0f1a1c has a contrast of 2.3; it needs 4.5"),
        ('["hu", "en"]', '["hu", "xx"]', "languages: there are no texts in “xx”"),
        ('["hu", "en"]', '["hu", "sk"]', "facts.sk is missing: what the texts in this language call the insurer"),
        ('20:00"\ncontact_url', '20:00"\ncontact', "facts.en: the texts need contact_url"),
        ('"2026-1"', '"2031-1"', "terms: the text of version 2031-1 is missing: terms/2031-1.hu.html"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_plainly(draft: Draft, old: str, new: str, sentence: str) -> None:
    draft.change(old, new)
    assert draft.error() == sentence


def test_a_file_that_is_no_toml(draft: Draft) -> None:
    draft.file.write_text("name = mygenerali", "utf-8")
    assert "line 1" in draft.error()
    draft.file.write_bytes('name = "Jövő"'.encode("cp1250"))
    assert "utf-8" in draft.error()


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
