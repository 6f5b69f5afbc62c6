"""What the doctor says of the storage: it writes, reads and deletes there (P24)."""

from pathlib import Path

import pytest

from services.gateways.storage import ObjectStorage, StorageUnavailable
from tests.world.site import Site
from webapp.cli.doctor import Finding, examine


def finding(site: Site) -> Finding:
    return next(one for one in examine(site.parts.settings) if one.subject == "storage")


def test_a_storage_that_works_is_left_as_it_was(site: Site) -> None:
    found = finding(site)
    assert not found.is_bad
    assert "deletes" in found.state
    folder = Path(site.parts.settings.storage_url.removeprefix("folder:"))
    assert not [file for file in folder.rglob("doctor/*") if file.is_file()]


@pytest.mark.parametrize("verb", ["put", "get", "delete"])
def test_one_that_does_not_names_its_setting(site: Site, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    def away(*_: object) -> None:
        raise StorageUnavailable(f"{verb}: away")

    monkeypatch.setattr(ObjectStorage, verb, away)
    found = finding(site)
    assert found.is_bad
    assert "BELEPO_STORAGE_URL" in found.advice
