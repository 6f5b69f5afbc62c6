"""The terms: versions in force by their day, in the insurer's own time; what was accepted is told by a hash."""

import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.profiles import Profile, load
from services.terms import TermsVersions
from tests.world.world import PROFILE
from webapp.demo.terms import PublishedTerms

NOW = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """A profile with a second version from 1 January 2027, in Hungarian alone, with a PDF."""
    folder = tmp_path / "own"
    shutil.copytree(PROFILE.folder, folder)
    (folder / "terms" / "2027-1.hu.html").write_text("<p>Új feltételek</p>", "utf-8")
    (folder / "terms" / "2027-1.hu.pdf").write_bytes(b"%PDF-")
    (folder / "terms" / "2026-1.hu.pdf").unlink(missing_ok=True)
    (folder / "terms" / "2026-1.en.pdf").unlink(missing_ok=True)
    file = folder / "profile.toml"
    later = '\n[[terms]]\nversion = "2027-1"\nin_force_from = 2027-01-01\n'
    file.write_text(file.read_text("utf-8") + later, "utf-8")
    return load(str(file))


def test_a_version_comes_into_force_at_midnight_in_the_insurers_time(profile: Profile) -> None:
    terms = TermsVersions(profile)
    midnight = datetime(2026, 12, 31, 23, tzinfo=UTC)  # in Budapest
    assert terms.in_force(midnight - timedelta(seconds=1)).version == "2026-1"
    assert terms.in_force(midnight).version == "2027-1"


def test_a_version_is_shown_from_its_day_on_and_forever(profile: Profile) -> None:
    terms = TermsVersions(profile)
    later = NOW + timedelta(days=365)
    assert terms.get("2027-1", NOW) is None
    assert [terms.get(version, later).version for version in ("2026-1", "2027-1")] == ["2026-1", "2027-1"]
    assert terms.get("1999-1", later) is None


def test_the_binding_language_stands_in_for_a_missing_one(profile: Profile) -> None:
    new = TermsVersions(profile).in_force(NOW + timedelta(days=365))
    assert new.text("en") == new.text("hu") == "<p>Új feltételek</p>"
    assert new.pdf("en") == new.pdf("hu") == profile.folder / "terms" / "2027-1.hu.pdf"
    old = TermsVersions(profile).in_force(NOW)
    assert old.text("en") != old.text("hu")
    assert old.pdf("hu") is None


def test_the_hash_is_of_the_binding_text(profile: Profile) -> None:
    new = TermsVersions(profile).in_force(NOW + timedelta(days=365))
    assert new.hash == hashlib.sha256("<p>Új feltételek</p>".encode()).hexdigest()
    assert TermsVersions(profile).in_force(NOW).hash != new.hash


def test_a_tester_publishes_a_version_for_every_process(tmp_path: Path) -> None:
    mine, others = (PublishedTerms(PROFILE, tmp_path / "terms.json") for _ in range(2))
    before = others.in_force(NOW)
    mine.publish("2026-2", NOW)
    assert others.in_force(NOW).version == "2026-2"
    assert others.in_force(NOW - timedelta(seconds=1)).version == before.version
    assert others.in_force(NOW).hash != before.hash
    mine.publish("2026-3", NOW + timedelta(minutes=1))
    assert mine.in_force(NOW + timedelta(minutes=1)).version == "2026-3"
    mine.forget_published()
    mine.forget_published()
    assert others.in_force(NOW).version == before.version


def test_two_versions_published_at_one_moment_the_later_one_counts(tmp_path: Path) -> None:
    terms = PublishedTerms(PROFILE, tmp_path / "terms.json")
    terms.publish("2026-2", NOW)
    terms.publish("2026-3", NOW)
    assert terms.in_force(NOW).version == "2026-3"
