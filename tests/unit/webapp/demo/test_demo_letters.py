"""What letters a demonstration begins with: contract, "the demo data set"."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.letters.mailbox import LetterFilter
from tests.world.cast import ANNA, LAPTOP, PASSWORD
from tests.world.papers import faults_of, language_of, text_of
from tests.world.site import Site
from webapp.demo.letters import add_letters

THREE = ["policy", "certificate", "payment_request"]
LASZLO, ILONA, PETER = "10000007", "10000004", "10000003"


@pytest.fixture
def seeded(site: Site) -> Site:
    """The demonstration with its letters."""
    add_letters(site.parts.base, site.parts.portal.storage)
    return site


def _letters(site: Site, kutid: str) -> list[Any]:
    own = [row for row in site.rows("letters") if row.kutid == kutid]
    return sorted(own, key=lambda row: row.published_at)


def _content(site: Site, letter: Any) -> bytes:
    return b"".join(site.parts.portal.storage.get(f"letters/{letter.sha256}").chunks)


def _events(site: Site, letter: Any) -> list[str]:
    found = [row for row in site.rows("letter_events") if row.letter_id == letter.id]
    return [row.type for row in sorted(found, key=lambda row: row.at)]


def test_each_of_the_crowd_has_three_letters_of_which_the_oldest_is_opened(seeded: Site) -> None:
    own: dict[str, list[Any]] = {}
    for row in sorted(seeded.rows("letters"), key=lambda row: row.published_at):
        own.setdefault(row.kutid, []).append(row)
    for number in range(10000101, 10000601):
        found = own[str(number)]
        assert [row.type for row in found] == THREE
        assert [row.opened_at is not None for row in found] == [True, False, False]
        assert all(row.policy_number == f"9401{number % 100000:05}" for row in found)


def test_their_events_are_those_of_letters_that_were_published(seeded: Site) -> None:
    policy, certificate, _ = _letters(seeded, "10000101")
    assert _events(seeded, policy) == ["published", "notified", "opened"]
    assert _events(seeded, certificate) == ["published", "notified"]


def test_anna_has_forty_letters_over_three_years(seeded: Site) -> None:
    found = _letters(seeded, ANNA.kutid)
    assert len(found) == 40
    assert timedelta(days=900) < found[-1].published_at - found[0].published_at < timedelta(days=3 * 366)
    assert {row.type for row in found} >= {*THREE, "notice"}
    assert 0 < sum(row.opened_at is None for row in found) < 10
    assert all(row.published_at < seeded.now for row in found)


def test_she_finds_them_in_her_mailbox(seeded: Site) -> None:
    seeded.open_account()
    sign_ins = seeded.parts.accounts.sign_ins
    session = sign_ins.resume(sign_ins.sign_in(ANNA.address.key, PASSWORD, LAPTOP))
    assert session
    page = seeded.parts.portal.letters.mailbox.page(session, LetterFilter())
    assert len(page.letters) == 20
    assert page.older


def test_ilona_has_none(seeded: Site) -> None:
    assert _letters(seeded, ILONA) == []


def test_laszlo_has_one_withdrawn_and_one_replaced(seeded: Site) -> None:
    found = _letters(seeded, LASZLO)
    (withdrawn,) = (row for row in found if row.withdrawn_at)
    (old,) = (row for row in found if row.replaced_by)
    (new,) = (row for row in found if row.replaces)
    assert withdrawn.withdrawn_reason
    assert "withdrawn" in _events(seeded, withdrawn)
    assert (old.replaced_by, new.replaces) == (new.id, old.id)
    assert "replaced" in _events(seeded, old)
    assert _content(seeded, old) != _content(seeded, new)


def test_nobody_is_asked_for_the_premium_of_a_contract_that_has_ended(seeded: Site) -> None:
    assert [row.type for row in _letters(seeded, PETER)] == ["policy", "certificate", "notice"]


@pytest.mark.parametrize("profile", ["mygenerali", "generali-sk"])
def test_every_file_is_a_tagged_letter_of_the_insurers(site_of: Callable[[str], Site], profile: str) -> None:
    site = site_of(profile)
    add_letters(site.parts.base, site.parts.portal.storage)
    files = {row.sha256: row for row in site.rows("letters")}
    assert 10 < len(files) < 60
    for sha256, letter in files.items():
        content = _content(site, letter)
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, letter.size)
        assert faults_of(content) == []
        assert language_of(content) == letter.language == site.language
        assert letter.title in text_of(content)
        assert site.parts.profile.facts[site.language]["legal_name"] in text_of(content)


def test_her_letters_name_her_and_her_contract(seeded: Site) -> None:
    letter = next(row for row in _letters(seeded, ANNA.kutid) if row.type == "payment_request")
    words = text_of(_content(seeded, letter))
    assert "Tisztelt Kovács Anna!" in words
    assert letter.policy_number in words
    assert "99 600 Ft" in words


def test_a_letter_says_the_same_on_its_page(seeded: Site) -> None:
    letter = next(row for row in _letters(seeded, ANNA.kutid) if row.type == "payment_request")
    words = text_of(_content(seeded, letter))
    said = [*letter.data["text"], *letter.data[""]["text"]]
    said += [cell for row in letter.data["A fizetendő díj"] for cell in (*row, *row.values())]
    assert len(said) > 10
    assert all(" ".join(one.split()) in words for one in said)


def test_no_notice_leaves_for_them(seeded: Site) -> None:
    assert seeded.messages() == []


def test_a_reset_brings_them_back(seeded: Site) -> None:
    seeded.ask("/dev/reset", next="")
    assert len(_letters(seeded, ANNA.kutid)) == 40


def test_an_insurer_without_letters_in_its_language_has_none(make_site: Callable[..., Site]) -> None:
    site = make_site()
    object.__setattr__(site.parts.profile, "languages", ("en",))
    add_letters(site.parts.base, site.parts.portal.storage)
    assert site.rows("letters") == []
