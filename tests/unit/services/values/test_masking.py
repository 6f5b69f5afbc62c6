"""Masked data tell what a person needs to recognise them, and no more."""

import pytest

from services.values import masking


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("kovacs.anna@example.hu", "k•••a@example.hu"),
        ("nev@example.hu", "n•••@example.hu"),
        ("a@example.hu", "a•••@example.hu"),
        ("őrsi.éva@example.hu", "ő•••a@example.hu"),
        ("no address", "•••"),
        ("@example.hu", "•••"),
        ("", "•••"),
    ],
)
def test_of_an_email_the_ends_of_the_local_part_and_the_domain_are_shown(address: str, masked: str) -> None:
    assert masking.email(address) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+36201234567", "+36 20 ••• ••67"),
        ("+421905100101", "+421 905 ••• •01"),
        ("+3612345678", "+36 1 ••• ••78"),
        ("+491701234567", "+49 170 •••••67"),
        ("+4312", "+43 •••"),
        ("20 1234567", "•••"),
        ("", "•••"),
    ],
)
def test_of_a_number_the_prefix_and_two_digits_are_shown(number: str, masked: str) -> None:
    assert masking.mobile(number) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [("940000001", "9400•••01"), ("K1234567", "K•••7"), ("123456", "1•••6"), ("12345", "•••"), ("", "•••")],
)
def test_of_an_identifier_little_is_shown_and_of_a_short_one_nothing(text: str, masked: str) -> None:
    assert masking.identifier(text) == masked
