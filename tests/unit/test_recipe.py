"""The tutorial “Your first insurer”, to the letter, with the installed wheel: a new step, its texts, and a logo."""

import re
from pathlib import Path

from tests import ROOT
from tests.world.cast import Customer
from tests.world.over_http import HttpVisitor, served
from tests.world.wheel import Installed

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_ANNA = Customer(
    "G10000001",
    "+36201234567",
    fields={
        "customer_number": "G10000001",
        "holder_type": "person",
        "birth_date": "1985-03-14",
        "postal_code": "1066",
    },
    profile="genertel",
    email="anna@example.hu",
)


def test_the_tutorial_makes_an_insurer(installed: Installed, tmp_path: Path) -> None:
    tutorial = (ROOT / "docs" / "tutorials" / "first-insurer.md").read_text("utf-8")
    fences = _FENCE.findall(tutorial)
    blocks = {kind: text for kind, text in fences if kind != "sh"}
    copy, check, serve = (text for kind, text in fences if kind == "sh")
    own = tmp_path / "tisza"
    before = _files(installed)
    # 1: a copy, with the values changed that the block names.
    _shell(installed, tmp_path, copy, own)
    profile = own / "profile.toml"
    text = profile.read_text("utf-8")
    for line in blocks["toml"].splitlines():
        if name := re.match(r"(\w+) = ", line):
            text, count = re.subn(rf"^{name[1]} = .*$", lambda _, line=line: line, text, count=1, flags=re.M)
            assert count == 1, line
    profile.write_text(text, "utf-8")
    # 2–5: the step, its template, its texts, the logo, where the tutorial says.
    for kind, pattern in (
        ("python", r"steps/\w+\.py"),
        ("html", r"templates/steps/\w+\.html"),
        ("po", r"texts/hu\.po"),
        ("po", r"texts/en\.po"),
        ("svg", r"logo\.svg"),
    ):
        place = own / re.findall(f"`({pattern})`", tutorial)[0]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(blocks[kind], "utf-8")
    # 6: checked, and served.
    assert "nothing is wrong" in _shell(installed, tmp_path, check, own)
    assert "BELEPO_PROFILE=/srv/tisza belepo serve" in serve
    with served(installed, tmp_path, PROFILE=str(own)) as server:
        visitor = HttpVisitor(server, _ANNA)
        visitor.walk_to("salutation")
        assert "Hogyan sz\u00f3l\u00edthatjuk? *" in visitor.html
        visitor.send()
        assert visitor.step == "salutation"
        assert "\u00cdrja be, hogyan" in visitor.html
        visitor.send(salutation="Anna")
        visitor.walk_to("done")
        assert "#1f5f3a" in visitor.text_of(re.findall(r'"(/brand-\w+\.css)"', visitor.html)[0])
        assert visitor.text_of(re.findall(r'src="(/brand-\w+\.svg)"', visitor.html)[0]) == blocks["svg"]
    # Nothing of the insurer is in the installed product.
    assert _files(installed) == before


def _files(installed: Installed) -> set[Path]:
    return {file for file in installed.folder.rglob("*") if file.is_file() and file.suffix != ".pyc"}


def _shell(installed: Installed, folder: Path, lines: str, own: Path) -> str:
    """Run the tutorial's lines, with the insurer's folder where this test keeps it."""
    done = installed.run("bash", "-euc", lines.replace("/srv/tisza", str(own)), folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
