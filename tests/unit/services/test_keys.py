"""Keys for one purpose each, and secrets that nobody drew."""

import secrets

import pytest

from services.keys import derived, fault_of


def test_each_purpose_has_keys_of_its_own() -> None:
    operators = ("the newer key", "the older key")
    keys = [*derived(operators, "links"), *derived(operators, "sessions"), *operators]
    assert len(set(keys)) == 6
    assert derived(operators, "links") == derived(operators, "links")


def test_a_derived_key_is_that_of_the_standard() -> None:
    """RFC 5869, A.3, has no vector of 32 bytes with our info: cryptography's HKDF is the second opinion."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    (key,) = derived(("operator's",), "links")
    assert key == HKDF(SHA256(), 32, None, b"belepo links").derive(b"operator's").hex()


@pytest.mark.parametrize(
    "secret",
    [
        "change-me-change-me-change-me-change-me",
        "CHANGE_ME_" + "x7Fq9" * 6,
        "please-change-this-to-something-random-1",
        "replace-me-with-32-random-characters!!",
        "your-secret-key-goes-here-1234567890abcd",
        "super-secret-django-insecure-k3y-0123456",
        "my password is 32 characters long, really",
        "aB3$xY9!kLaB3$xY9!kLaB3$xY9!kLaB",
        "k1-abcdefghijklmnopqrstuvwxyz-0123456789",
        "9876543210zyxwvutsrqponmlkjihgfedcba",
    ],
)
def test_what_was_written_and_not_drawn_is_known(secret: str) -> None:
    assert fault_of(secret)


def test_a_drawn_secret_is_never_suspected() -> None:
    for _ in range(2000):
        assert fault_of(secrets.token_urlsafe(32)) is None
        assert fault_of(secrets.token_hex(32)) is None
    assert fault_of("") is None
