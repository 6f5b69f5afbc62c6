"""What an insurer's own folder brings besides the profile: catalogues and a logo, judged before a start."""

from pathlib import Path

import pytest

from services import profiles
from services.profiles import ProfileError
from services.profiles.logo import UnfitLogo, read_logo

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 96 32">{}</svg>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of an insurer's own."""
    profiles.copy("mygenerali", tmp_path / "own")
    return tmp_path / "own"


def _write_texts(folder: Path, language: str = "hu", **texts: str) -> None:
    (folder / "texts").mkdir(exist_ok=True)
    entries = (f'msgid "{key.replace("__", ".")}"\nmsgstr "{text}"\n' for key, text in texts.items())
    (folder / "texts" / f"{language}.po").write_text("\n".join(entries), "utf-8")


def test_a_folder_is_named_by_itself_or_by_its_file(folder: Path) -> None:
    assert profiles.load(str(folder)) == profiles.load(str(folder / "profile.toml"))
    assert profiles.short_name(str(folder)) == profiles.short_name(str(folder / "profile.toml")) == "own"
    assert profiles.short_name("allianz") == "allianz"


def test_a_copy_goes_over_nothing(folder: Path) -> None:
    with pytest.raises(ProfileError, match="is there already"):
        profiles.copy("allianz", folder)
    with pytest.raises(ProfileError, match="no profile “nobody”"):
        profiles.copy("nobody", folder / "new")


def test_own_texts_come_before_ours_and_after_the_wording(folder: Path) -> None:
    _write_texts(folder, shell__next="Gyerünk tovább", step__salutation="Megszólítás")
    texts = profiles.load(str(folder)).texts
    assert texts.say("shell.next", "hu") == "Gyerünk tovább"
    assert texts.say("shell.next", "en") == profiles.load("mygenerali").texts.say("shell.next", "en")
    assert texts.say("step.salutation", "hu") == "Megszólítás"
    assert texts.is_known("step.salutation")
    file = folder / "profile.toml"
    file.write_text(file.read_text("utf-8") + '\n[wording.hu]\n"shell.next" = "Rajta"\n', "utf-8")
    assert profiles.load(str(folder)).texts.say("shell.next", "hu") == "Rajta"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"shell__next": "Tovább {phon}"}, "phon"),
        ({"step__own": "Rossz { kapocs"}, "a brace stands alone"),
        ({"sms__code": "Nincs benne"}, "lacks {code}"),
        ({"mail__confirm__subject": "Hol van {nincs}"}, "nothing fills the placeholder {nincs}"),
    ],
)
def test_a_text_that_cannot_be_filled_in_never_starts(folder: Path, texts: dict[str, str], said: str) -> None:
    _write_texts(folder, **texts)
    with pytest.raises(ProfileError, match=r"texts\.hu\.po") as refused:
        profiles.load(str(folder))
    assert said in str(refused.value)


def test_a_catalogue_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "texts").mkdir()
    (folder / "texts" / "hu.po").write_bytes('msgid "shell.next"\nmsgstr "Kővetkező"\n'.encode("iso-8859-2"))
    with pytest.raises(ProfileError, match="texts: cannot be read"):
        profiles.load(str(folder))


def test_a_logo_is_as_high_as_the_head_and_as_wide_as_it_is_drawn(folder: Path) -> None:
    (folder / "logo.svg").write_text(SVG.format('<g fill="url(#a)"><path d="M0 0h9z"/></g>'), "utf-8")
    (folder / "logo-dark.svg").write_text(SVG.format("<title>Tisza</title>").replace("96", "64"), "utf-8")
    light, dark = profiles.load(str(folder)).logos
    assert (light.width, light.height) == (96, 32)
    assert (dark.width, dark.height) == (64, 32)
    assert light.digest != dark.digest


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<path onload="alert(1)"/>',
        "<foreignObject><p>x</p></foreignObject>",
        '<image href="https://elsewhere.example/a.png"/>',
        '<use href="https://elsewhere.example/a.svg#b"/>',
        '<use xlink:href="//elsewhere.example/a.svg#b"/>',
        '<use href="data:image/svg+xml;base64,AAAA"/>',
        '<g fill="url(https://elsewhere.example/#a)"/>',
        "<g style=\"fill: url( '//elsewhere.example/' )\"/>",
        "<style>@import 'https://elsewhere.example/a.css';</style>",
        "<style>g{background:url(//elsewhere.example/x)}</style>",
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<a href="javascript:alert(1)"><path/></a>',
        '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
    ],
)
def test_a_logo_that_runs_or_loads_something_is_refused(folder: Path, inside: str) -> None:
    (folder / "logo.svg").write_text(SVG.format(inside), "utf-8")
    with pytest.raises(ProfileError, match=r"logo\.svg"):
        profiles.load(str(folder))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no picture", "is no SVG"),
        ("<html/>", "is no SVG"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "DOCTYPE"),
        (SVG.format("").replace("0 0 96 32", "0 0 96 0"), "viewBox"),
        (SVG.format("").replace("96", "960"), "times as wide"),
        (SVG.format(" " * 70_000), "bytes"),
    ],
)
def test_a_file_that_is_no_logo_says_why(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "logo.svg"
    file.write_text(content, "utf-8")
    with pytest.raises(UnfitLogo, match=said):
        read_logo(file)


def test_shipped_profiles_have_nothing_of_this() -> None:
    assert profiles.load("mygenerali").logos == ()
    assert profiles.load("mygenerali").own_texts == {}
