"""Papers are tagged PDF files that say what they were given, whatever it is."""

from datetime import UTC, datetime

import pytest

from services import profiles
from services.pdf import Events, Facts, Fine, Heading, Items, Letterhead, Paper, Sums, Text, typeset
from services.pdf.paper import Block
from tests.world.papers import faults_of, language_of, text_of

AT = datetime(2026, 11, 20, 9, 2, 11, tzinfo=UTC)
GENERALI = profiles.load("mygenerali")
EVERYTHING: tuple[Block, ...] = (
    Text("Tisztelt Ügyfelünk!"),
    Heading("Az összeg"),
    Facts([("Típus", "Díjbekérő"), ("Kelte", "2026. november 20.")]),
    Sums(["Tétel", "Összeg"], [["Éves díj", "24 900 Ft"], ["Adó", "5 700 Ft"]], ["Összesen", "30 600 Ft"]),
    Events([("9:02:11", "Közzétéve"), ("9:03:04", "Értesítés átvéve")]),
    Items(["Első", "Második"]),
    Fine("Apró betűk"),
)


def _paper(*blocks: Block, language: str = "hu", title: str = "Díjbekérő") -> Paper:
    head = Letterhead.of(GENERALI, language)
    return Paper(language, title, head, blocks, recipient=["Kovács Anna", "1066 Budapest"], aside=["Szám: 1"])


def test_a_paper_of_every_kind_of_block_is_pdf_ua() -> None:
    assert faults_of(typeset(_paper(*EVERYTHING), AT)) == []


@pytest.mark.parametrize("name", ["allianz", "generali-sk", "genertel", "mygenerali"])
def test_every_profile_has_a_letterhead(name: str) -> None:
    profile = profiles.load(name)
    for language in profile.languages:
        paper = Paper(language, "A", Letterhead.of(profile, language), [Text("b")])
        made = typeset(paper, AT)
        assert profile.facts[language]["insurer"] in text_of(made)
        assert faults_of(made) == []


def test_it_says_what_it_was_given_in_order() -> None:
    words = text_of(typeset(_paper(*EVERYTHING), AT))
    wanted = [
        "Szám: 1", "Kovács Anna", "1066 Budapest", "Díjbekérő", "Tisztelt Ügyfelünk!", "Az összeg", "Típus",
        "Tétel", "Éves díj", "24 900 Ft", "Összesen", "9:02:11", "Közzétéve", "Második", "Apró",
    ]  # fmt: skip
    places = [words.find(one) for one in wanted]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(
    "letters", ["árvíztűrő tükörfúrógép ÁRVÍZTŰRŐ", "ľščťžýáíéúäňôĺŕď ĽŠČŤŽŇĹŔĎ", "Иван – „a” ’ … €"]
)
def test_the_letters_of_its_languages_are_there(letters: str) -> None:
    assert letters in text_of(typeset(_paper(Text(letters)), AT))


def test_its_language_is_set() -> None:
    assert language_of(typeset(_paper(Text("x"), language="en"), AT)) == "en"


@pytest.mark.parametrize(
    "hostile",
    [
        '#panic("x")', "#read(\"/etc/passwd\")", "*bold* _low_ $x^2$ `raw` <label> @ref", "= Heading", "#let a = 1; #a",
        '"}]}', "\\u{41}", "https://example.hu", "// comment", "/* comment */ after", "[#sys.inputs]",
    ],
)  # fmt: skip
def test_what_it_says_is_never_markup(hostile: str) -> None:
    made = typeset(_paper(Text(hostile), Facts([(hostile, hostile)]), Items([hostile]), title=hostile), AT)
    assert text_of(made).count(hostile) == 5


@pytest.mark.parametrize("sign", ["日", "😀", "\ud800", "\x00", "\x07", "\ufeff", "\u202e"])
def test_signs_without_a_shape_do_not_stop_a_letter(sign: str) -> None:
    made = typeset(_paper(Text(f"Kovács{sign} Anna")), AT)
    assert faults_of(made) == []
    assert text_of(made).count("Kovács") == 2
    assert sign not in text_of(made)


def test_a_long_paper_has_several_pages() -> None:
    made = typeset(_paper(*[Text("Egy bekezdés, amely újra és újra ugyanazt mondja. " * 8)] * 20), AT)
    assert faults_of(made) == []
    assert "2 / 3" in text_of(made)


def test_the_same_paper_at_the_same_time_is_the_same_file() -> None:
    assert typeset(_paper(*EVERYTHING), AT) == typeset(_paper(*EVERYTHING), AT)
    assert typeset(_paper(*EVERYTHING), AT) != typeset(_paper(Text("else")), AT)


def test_a_language_that_the_insurer_does_not_speak_gets_its_first_letterhead() -> None:
    assert Letterhead.of(GENERALI, "sk") == Letterhead.of(GENERALI, "hu")


@pytest.mark.parametrize("words", range(6, 12))
def test_a_number_is_never_parted_at_its_hyphen(words: int) -> None:
    number = "HdIQh6aNn-wZUhf-ttBpwg"
    assert number in text_of(typeset(_paper(Text(f"{'Customer ' * words}{number}")), AT))
