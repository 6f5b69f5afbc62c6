"""Email addresses: written to as typed, unique in one form, and a question for a likely slip."""

import re

import pytest

from services.refusal import Refusal
from services.values import email_addresses
from services.values.email_addresses import parse, suggestion


def reason(text: str) -> str:
    with pytest.raises(Refusal) as refused:
        parse(text)
    assert refused.value.field == "email"
    return refused.value.reason


@pytest.mark.parametrize(
    "text",
    ["Anna.Kovacs@Example.HU", "  anna.kovacs@example.hu\n", "ANNA.KOVACS@EXAMPLE.HU"],
)
def test_case_and_blanks_make_no_other_address(text: str) -> None:
    address = parse(text)
    assert address.typed == text.strip()
    assert address.key == "anna.kovacs@example.hu"


@pytest.mark.parametrize("mark", ["\u00ad", "\u200b", "\u200e", "\u202a", "\u202c", "\u2060", "\u2069", "\ufeff"])
def test_marks_that_nobody_sees_come_along_from_a_copy_and_are_left_out(mark: str) -> None:
    assert parse(f"{mark}anna@{mark}example.hu{mark} ").typed == "anna@example.hu"
    assert reason(mark) == "empty"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna@példa.hu", "anna@xn--plda-bpa.hu"),
        ("anna@PÉLDA.hu", "anna@példa.hu"),
        ("ágnes@example.hu", "a\u0301gnes@example.hu"),
        ("ÁGNES@example.hu", "ágnes@example.hu"),
    ],
)
def test_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert parse(one).key == parse(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna@example.hu", "ánna@example.hu"),
        ("ilona@example.hu", "ılona@example.hu"),
        ("anna@example.hu", "аnna@example.hu"),
        ("anna+posta@example.hu", "anna@example.hu"),
        ("an.na@example.hu", "anna@example.hu"),
    ],
)
def test_look_alikes_are_other_addresses(one: str, other: str) -> None:
    assert parse(one).key != parse(other).key
    assert parse(other).typed == other


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        (" \t", "empty"),
        ("anna", "malformed"),
        ("@example.hu", "malformed"),
        ("anna@", "malformed"),
        ("a" * 65 + "@example.hu", "malformed"),
        ("a" * 65 + "@example.com", "malformed"),
        ("ő" * 65 + "@example.hu", "malformed"),
        ("anna kovacs@example.hu", "malformed"),
        ("anna@example.hu, eszter@example.hu", "domain"),
        ("anna@example.hu\r\nBcc: eszter@example.hu", "domain"),
        ("anna@example", "domain"),
        ("anna@-example.hu", "domain"),
        ("anna@exa_mple.hu", "domain"),
        ("anna@localhost", "domain"),
        ("anna@[127.0.0.1]", "domain"),
    ],
)
def test_what_is_no_address(text: str, expected: str) -> None:
    assert reason(text) == expected


def test_a_local_part_has_64_characters_at_most() -> None:
    """RFC 5321, 4.5.3.1.1."""
    longest = "a" * 64 + "@example.hu"
    assert parse(longest).typed == email_addresses.normalised(longest) == longest
    assert email_addresses.normalised("a" + longest) is None
    assert email_addresses.normalised("'" + longest) is None


def test_a_megabyte_is_no_address() -> None:
    assert reason("a" * 1_000_000 + "@example.hu") == "malformed"


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("anna@gmial.com", "anna@gmail.com"),
        ("anna@gmail.con", "anna@gmail.com"),
        ("Anna@Fremail.hu", "Anna@freemail.hu"),
        ("anna@citromai.hu", "anna@citromail.hu"),
        ("anna@gmail.com", None),
        ("anna@FREEMAIL.hu", None),
        ("anna@example.hu", None),
        ("anna@kovacs-es-tarsa.hu", None),
        # Providers too, and near to others.
        ("anna@email.hu", None),
        ("anna@vivamail.hu", None),
        ("anna@mail.com", None),
        ("anna@Mail.com", None),
        ("anna@email.com", None),
        ("anna@ymail.com", None),
        ("anna@protonmail.ch", None),
        ("anna@yahoo.co.uk", None),
        ("anna@minta-online.hu", None),
    ],
)
def test_a_near_miss_of_a_well_known_provider_is_asked_about(address: str, meant: str | None) -> None:
    assert suggestion(address) == meant


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("anna@example.hu", "anna@example.hu"),
        (" Anna.Kovacs+hirlevel@EXAMPLE.Hu ", "Anna.Kovacs+hirlevel@example.hu"),
        ("anna@bücher.example.com", "anna@bücher.example.com"),
        ("anna@xn--bcher-kva.example.com", "anna@bücher.example.com"),
        ("o'neil@example.hu", "o'neil@example.hu"),
        ("", None),
        ("  ", None),
        ("nincs", None),
        ("anna@", None),
        ("@example.hu", None),
        ("anna@example", None),
        ("anna@example.local", None),
        ("anna.@example.hu", None),
        ("anna..k@example.hu", None),
        ("anna@-example.hu", None),
        ("anna@example..hu", None),
        ("a b@example.hu", None),
        ("a@b@example.hu", None),
        ("anna@" + "x" * 64 + ".hu", None),
        ("anna@example.hu, bela@example.hu", None),
        ("x" * 1_000_000, None),
    ],
)
def test_an_address_of_the_register_is_kept_in_one_form(text: str, stored: str | None) -> None:
    assert email_addresses.normalised(text) == stored


@pytest.mark.parametrize("local", ["a", "a.b", "A_b-c+d", "1", "x" * 64, "-a", "a-", "_", "+"])
@pytest.mark.parametrize("domain", ["example.hu", "a.b.example.com", "1a.hu", "a-b.hu", "x" * 63 + ".hu"])
def test_the_quick_way_reads_an_address_as_the_library_does(
    monkeypatch: pytest.MonkeyPatch, local: str, domain: str
) -> None:
    quick = email_addresses.normalised(f"{local}@{domain}")
    monkeypatch.setattr(email_addresses, "_PLAIN", re.compile(r"(?!)"))
    assert email_addresses.normalised(f"{local}@{domain}") == quick
    assert quick is not None
