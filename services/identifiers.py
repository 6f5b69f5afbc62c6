"""What people type and registers hold for policy numbers, tax numbers and phones, brought to one form each.

Text goes in, the one canonical form comes out, or a `Refusal` whose field and reason are keys of the texts.
No database, no insurer: what differs by country is a parameter.
"""

import re
from dataclasses import dataclass
from functools import cache
from string import ascii_lowercase, ascii_uppercase
from typing import Self

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType
from stdnum.hu import anum
from stdnum.sk import rc

from services.refusal import Refusal
from services.spelling import plain

LONGEST = 200
"""No identifier, however spelled, is longer; a megabyte is refused before anything looks at it."""

_CODE = re.compile(r"[A-Z0-9]{1,32}")
_SLOVAK = 10
_SPREADSHEET = re.compile(
    r"(?!\d{1,3}\.000$)[+-]?\d+(?:[.,](?:\d|0+)|[.,]\d*E[+-]?\d{1,3}|E[+-]\d{1,3}|E0+)", re.ASCII | re.IGNORECASE
)
"""940000001.0, 9,4E+08, 940000001E0; 940.000 is a number in groups of three."""
_TAX_NUMBER = re.compile(r"(?:SK)?(?P<slovak>[0-9]{10})|(?:HU)?(?P<hungarian>[0-9]{8}(?:[0-9]{3})?)")
_COMMUNICATION_ID = re.compile(r"[KT][0-9]{7}")
_POSTAL_CODE_DIGITS = {"HU": 4, "SK": 5}
_APOSTROPHES = "'’‘`"
_COMPACT = str.maketrans(ascii_lowercase, ascii_uppercase, " .-\n\r\v\f")
"""Of ASCII alone: a dotless i or a long s would become another number than the one that was typed."""
_PHONE_SEPARATORS = str.maketrans("", "", " \t-./()")
_PHONE_SPELLING = re.compile(r"[0-9\s+./()\[\]\-]+")
_MOBILE_TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def policy_number(text: str) -> str:
    """Return the policy number in `text`: capital letters and ASCII digits, without what people put between.

    Raises Refusal("policy_number", "empty" | "malformed"). How long a number is, only the insurer's profile knows.
    """
    return code(text, "policy_number")


def kutid(text: str) -> str:
    """Return the id of the central customer register; raises Refusal("kutid", "empty" | "malformed")."""
    return code(text, "kutid")


def communication_id(text: str) -> str:
    """Return the communication id, K or T and 7 digits.

    Raises Refusal("communication_id", "empty" | "malformed").
    """
    known = code(text, "communication_id")
    if not _COMMUNICATION_ID.fullmatch(known):
        raise Refusal("communication_id", "malformed")
    return known


def birth_number(text: str) -> str:
    """Return the Slovak birth number (rodné číslo) in `text` as 9 digits, up to 1953, or 10 with a check digit.

    Raises Refusal("birth_number", "empty" | "malformed" | "check").
    """
    digits = _compact(text.replace("/", ""), "birth_number")
    if not (digits.isascii() and digits.isdigit() and len(digits) in (9, 10)):
        raise Refusal("birth_number", "malformed")
    if not rc.is_valid(digits):
        raise Refusal("birth_number", "check")
    return digits


def postal_code(text: str, region: str) -> str:
    """Return the postcode in `text` without spaces; `region` tells how many digits it has.

    Raises Refusal("postal_code", "empty" | "malformed").
    """
    digits = _compact(text, "postal_code")
    if not (digits.isascii() and digits.isdigit() and len(digits) == _POSTAL_CODE_DIGITS[region]):
        raise Refusal("postal_code", "malformed")
    return digits


def code(text: str, field: str) -> str:
    """Return the number in `text`, of whatever kind: capital letters and ASCII digits.

    Raises Refusal(field, "empty" | "malformed").
    """
    if _CODE.fullmatch(text):
        return text
    compact = _compact(text, field)
    if not _CODE.fullmatch(compact):
        raise Refusal(field, "malformed")
    return compact


def is_spreadsheet_number(text: str) -> bool:
    """Tell whether `text` is what a spreadsheet makes of a column of digits that it holds for quantities."""
    return len(text) <= LONGEST and _SPREADSHEET.fullmatch(_spelled(text)) is not None


