"""How many parts a text message is sent in, by the sizes that providers bill (3GPP TS 23.038, 23.040)."""

import pytest

from services.values.segments import parts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        # Of the Hungarian letters é, ö and ü are in the alphabet; one other makes the whole text a longer one.
        ("éöü" * 53, 1),
        ("á" * 70, 1),
        ("a" * 70 + "ő", 2),
        ("ő" * 134, 2),
        ("ő" * 135, 3),
        # These take two places each, and are not torn between two parts.
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        # So do those outside the basic plane.
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 66 + "😀" + "a" * 66, 3),
    ],
)
def test_parts(text: str, count: int) -> None:
    assert parts(text) == count
