"""Identifiers: many spellings, one form; and what is none is refused with the reason that has a text."""

import phonenumbers
import pytest

from services.refusal import Refusal
from services.values import identifiers
from services.values.identifiers import TaxNumber


def refusal_of(function, *arguments):
    with pytest.raises(Refusal) as caught:
        function(*arguments)
    return caught.value.field, caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "940000001",
        " 940 000 001 ",
        "940-000-001",
        "940.000.001",
        "940000.001",
        "940000001.",
        "\u202a940000\u200b001\u202c",
        "940\u2011000\u2011001",
        "940\t000 001\r\n",
        "940\u00a0000\u202f001",
        "940\u2013000\u2212001",
        "'940000001",
        "\ufeff940000001",
        "９４０" + "０" * 5 + "１",
        "٩٤٠٠٠٠٠٠١",
    ],
)
def test_policy_number_in_every_spelling(text):
    assert identifiers.policy_number(text) == "940000001"


def test_policy_number_has_capital_letters():
    assert identifiers.policy_number("ab-12c") == "AB12C"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" - ", "empty"),
        ("'", "empty"),
        ("94000ı", "malformed"),
        ("9,4E+08", "malformed"),
        ("9.4E8", "malformed"),
        ("940000001.0", "malformed"),
        ("'940000001.00", "malformed"),
        ("9400000E-2", "malformed"),
        ("9400\x000001", "malformed"),
        ("²40000001", "malformed"),
        ("9" * 33, "malformed"),
        ("9" * 1_000_000, "malformed"),
    ],
)
def test_policy_number_refused(text, reason):
    assert refusal_of(identifiers.policy_number, text) == ("policy_number", reason)


def test_kutid_names_its_own_field():
    assert identifiers.kutid(" 1000 0001") == "10000001"
    assert refusal_of(identifiers.kutid, "") == ("kutid", "empty")


def test_communication_id():
    assert identifiers.communication_id("k 123-4567") == "K1234567"
    assert identifiers.communication_id("T7654321") == "T7654321"
    assert refusal_of(identifiers.communication_id, "X1234567") == ("communication_id", "malformed")
    assert refusal_of(identifiers.communication_id, "K123456") == ("communication_id", "malformed")


@pytest.mark.parametrize(
    "text", ["12345676-2-42", "12345676242", "HU12345676-2-42", "hu 12345676 2 42", "'12345676–2–42"]
)
def test_tax_number_in_every_spelling(text):
    number = TaxNumber.parse_checked(text, "HU")
    assert (number.core, number.rest, str(number)) == ("12345676", "2-42", "12345676-2-42")


def test_tax_number_without_the_rest():
    assert TaxNumber.parse("12345676") == TaxNumber("12345676")
    assert str(TaxNumber("12345676")) == "12345676"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("1234567", "malformed"),
        ("123456762", "malformed"),
        ("1234567a", "malformed"),
        ("SK12345676", "malformed"),
        ("HU2020000026", "malformed"),
        ("HUSK2020000026", "malformed"),
        ("1" * 100_000, "malformed"),
    ],
)
def test_tax_number_refused(text, reason):
    assert refusal_of(TaxNumber.parse, text) == ("tax_number", reason)


def test_tax_number_with_a_wrong_check_digit():
    assert not TaxNumber.parse("12345675-2-42").is_sound
    assert refusal_of(TaxNumber.parse_checked, "12345675-2-42", "HU") == ("tax_number", "check")


@pytest.mark.parametrize(
    ("one", "other", "is_match"),
    [
        ("12345676-2-42", "12345676-2-42", True),
        ("12345676-2-42", "12345676", True),
        ("12345676", "12345676-2-42", True),
        ("12345676", "12345676", True),
        ("12345676-2-42", "12345676-1-42", False),
        ("12345676", "23456787", False),
    ],
)
def test_tax_numbers_match_by_the_core_and_by_the_rest_where_both_have_it(one, other, is_match):
    assert TaxNumber.parse(one).matches(TaxNumber.parse(other)) is is_match


SPELLINGS = [
    "20 1234567",
    "201234567",
    "06201234567",
    "06 20 123 4567",
    "06-20-123-4567",
    "06/20/1234567",
    "0620/123-4567",
    "20/123-4567",
    "(20) 123 4567",
    "(06-20) 123-4567",
    "+36201234567",
    "+36 20 123 45 67",
    "+36-20/123-4567",
    "+36 (20) 123 4567",
    "+36 (0)20 123 4567",
    "+36 06 20 123 4567",
    "0036201234567",
    "00 36 20 123 4567",
    "36201234567",
    "36 20 123 4567",
    "'06201234567",
    "06\u00a020\u202f123\u20114567",
    "\u202a+36201234567\u202c",
    "０６２０１２３４５６７",
    "＋３６（２０）１２３４５６７",
    "06 20\u2066 123 4567\u2069.",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_mobile_in_every_spelling(text):
    assert identifiers.mobile(text, "HU") == "+36201234567"
    assert identifiers.phone(text, "HU") == "+36201234567"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("20 123456", "malformed"),
        ("20 12345678", "malformed"),
        ("20 1234567?", "malformed"),
        ("20 1234567*", "malformed"),
        ("~20 1234567", "malformed"),
        ("20 1234567 mell. 12", "malformed"),
        ("2,01235E+08", "malformed"),
        ("201234567" + " " * 300 + "1", "malformed"),
        ("+1 234", "malformed"),
        ("06 1 234 5678", "landline"),
        ("1 2345678", "landline"),
        ("06 80 123 456", "landline"),
        ("+421 905 100 101", "foreign"),
        ("00 43 664 1234567", "foreign"),
    ],
)
def test_mobile_refused(text, reason):
    assert refusal_of(identifiers.mobile, text, "HU") == ("mobile", reason)


def test_phone_takes_landlines_and_numbers_abroad():
    assert identifiers.phone("061/234-5678", "HU") == "+3612345678"
    assert identifiers.phone("+421 905 100 101", "HU") == "+421905100101"
    assert refusal_of(identifiers.phone, "12", "HU") == ("phone", "malformed")
    assert refusal_of(identifiers.phone, "", "HU") == ("phone", "empty")


def test_a_mobile_is_one_of_the_region():
    assert identifiers.is_mobile("+36201234567", "HU")
    assert not identifiers.is_mobile("+3612345678", "HU")
    assert not identifiers.is_mobile("+421905100101", "HU")
    assert identifiers.is_mobile("+421905100101", "SK")


def test_the_region_is_a_parameter():
    assert identifiers.mobile("0905 100 101", "SK") == "+421905100101"
    assert refusal_of(identifiers.mobile, "+36201234567", "SK") == ("mobile", "foreign")
    with pytest.raises(ValueError, match="XX"):
        identifiers.mobile("0905 100 101", "XX")


@pytest.mark.parametrize("region", ["HU", "SK"])
def test_the_quick_way_and_phonenumbers_agree(region):
    code = phonenumbers.country_code_for_region(region)
    for area in range(10, 100):
        for tail in ("123456", "1234567", "23456789"):
            for text in (
                f"{area}{tail}",
                f"+{code}{area}{tail}",
                f"{code}{area}{tail}",
                f"0{area}{tail}",
                f"06{area}{tail}",
            ):
                number = phonenumbers.parse(text, region)
                expected = None
                if phonenumbers.is_valid_number(number):
                    expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                try:
                    found = identifiers.phone(text, region)
                except Refusal:
                    found = None
                assert found == expected, text
                if found:
                    is_mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
                    assert identifiers.is_mobile(found, region) is (is_mobile and number.country_code == code), text