@dataclass(frozen=True)
class TaxNumber:
    """A tax number, whose length tells its country.

    A Hungarian one has 8 digits that name the tax payer, and the part from the hyphen on, if known; a Slovak one (DIČ)
    has 10 digits.
    """

    core: str
    rest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tax number in `text`, whatever its check digit says (registers hold wrong ones too).

        Raises Refusal("tax_number", "empty" | "malformed").
        """
        match = _TAX_NUMBER.fullmatch(_compact(text, "tax_number"))
        if not match:
            raise Refusal("tax_number", "malformed")
        digits = match["slovak"] or match["hungarian"]
        if len(digits) == _SLOVAK:
            return cls(digits)
        return cls(digits[:8], f"{digits[8]}-{digits[9:]}" if digits[8:] else None)

    @classmethod
    def parse_checked(cls, text: str, region: str) -> Self:
        """Return the tax number of `region` in `text`.

        Raises also Refusal("tax_number", "check") for a wrong check digit.
        """
        number = cls.parse(text)
        if number.region != region:
            raise Refusal("tax_number", "malformed")
        if not number.is_sound:
            raise Refusal("tax_number", "check")
        return number

    @property
    def region(self) -> str:
        """The country whose number it is."""
        return "SK" if len(self.core) == _SLOVAK else "HU"

    @property
    def lacks_rest(self) -> bool:
        """Whether it is cut at the hyphen."""
        return self.region == "HU" and self.rest is None

    @property
    def is_sound(self) -> bool:
        """Whether the check digit is right."""
        return int(self.core) % 11 == 0 if self.region == "SK" else bool(anum.is_valid(self.core))

    def matches(self, other: "TaxNumber") -> bool:
        """Whether both name the same tax payer: by the core, and by the rest only where both sides have it."""
        return self.core == other.core and (None in (self.rest, other.rest) or self.rest == other.rest)

    def __str__(self) -> str:
        """Return the usual spelling, such as 12345676-2-42, or the core alone."""
        return f"{self.core}-{self.rest}" if self.rest else self.core


def phone(text: str, region: str) -> str:
    """Return the phone number in `text` as E.164; one without a country code belongs to `region` ("HU").

    Raises Refusal("phone", "empty" | "malformed").
    """
    return _plain_number(text, region)[0] or _parsed(text, region, "phone")


def mobile(text: str, region: str) -> str:
    """Return the mobile number of `region` in `text` as E.164.

    Raises Refusal("mobile", "empty" | "malformed" | "landline" | "foreign").
    """
    number, is_known_mobile = _plain_number(text, region)
    if number and is_known_mobile:
        return number
    number = number or _parsed(text, region, "mobile")
    if not number.startswith(f"+{phonenumbers.country_code_for_region(region)}"):
        raise Refusal("mobile", "foreign")
    if not is_mobile(number, region):
        raise Refusal("mobile", "landline")
    return number


def example(region: str) -> str:
    """Return a mobile number of `region` as E.164 that shows the form and is nobody's."""
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    if number is None:
        raise ValueError(f"no phone numbers are known for the region {region}")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def written(number: str) -> str:
    """Return an E.164 number as people read it: +36 20 123 4567."""
    return str(phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def is_mobile(number: str, region: str) -> bool:
    """Whether `number`, in E.164, is a mobile of `region`: the only kind that is sent a text message."""
    known, is_known_mobile = _plain_number(number, region)
    if known:
        return is_known_mobile
    parsed = phonenumbers.parse(number, None)
    return (
        parsed.country_code == phonenumbers.country_code_for_region(region)
        and phonenumbers.number_type(parsed) in _MOBILE_TYPES
    )


def _compact(text: str, field: str) -> str:
    """Return `text` with ASCII digits and capitals, without spaces, hyphens, dots and Excel's apostrophe."""
    # Without its point or its sign it would be another number.
    if len(text) > LONGEST or (is_spreadsheet_number(text) and not text.strip().isalnum()):
        raise Refusal(field, "malformed")
    compact = _spelled(text).translate(_COMPACT)
    if not compact:
        raise Refusal(field, "empty")
    return compact


def _spelled(text: str) -> str:
    return plain(text).lstrip(_APOSTROPHES)


@cache
def _plain_patterns(region: str) -> tuple[str, re.Pattern[str], re.Pattern[str]]:
    """Return the country code and the patterns of regular mobile and landline numbers, out of phonenumbers' own data.

    A million rows through `phonenumbers.parse` take minutes. Regular spellings are therefore matched with
    the same national patterns directly, and everything else is left to the library.
    """
    metadata = PhoneMetadata.metadata_for_region(region)
    if not (metadata and metadata.general_desc and metadata.mobile and metadata.fixed_line):
        raise ValueError(f"no phone numbers are known for the region {region}")
    code = str(metadata.country_code)
    prefixes = [rf"\+{code}", f"00{code}", metadata.national_prefix or ""]
    lengths = metadata.general_desc.possible_length
    # The country code without its plus is taken for one only where no national number could be that long.
    if not any(len(code) + length in lengths for length in lengths):
        prefixes.append(code)
    start = f"(?:{'|'.join(prefixes)})?"
    mobiles = f"{start}({metadata.mobile.national_number_pattern})"
    landlines = f"{start}({metadata.fixed_line.national_number_pattern})"
    return code, re.compile(mobiles, re.ASCII), re.compile(landlines, re.ASCII)


def _plain_number(text: str, region: str) -> tuple[str, bool]:
    """Return a regular spelling's E.164 number and whether it is a mobile, or an empty text when it is not regular."""
    code, mobiles, landlines = _plain_patterns(region)
    is_other = len(text) > LONGEST or ("." in text and is_spreadsheet_number(text))
    digits = "" if is_other else (text if text.isascii() else plain(text)).translate(_PHONE_SEPARATORS)
    if match := mobiles.fullmatch(digits):
        return f"+{code}{match[1]}", True
    if match := landlines.fullmatch(digits):
        return f"+{code}{match[1]}", False
    return "", False


def _parsed(text: str, region: str, field: str) -> str:
    if len(text) > LONGEST or is_spreadsheet_number(text):
        raise Refusal(field, "malformed")
    # The trunk digit in parentheses, as in +44 (0)20, is written for the eye and never dialled.
    spelling = _spelled(text).replace("(0)", "")
    if not spelling:
        raise Refusal(field, "empty")
    # phonenumbers would read letters as the digits of a keypad, and drop a sign of doubt.
    if not _PHONE_SPELLING.fullmatch(spelling):
        raise Refusal(field, "malformed")
    try:
        number = phonenumbers.parse(spelling, region)
    except phonenumbers.NumberParseException:
        raise Refusal(field, "malformed") from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise Refusal(field, "malformed")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
