"""The storage keeps, returns and erases bytes alike in a folder and in a bucket (P24), and says when it is away."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from services.gateways.storage import Missing, ObjectStorage, Storage, StorageUnavailable

CONTENT = bytes(range(256)) * 1000
_BUCKET = "letters-of-an-insurer"
_REGION = {"Authorization": "AWS4-HMAC-SHA256 Credential=key/20300101/eu-central-1/s3/aws4_request"}
_PLACE = "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server, a process of its own, with a bucket."""
    command = [sys.executable, "-u", "-c", "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        try:
            lines = iter(server.stderr or ())
            address = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            requests.put(f"{address}/{_BUCKET}", _PLACE, headers=_REGION, timeout=30).raise_for_status()
            yield address
        finally:
            server.kill()


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """A storage of each kind, as the setting names it."""
    if request.param == "folder":
        return ObjectStorage.at(f"folder:{tmp_path / 'files'}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3"))
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    return ObjectStorage.at(f"s3://{_BUCKET}/belepo")


def test_what_is_kept_comes_back(storage: Storage) -> None:
    storage.put("letters/one", CONTENT)
    found = storage.get("letters/one")
    assert found.size == len(CONTENT)
    assert b"".join(found.chunks) == CONTENT


def test_what_is_erased_is_gone_and_may_be_erased_again(storage: Storage) -> None:
    storage.put("letters/two", b"two")
    storage.delete("letters/two")
    storage.delete("letters/two")
    with pytest.raises(Missing):
        storage.get("letters/two")


def test_what_never_was_is_missing(storage: Storage) -> None:
    with pytest.raises(Missing):
        storage.get("letters/never")


def test_a_bucket_that_is_away_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ENDPOINT_URL", "http://127.0.0.1:9"), ("ALLOW_HTTP", "true"), ("REGION", "eu-central-1"),
                        ("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "secret")):  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    away = ObjectStorage.at(f"s3://{_BUCKET}")
    with pytest.raises(StorageUnavailable):
        away.get("letters/one")
    with pytest.raises(StorageUnavailable):
        away.put("letters/one", b"one")


@pytest.mark.skipif(os.name != "posix", reason="permissions of a folder")
def test_a_folder_is_its_owners_alone(tmp_path: Path) -> None:
    ObjectStorage.at(f"folder:{tmp_path / 'files'}")
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700
