"""An encrypted PDF opens with its password, and with nothing else (P25)."""

import io
from datetime import UTC, datetime

import pikepdf
import pytest

from services import profiles
from services.pdf import Letterhead, Paper, Text, encrypted, typeset
from tests.world.papers import text_of

PLAIN = typeset(
    Paper("sk", "Poistka", Letterhead.of(profiles.load("generali-sk"), "sk"), [Text("Vážený klient")]),
    datetime(2026, 11, 20, tzinfo=UTC),
)


def test_the_password_opens_it() -> None:
    assert "Vážený klient" in text_of(encrypted(PLAIN, "Levelezes 2026 ő"), "Levelezes 2026 ő")


@pytest.mark.parametrize("wrong", ["", "0013", "levelezes 2026 ő", "Levelezes 2026 ő "])
def test_nothing_else_opens_it(wrong: str) -> None:
    made = encrypted(PLAIN, "Levelezes 2026 ő")
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(made), password=wrong)


def test_it_is_aes_256() -> None:
    with pikepdf.open(io.BytesIO(encrypted(PLAIN, "0013")), password="0013") as opened:
        assert (opened.encryption.R, opened.encryption.bits) == (6, 256)
        assert opened.encryption.stream_method == pikepdf.models.encryption.EncryptionMethod.aesv3


def test_screen_readers_may_read_it() -> None:
    with pikepdf.open(io.BytesIO(encrypted(PLAIN, "0013")), password="0013") as opened:
        assert opened.allow.accessibility
        assert opened.Root.MarkInfo.Marked


@pytest.mark.parametrize("content", [b"", b"<html>", b"%PDF-1.7 broken", encrypted(PLAIN, "1")])
def test_what_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="file"):
        encrypted(content, "0013")


@pytest.mark.parametrize("password", ["", "x" * 128, "ő" * 64])
def test_a_password_that_readers_would_cut_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="password"):
        encrypted(PLAIN, password)
