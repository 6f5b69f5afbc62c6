"""All letters as a ZIP (P22)."""

import hashlib
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.world.cast import ANNA, MINTA
from tests.world.letters import publish
from tests.world.pdfs import pdf
from tests.world.site import Site, Visitor
from webapp.demo.states.reading import values_of


def _packed(visitor: Visitor, query: str = "") -> ZipFile:
    answer = visitor.client.get(f"/levelezes/archivum{query}")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return ZipFile(BytesIO(answer.data))


def test_it_holds_all_letters_their_list_and_their_hashes(anna: Visitor, site: Site) -> None:
    letters = [publish(site, content=pdf(f"letter {number}")) for number in range(23)]
    publish(site, MINTA)
    withdrawn = publish(site, title="<Visszavont>")
    site.parts.portal.letters.publishing.withdraw(withdrawn, "Téves", actor="insurer")
    before = site.rows("letter_events")
    packed = _packed(anna)
    files = [name for name in packed.namelist() if name.endswith(".pdf")]
    assert {packed.read(name) for name in files} == {pdf(f"letter {number}") for number in range(23)}
    listed = json.loads(packed.read("letters.json"))
    assert [one["id"] for one in listed if one["file"]] == letters[::-1]
    assert [one["id"] for one in listed if not one["file"]] == [withdrawn]
    sums = dict(line.split("  ")[::-1] for line in packed.read("SHA256SUMS").decode().splitlines())
    assert sums == {
        name: hashlib.sha256(packed.read(name)).hexdigest() for name in packed.namelist() if name != "SHA256SUMS"
    }
    index = packed.read("index.html").decode()
    assert all(f'href="{name}"' in index for name in files)
    assert "&lt;Visszavont&gt;" in index
    assert f". Ügyfél-azonosító: {ANNA.kutid}." in index
    assert site.rows("letter_events") == before, "nothing counts as opened"


def test_it_can_begin_with_a_day(anna: Visitor, site: Site) -> None:
    publish(site, content=pdf("old"))
    site.advance(hours=72)
    anna.sign_in()
    publish(site, content=pdf("new"))
    since = site.now.astimezone(site.parts.profile.zone).date()
    packed = _packed(anna, f"?since={since}")
    assert [packed.read(name) for name in packed.namelist() if name.endswith(".pdf")] == [pdf("new")]
    assert len(json.loads(_packed(anna, "?since=").read("letters.json"))) == 2
    assert anna.client.get("/levelezes/archivum?since=tegnap").status_code == 400


def test_a_damaged_letter_is_left_out_and_named(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(storage_url=f"folder:{tmp_path / 'files'}")
    site.open_account()
    anna = site.visitor()
    anna.sign_in()
    publish(site)
    (stored,) = [one for one in (tmp_path / "files").rglob("*") if one.is_file()]
    stored.write_bytes(b"something else")
    packed = _packed(anna)
    assert [one["file"] for one in json.loads(packed.read("letters.json"))] == [None]
    assert site.say("archive.index.damaged") in packed.read("index.html").decode()


@pytest.mark.parametrize("address", ["/levelezes", "/levelezes/archivum", "/levelezes/x/fajl", "/levelezes/x/igazolas"])
def test_who_is_signed_out_is_asked_to_sign_in(site: Site, address: str) -> None:
    page = site.visitor().open(address)
    assert page.step == "login"
    assert values_of(page.form("login"))["next"] == address


def test_with_the_storage_away_it_is_a_page(anna: Visitor, site: Site) -> None:
    publish(site)
    site.ask("/dev/faults", name="storage", **{"for": "60"})
    answer = anna.client.get("/levelezes/archivum")
    assert answer.status_code == 503
    assert site.say("fault.storage.heading") in answer.text
    site.advance(seconds=61)
    assert _packed(anna).namelist()
