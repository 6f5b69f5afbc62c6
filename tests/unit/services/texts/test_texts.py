"""Texts: every one can be filled in every language of every profile, and plural forms are the language's own."""

from pathlib import Path
from string import Formatter

import pytest
from babel import Locale
from babel.messages.pofile import read_po

from services import profiles, texts
from services.profiles import load
from services.texts import Texts
from tests.world.world import PROFILE

CATALOGUES = {path.stem: path for path in (Path(texts.__file__).parent / "catalogues").glob("*.po")}
NAMES = sorted(path.parent.name for path in Path(profiles.__file__).parent.glob("*/profile.toml"))
SPOKEN = [(name, language) for name in NAMES for language in load(name).languages]


def entries(language: str) -> dict[str, str]:
    with CATALOGUES[language].open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_a_catalogue_has_no_empty_text_and_names_every_placeholder(language: str) -> None:
    for key, text in entries(language).items():
        assert text.strip() == text != "", key
        assert all(name.isidentifier() for name in placeholders(text)), key


@pytest.mark.parametrize(("name", "language"), SPOKEN)
def test_every_text_can_be_filled_in_every_language_of_a_profile(name: str, language: str) -> None:
    spoken = load(name).texts
    # What callers give; the rest is the profile's own and must be in it.
    given = placeholders_of_callers(language)
    for key in {key for known in (language, "en", "hu") for key in entries(known)}:
        said = spoken.say(key, language, **given)
        assert said, key
        assert "{" not in said, key


def placeholders_of_callers(language: str) -> dict[str, object]:
    known = set().union(*(placeholders(text) for code in CATALOGUES for text in entries(code).values()))
    return dict.fromkeys(known - set(PROFILE.texts.facts("hu")), 2)


OF_STAFF = (
    "staff.", "worklist.", "funnel.", "api.", "error.staff_login.", "error.identified_by.", "error.reason.",
    "error.search.", "error.more.", "error.period.", "error.sms_budget.", "error.customers.", "error.due_on.",
    "error.note.", "money.", "error.invoice_number.",
)  # fmt: skip
"""What the texts begin with that only members of staff and programs meet: in Hungarian and English."""


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_customers_are_spoken_to_in_every_language_and_staff_in_two(language: str) -> None:
    wanted = {family(key) for code in CATALOGUES for key in entries(code)}
    if language not in ("hu", "en"):
        wanted = {stem for stem in wanted if not f"{stem}.".startswith(OF_STAFF)}
    assert sorted(wanted - {family(key) for key in entries(language)}) == []


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_a_text_with_a_number_has_one_form_or_all_that_its_language_has(language: str) -> None:
    needed = {Locale.parse(language).plural_form(number) for number in range(200)}
    forms: dict[str, set[str]] = {}
    for key in entries(language):
        if (stem := family(key)) != key:
            forms.setdefault(stem, set()).add(key.removeprefix(f"{stem}."))
    incomplete = {stem: had for stem, had in forms.items() if had - {"none"} not in ({"other"}, needed, set())}
    assert incomplete == {}


@pytest.mark.parametrize("language", sorted(set(CATALOGUES) - {"hu"}))
def test_a_translation_asks_for_no_fact_that_the_original_does_not_give(language: str) -> None:
    facts = set(PROFILE.texts.facts("hu"))
    offered: dict[str, set[str]] = {}
    for key, text in entries("hu").items():
        offered.setdefault(family(key), set()).update(placeholders(text))
    for key, text in entries(language).items():
        if family(key) in offered:
            assert placeholders(text) - facts - {"birth_number"} <= offered[family(key)], key


def family(key: str) -> str:
    """Return the key that a text's plural forms share."""
    stem, _, form = key.rpartition(".")
    return stem if form in ("none", "one", "few", "many", "other") else key


@pytest.mark.parametrize("language", PROFILE.languages)
def test_every_refusal_of_the_services_has_its_text(language: str) -> None:
    errors = [
        "identify.mismatch", "identify.slowed", "identify.slowed.with_id", "identify.wait", "email.taken",
        "email.too_many", "email.resend_too_early", "email.empty", "email.malformed", "email.domain",
        "mobile.not_on_record", "mobile.empty", "mobile.malformed", "mobile.landline", "mobile.foreign",
        "sms_resend.too_early", "sms_code.wrong", "sms_code.expired", "sms_code.none_sent", "terms.not_opened",
        "terms.replaced", "password.too_short", "password.too_long", "password.common", "password.like_email",
        "password.like_record",
    ]  # fmt: skip
    for key in errors:
        assert PROFILE.texts.has(f"error.{key}", language), key
    for kind in ("already_registered", "link_expired", "codes_used_up"):
        assert PROFILE.texts.has(f"dead_end.{kind}.heading", language), kind
        assert PROFILE.texts.has(f"dead_end.{kind}.text", language), kind


def test_a_number_chooses_its_form() -> None:
    said = {
        (language, number): PROFILE.texts.say("error.sms_code.wrong", language, tries=number)
        for language in ("hu", "en")
        for number in (0, 1, 2)
    }
    assert len({said["en", number] for number in (0, 1, 2)}) == 3
    assert said["hu", 1].replace("1", "2") == said["hu", 2]  # Hungarian has one form
    assert said["hu", 0] != said["hu", 1].replace("1", "0")  # but a word of its own for none


def test_slovak_has_three_forms() -> None:
    slovak = Texts(("sk",), {"sk": {}}, {"sk": {"t.one": "{n} deň", "t.few": "{n} dni", "t.other": "{n} dní"}})
    assert [slovak.say("t", "sk", n=n) for n in (1, 2, 4, 5, 21)] == ["1 deň", "2 dni", "4 dni", "5 dní", "21 dní"]


def test_a_profiles_wording_comes_before_the_catalogue() -> None:
    worded = Texts(("hu", "en"), {"hu": {}, "en": {}}, {"hu": {"shell.change": "Étlap"}})
    assert worded.say("shell.change", "hu") == "Étlap"
    assert worded.say("shell.change", "en") == PROFILE.texts.say("shell.change", "en")


def test_a_text_that_a_language_lacks_is_said_in_another() -> None:
    missing = next(key for key, text in entries("en").items() if key not in entries("sk") and not placeholders(text))
    slovak = Texts(("sk",), {"sk": {}}, {})
    assert slovak.has(missing, "sk")
    assert slovak.say(missing, "sk") == entries("en")[missing]


def test_an_unknown_key_is_an_error() -> None:
    assert not PROFILE.texts.has("no.such.text", "hu")
    with pytest.raises(KeyError, match=r"no\.such\.text"):
        PROFILE.texts.say("no.such.text", "hu")


def test_a_missing_fact_is_an_error() -> None:
    with pytest.raises(KeyError, match="reference"):
        PROFILE.texts.say("shell.reference", "hu")
