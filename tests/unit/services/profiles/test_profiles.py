"""Profiles: what ships loads, and what is wrong in an insurer's own file is said in a plain sentence."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services import profiles
from services.profiles import ProfileError, load
from services.profiles.contrast import contrast
from tests.world.world import PROFILE

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
        ("minutes = 60", "minutes = 1", "registration.minutes: 1 is too little: 5 is the least"),
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
        (
            '20:00"\ncontact_url', '20:00"\ncontact',
            "facts.en: the texts need contact_url\nfacts.en.contact: no text uses this",
        ),
        ('"2026-1"', '"2031-1"', "terms: the text of version 2031-1 is missing: terms/2031-1.hu.html"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_plainly(draft: Draft, old: str, new: str, sentence: str) -> None:
    draft.change(old, new)
    assert draft.error() == sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("minutes = 60", 'minutes = "soon"', "registration.minutes: “soon” is not a whole number"),
        ("hours_in_all = 24", "hours_in_all = 1.5", "registration.hours_in_all: 1.5 is not a whole number"),
        ("radius = 14", "radius = 99", "brand.radius: 99 is too much: 32 is the most"),
        ("sms_price = 18.5", "sms_price = 0", "messages.sms_price: 0 is too little: it is more than 0"),
        ("sms_price = 18.5", 'sms_price = "dear"', "messages.sms_price: “dear” is not a number"),
        ("special = true", 'special = "perhaps"', "password.special: “perhaps” is not true or false"),
        ('["hu", "en"]', '"hu"', "languages: “hu” is not a list"),
        ('["hu", "en"]', "[]", "languages: is too short: 1 is the least"),
        ('["hu", "en"]', "[1]", "languages.0: 1 is not a text"),
        ("{ policy_number = { digits = 9 } }", "9", "identification.identifiers: 9 is not a table"),
        ("{ digits = 9 }", "9", "identification.identifiers.policy_number: 9 is not a table"),
        ("{ policy_number =", "{ shoe_size =", "identification.identifiers.shoe_size: “shoe_size” is not one of "),
        ('["birth_date"]', '["shoe_size"]', "identification.asks.person.0: “shoe_size” is not one of 'birth_date',"),
        ("2026-01-01", '"soon"', "terms.0.in_force_from: “soon” is not a day"),
        ('"2026-1"', '"a b"', "terms.0.version: “a b” is not the name of a version, such as 2026-1"),
        ('"#0d5c63"', '"green"', "brand.brand: “green” is not a colour, such as #0d5c63"),
        ('"HUF"', '"forint"', "messages.currency: “forint” is not a currency; write three capitals, such as HUF"),
        ('"HU"', '"XX"', "country: “XX” is not a country; write two capitals, such as HU"),
        ('"mygenerali"', '"My"', "name: “My” is not a name"),
        ('"https://www.generali.hu/adatkezeles"', '"adatkezeles"', "contact.privacy_url: “adatkezeles” is not an addr"),
        ("ugyfelszolgalat@generali.example", "ugyfelportal", "contact.mail_from: “ugyfelportal” is not an email addr"),
        ("ugyfelszolgalat@generali.example", "ügyfél@generali.hu", "contact.mail_from: “ügyfél@generali.hu” is not a"),
        ("ugyfelszolgalat@generali.example", " a@generali.hu", "contact.mail_from: “ a@generali.hu” is not an email "),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_said_in_words_of_our_own(draft: Draft, old: str, new: str, sentence: str) -> None:
    draft.change(old, new)
    assert draft.error().startswith(sentence)


def test_colours_may_be_written_in_capitals(draft: Draft) -> None:
    draft.change("#0d5c63", "#0D5C63")
    assert load(str(draft.file)).brand.brand == "#0d5c63"


WORDING = "[facts.hu]"


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("start.need.policy", "{phon}", "nothing fills the placeholder {phon} in this text"),
        ("start.need.policy", "{reference}", "nothing fills the placeholder {reference} in this text"),
        ("mail.confirm.subject", "{nincs}", "nothing fills the placeholder {nincs} in this text"),
        ("start.need.policy", "{phone", "a brace stands alone; a brace that is to be read is written twice"),
        ("start.need.policy", "100 %}", "a brace stands alone; a brace that is to be read is written twice"),
        ("start.need.policy", "{}", "“{}” is no placeholder"),
        ("start.need.policy", "{phone!r}", "“{phone}” is no placeholder"),
        ("start.need.policy", "{phone.real}", "“{phone.real}” is no placeholder"),
        ("start.need.policy", " ", "is empty"),
        ("emial.title", "x", "there is no text with this key"),
        ("mail.confirm.subject", "egy\\nkét", "is not one line of visible letters"),
        ("sms.code", "{insurer_sms}: 1234\\n@{host}", "the text lacks {code}, for which it is sent"),
        ("sms.code", "{code}", "the text lacks {host}, for which it is sent"),
        ("mail.activation.text", "Aktiválja fiókját.", "the text lacks {code}, for which it is sent"),
        ("sms.code", "{code} @{host}", "its last line is not the one by which phones offer the code"),
        ("sms.read_back", "{code}: ő", "is sent in several parts: GSM-7 lacks ő"),
        ("sms.read_back", "{code}" + "x" * 160, "the text message sms.read_back is sent in 2 parts with it"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_said_does_not_start(draft: Draft, key: str, text: str, sentence: str) -> None:
    draft.change(WORDING, f'[wording.hu]\n"{key}" = "{text}"\n\n{WORDING}')
    assert draft.error() == f"wording.hu.{key}: {sentence}"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("start.need.policy", "{phone_as} {{így}} {portal} {hours}"),
        ("mail.confirm.subject", "{Az_insurer}: {time}-ig"),
        ("sms.code", "Az {code}, {time}-ig.\\n@{host} #{code}"),
    ],
)
def test_a_text_may_hold_what_is_filled_in_it(draft: Draft, key: str, text: str) -> None:
    draft.change(WORDING, f'[wording.hu]\n"{key}" = "{text}"\n\n{WORDING}')
    assert load(str(draft.file)).texts.template(key, "hu", {}).startswith(text[:4])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "Jövő Biztosító",
            "makes each text message several parts: GSM-7, the letters that fit 160 to one, lacks ő, í, ó",
        ),
        ("N" * 40, "the text message sms.code is sent in 2 parts with it"),
        ("Két\\nsor", "is not one line of visible letters"),
    ],
)
def test_the_insurers_name_keeps_a_text_message_in_one_part(draft: Draft, name: str, sentence: str) -> None:
    draft.change(f'insurer_sms = "Generali"\n{ENDING}', f'insurer_sms = "{name}"\n{ENDING}')
    assert draft.error().splitlines()[0] == f"facts.hu.insurer_sms: {sentence}"


ENDING = 'phone_ending = "-as"'


def test_terms_that_are_not_in_force_yet_do_not_start(draft: Draft) -> None:
    draft.change("2026-01-01", "2126-01-01")
    assert draft.error().startswith("terms.0.in_force_from: no version is in force: the first begins on 2126-01-01")
    midnight = datetime(2125, 12, 31, 23, tzinfo=UTC)  # in Budapest
    assert load(str(draft.file), now=midnight).terms[0].version == "2026-1"
    with pytest.raises(ProfileError, match="no version is in force"):
        load(str(draft.file), now=midnight - timedelta(seconds=1))


def test_a_notice_that_is_not_in_force_yet_does_not_start(draft: Draft) -> None:
    shutil.copytree(SHIPPED / "allianz" / "notice", draft.file.parent / "notice")
    notice = '[[notice]]\nversion = "2026-1"\nin_force_from = 2126-01-01'
    draft.change(WORDING, f"{notice}\n\n{WORDING}")
    assert draft.error().startswith("notice.0.in_force_from: no version is in force")


def test_a_version_stands_once_and_can_be_read(draft: Draft) -> None:
    second = '[[terms]]\nversion = "2026-1"\nin_force_from = 2026-02-01'
    draft.change(WORDING, f"{second}\n\n{WORDING}")
    assert draft.error() == "terms.1.version: there are two versions 2026-1"
    draft.change(f"{second}\n\n", "")
    (draft.file.parent / "terms" / "2026-1.en.html").write_bytes("<p>Jövő</p>".encode("cp1250"))
    assert draft.error() == "terms.0.version: terms/2026-1.en.html cannot be read"


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="There is no profile"):
        load(str(tmp_path))


def test_a_file_that_is_no_toml(draft: Draft) -> None:
    draft.file.write_text("name = mygenerali", "utf-8")
    assert "line 1" in draft.error()
    draft.file.write_bytes('name = "Jövő"'.encode("cp1250"))
    assert "utf-8" in draft.error()


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
