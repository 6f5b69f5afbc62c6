"""What an insurer chooses: the values of a profile, each with what it must be."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from stdnum import iban
from stdnum.exceptions import ValidationError

from services.profiles.contrast import contrast
from services.profiles.logo import DARK, LIGHT, Logo, read_logo
from services.profiles.request_kinds import RequestKind, RequestRules, is_name_of_kind
from services.texts import Texts, has_catalogue, read_catalogue
from services.values import email_addresses


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone “{name}”; write one like Europe/Budapest") from None
    return name


def _phone(number: str) -> str:
    try:
        is_sound = phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        is_sound = False
    if not is_sound:
        raise ValueError(f"{number} is not a telephone number in the form +3612345678")
    return number


def _mail_address(text: str) -> str:
    # Without SMTPUTF8, which few servers have, a sender is ASCII; the library takes spaces away first.
    if email_addresses.normalised(text) is None or text != text.strip() or not text.isascii():
        raise ValueError(f"“{text}” is not an email address, such as ugyfelszolgalat@example.hu")
    return text


def _web_address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+\.[^\s/?#@]+([/?#]\S*)?", text):
        raise ValueError(f"“{text}” is not an address of the web, such as https://www.example.hu/adatkezeles")
    return text


def _country(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"“{code}” is not a country; write two capitals, such as HU")
    return code


def _like(pattern: str, words: str) -> AfterValidator:
    """Judge a text by a pattern; `words` complete the sentence “… is not”."""

    def judge(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"“{text}” is not {words}")
        return text

    return AfterValidator(judge)


Colour = Annotated[str, _like("#[0-9A-Fa-f]{6}", "a colour, such as #0d5c63"), AfterValidator(str.lower)]

_Days = Annotated[int, Field(ge=1, le=36525)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(_Part):
    """How a number by which customers are found looks: so many digits, or so many characters."""

    digits: Annotated[int | None, Field(ge=4, le=20, description="Number of digits.")] = None
    characters: Annotated[int | None, Field(ge=4, le=20, description="Number of characters, letters or digits.")] = None

    @model_validator(mode="after")
    def _is_one(self) -> "Number":
        if (self.digits is None) == (self.characters is None):
            raise ValueError("give either digits or characters, such as { digits = 9 }")
        return self

    @property
    def length(self) -> int:
        """How long it is."""
        return self.digits or self.characters or 0

    def fits(self, number: str) -> bool:
        """Tell whether `number` looks like this; it is in its canonical form."""
        return len(number) == self.length and (self.digits is None or number.isdecimal())


IdentifierKind = Literal["policy_number", "account_number", "customer_number"]

HolderType = Literal["person", "company", "communication_id", "anybody"]

Datum = Literal["birth_date", "birth_number", "tax_number", "postal_code", "mobile", "communication_password"]


class Identification(_Part):
    """How a customer is found in the register (M7–M10, T1, A1): by one of `identifiers`, and what each holder knows."""

    identifiers: Annotated[
        Mapping[IdentifierKind, Number],
        Field(min_length=1, description="The numbers by which a customer is found, each with what it looks like."),
    ]
    asks: Annotated[
        Mapping[HolderType, Annotated[tuple[Datum, ...], Field(min_length=1)]],
        Field(
            min_length=1,
            description=(
                "What each kind of holder is asked besides the number. `anybody` stands alone, where holders do "
                "not differ."
            ),
        ),
    ]
    wrong_tries: Annotated[int, Field(ge=1, description="Wrong attempts at one number before it rests.")]
    wrong_tries_minutes: Annotated[int, Field(ge=1, description="How long the number rests then.")]

    @property
    def wait(self) -> timedelta:
        """How long a number rests after too many wrong tries."""
        return timedelta(minutes=self.wrong_tries_minutes)

    @property
    def field(self) -> str:
        """The name of the form's field for the number: its own, or “identifier” where there are several kinds."""
        return "identifier" if len(self.identifiers) > 1 else next(iter(self.identifiers))

    @property
    def data(self) -> Mapping[str, tuple[str, ...]]:
        """What is asked besides the number, each with the holders who are asked for it, in the order of the form."""
        asked = {datum: None for data in self.asks.values() for datum in data}
        return {datum: tuple(who for who, data in self.asks.items() if datum in data) for datum in asked}

    @model_validator(mode="after")
    def _is_possible(self) -> "Identification":
        if "anybody" in self.asks and len(self.asks) > 1:
            raise ValueError("asks: “anybody” stands alone: where holders differ, name person and company")
        if any((who == "communication_id") != ("communication_password" in data) for who, data in self.asks.items()):
            raise ValueError(
                'asks: a communication id goes with its password: ["communication_password"], nothing else'
            )
        if "communication_id" in self.asks and "policy_number" not in self.identifiers:
            raise ValueError("asks: a communication id takes the place of a policy_number, which is no identifier here")
        return self


class Registration(_Part):
    """How long a registration lives and how often it may write (M19)."""

    minutes: Annotated[int, Field(ge=5, description="From the mail to the end of the registration (M19).")]
    hours_in_all: Annotated[
        int, Field(ge=1, description="From the first step to the end, however often the mail is sent again.")
    ]
    warning_minutes: Annotated[int, Field(ge=1, description="How long before the end the customer is warned.")]
    mail_again_seconds: Annotated[int, Field(ge=1, description="The wait before the mail can be sent again.")]
    mails_an_hour: Annotated[int, Field(ge=1, description="Mails to one address in an hour.")]
    taken_a_day_by_one: Annotated[
        int,
        Field(
            ge=1,
            description=(
                "How often a day one member of staff, or one client of the API, may learn that an address is "
                "taken. Supervisors may always."
            ),
        ),
    ] = 100

    @property
    def lifetime(self) -> timedelta:
        """From the mail to the end of the registration."""
        return timedelta(minutes=self.minutes)

    @property
    def longest(self) -> timedelta:
        """From the first step to the end, however often the mail is sent again."""
        return timedelta(hours=self.hours_in_all)

    @property
    def warning(self) -> timedelta:
        """How long before the end the customer is warned."""
        return timedelta(minutes=self.warning_minutes)

    @property
    def mail_again(self) -> timedelta:
        """How long to wait before the mail can be sent again."""
        return timedelta(seconds=self.mail_again_seconds)


class OneTimeCode(_Part):
    """The code sent by SMS and its budget (M21); the last `typed` of its characters are enough (A3)."""

    length: Annotated[int, Field(ge=4, le=10, description="Characters of a code.")]
    typed: Annotated[
        int,
        Field(ge=4, le=10, description="How many of its last characters are enough (A3): all, or all but the first."),
    ]
    minutes: Annotated[int, Field(ge=1, description="How long a code can be typed in.")]
    tries: Annotated[int, Field(ge=1, description="Attempts at one code.")]
    codes: Annotated[int, Field(ge=1, description="Codes within the budget's time.")]
    again_seconds: Annotated[int, Field(ge=1, description="The wait before a new code can be asked for.")]
    guesses: Annotated[int, Field(ge=1, description="Attempts at all codes within the budget's time.")]
    budget_hours: Annotated[
        int, Field(ge=1, description="The time over which codes and attempts of one customer are counted.")
    ]
    numbers: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Mobile numbers that are not on record one customer may give within the budget's time.",
        ),
    ] = 20
    an_hour_to_a_number: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Codes an hour to one number that need not be on record, whatever customers they are for.",
        ),
    ] = 6
    a_day_by_one: Annotated[
        int, Field(ge=1, description="Codes a day that one member of staff, or one client of the API, may have sent.")
    ] = 500

    @model_validator(mode="after")
    def _is_typed(self) -> "OneTimeCode":
        if self.typed not in (self.length, self.length - 1):
            raise ValueError(f"typed: {self.typed} of {self.length}: all characters are, or all but the first")
        return self

    @property
    def takes_tail(self) -> bool:
        """Whether the first character need not be typed."""
        return self.typed < self.length

    @property
    def lifetime(self) -> timedelta:
        """How long a code can be typed in."""
        return timedelta(minutes=self.minutes)

    @property
    def again(self) -> timedelta:
        """How long to wait before a new code can be asked for."""
        return timedelta(seconds=self.again_seconds)

    @property
    def budget(self) -> timedelta:
        """The time over which codes and guesses are counted."""
        return timedelta(hours=self.budget_hours)


class PasswordRules(_Part):
    """What a password must be (M25), and how a forgotten one is replaced."""

    min_length: Annotated[int, Field(ge=6, description="The fewest characters.")]
    max_length: Annotated[int, Field(ge=64, le=4096, description="The most characters.")]
    upper: Annotated[bool, Field(description="An upper-case letter is needed.")]
    lower: Annotated[bool, Field(description="A lower-case letter is needed.")]
    digit: Annotated[bool, Field(description="A digit is needed.")]
    special: Annotated[bool, Field(description="Characters other than letters and digits are allowed.")]
    change_hours: Annotated[
        int, Field(ge=0, description="How long after it was set the password can be changed again (M26).")
    ] = 24
    reset_minutes: Annotated[int, Field(ge=5, description="How long the link for a new password lives (M31).")] = 15
    strangers_an_hour: Annotated[
        int,
        Field(ge=1, description="To how many addresses without an account one network can have mails sent in an hour."),
    ] = 30

    @property
    def change_wait(self) -> timedelta:
        """How long after it was set the password can be changed again (M26)."""
        return timedelta(hours=self.change_hours)

    @property
    def reset_lifetime(self) -> timedelta:
        """How long the link for a new password lives (M31)."""
        return timedelta(minutes=self.reset_minutes)


class SignIn(_Part):
    """How often a sign-in may fail before waits begin, how they grow, and how long a session lasts.

    With the defaults one address is tried at most some seventy times a day (ASVS 6.3.1; NIST SP 800-63B-4, 3.2.2 allows
    a hundred in a row).
    """

    tries: Annotated[int, Field(ge=3, le=20, description="Failures in a row before waits begin, for one address.")] = 5
    source_tries: Annotated[int, Field(ge=10, description="Failures before waits begin, for one network.")] = 60
    first_wait_seconds: Annotated[int, Field(ge=5, description="The first wait; each further failure doubles it.")] = 30
    longest_wait_minutes: Annotated[int, Field(ge=1, le=60, description="The wait beyond which none grows.")] = 20
    forgotten_hours: Annotated[
        int,
        Field(
            ge=1,
            description="When failures are forgotten: of an address after the last, of a network after the first.",
        ),
    ] = 24
    idle_minutes: Annotated[int, Field(ge=5, description="How long a session lasts when nothing happens.")] = 15
    hours: Annotated[int, Field(ge=1, le=24, description="How long a session lasts, however busy it is.")] = 8
    warning_minutes: Annotated[
        int, Field(ge=1, description="How long before the end of a session the customer is warned (WCAG 2.2.1).")
    ] = 2

    @property
    def first_wait(self) -> timedelta:
        """The wait after the first failure that is not free; each further one doubles it."""
        return timedelta(seconds=self.first_wait_seconds)

    @property
    def longest_wait(self) -> timedelta:
        """The wait beyond which none grows."""
        return timedelta(minutes=self.longest_wait_minutes)

    @property
    def forgotten(self) -> timedelta:
        """How long after the last failure all of them are forgotten."""
        return timedelta(hours=self.forgotten_hours)

    @property
    def idle(self) -> timedelta:
        """How long a session lasts when nothing happens."""
        return timedelta(minutes=self.idle_minutes)

    @property
    def longest(self) -> timedelta:
        """How long a session lasts, however busy it is."""
        return timedelta(hours=self.hours)

    @property
    def warning(self) -> timedelta:
        """How long before the end of a session the customer is warned (WCAG 2.2.1)."""
        return timedelta(minutes=self.warning_minutes)


class Invitations(_Part):
    """Invitations to register (B2)."""

    remind_days: Annotated[
        int,
        Field(
            ge=1, le=60, description="How many days before the deadline customers who have not registered are reminded."
        ),
    ] = 7


class Retention(_Part):
    """After how many days data that are no longer needed are erased (GDPR, article 5 (1) e).

    A complete registration goes too: the account holds what is needed of it. The audit trail's default is the five
    years in which claims lapse (Ptk. 6:22. §), and a day.
    """

    registrations_days: Annotated[
        _Days,
        Field(description="Registrations and the reference codes of dead ends, after their end, complete or not."),
    ] = 7
    unactivated_days: Annotated[
        _Days,
        Field(
            description=(
                "Accounts that wait for their activation code, after the last one that was mailed. Until then "
                "their address is taken."
            )
        ),
    ] = 7
    messages_days: Annotated[
        _Days,
        Field(
            description=(
                "That a message was sent, and to whom, after its last attempt. Its content goes when it has "
                "left; a message that has not left stays."
            )
        ),
    ] = 30
    sessions_days: Annotated[
        _Days,
        Field(
            description="Sign-ins, after they were made; with the last one from a browser, that the browser is known."
        ),
    ] = 90
    worklists_days: Annotated[
        _Days, Field(description="Invitations, after their deadline; how a data issue was closed.")
    ] = 365
    events_days: Annotated[
        _Days,
        Field(description="Events of the API's feed, and webhooks that were given up: ids, no personal data."),
    ] = 365
    unsent_files_days: Annotated[_Days, Field(description="Files that were added and never sent, after they came.")] = (
        60
    )
    files_days: Annotated[_Days, Field(description="Files that were sent, and their renditions.")] = 1826
    transfers_days: Annotated[
        _Days,
        Field(
            description=(
                "Transfers that were assigned to an invoice or sent back, after they came in: the payer's name and "
                "words. The payment itself stays. Older entries of a statement are passed over."
            )
        ),
    ] = 1826
    audit_days: Annotated[
        int,
        Field(
            ge=30,
            le=36525,
            description="Who did what to an account: the customer's id, never an address, number or name.",
        ),
    ] = 1826
    figures_days: Annotated[
        int,
        Field(
            ge=31, le=36525, description="How many registered and how many messages left: counts by day, about nobody."
        ),
    ] = 1096

    @property
    def registrations(self) -> timedelta:
        """How long a registration is kept after its end."""
        return timedelta(days=self.registrations_days)

    @property
    def unactivated(self) -> timedelta:
        """How long an account waits for its activation code."""
        return timedelta(days=self.unactivated_days)

    @property
    def messages(self) -> timedelta:
        """How long it is kept that a message was sent."""
        return timedelta(days=self.messages_days)

    @property
    def sessions(self) -> timedelta:
        """How long a sign-in is kept."""
        return timedelta(days=self.sessions_days)

    @property
    def worklists(self) -> timedelta:
        """How long it is kept who was invited, and how a case was closed."""
        return timedelta(days=self.worklists_days)

    @property
    def events(self) -> timedelta:
        """How long events can be read again, and a webhook that was given up can be sent again."""
        return timedelta(days=self.events_days)

    @property
    def unsent_files(self) -> timedelta:
        """How long a file is kept that was never sent."""
        return timedelta(days=self.unsent_files_days)

    @property
    def files(self) -> timedelta:
        """How long a file is kept after it was sent."""
        return timedelta(days=self.files_days)

    @property
    def audit(self) -> timedelta:
        """How long it is kept who did what."""
        return timedelta(days=self.audit_days)

    @property
    def figures(self) -> timedelta:
        """How long it is kept how many registered and how many messages left, a day at a time."""
        return timedelta(days=self.figures_days)


class Contracts(_Part):
    """What the portal says of contracts (P5, P8, P9)."""

    cancel_days: Annotated[
        int,
        Field(ge=0, le=365, description="Days from the last day to cancel to the anniversary."),
    ] = 30
    ended_days: Annotated[
        _Days, Field(description="How long a contract is shown after its end (P9), with all that belongs to it.")
    ] = 1826

    @property
    def notice(self) -> timedelta:
        """How long before its anniversary a contract can be cancelled at the latest."""
        return timedelta(days=self.cancel_days)

    @property
    def shown_after_end(self) -> timedelta:
        """How long a contract is shown after its end."""
        return timedelta(days=self.ended_days)


class Product(_Part):
    """What a product of the register's `product` column is called, and its picture."""

    name: Annotated[
        Mapping[str, str], Field(min_length=1, description='Its name, by language, as `{ hu = "Lakásbiztosítás" }`.')
    ]
    icon: Annotated[
        Literal["car", "house", "building", "shield"], Field(description="The picture beside its contracts.")
    ] = "shield"


class Messages(_Part):
    """What text messages cost, and how many may leave in a calendar month. By default there is no limit.

    The budget is a number of segments or an amount of money, not both.
    """

    sms_price: Annotated[
        Decimal | None,
        Field(gt=0, description="The price of one segment of a text message. Without it no cost is shown."),
    ] = None
    currency: Annotated[
        Annotated[str, _like("[A-Z]{3}", "a currency; write three capitals, such as HUF")] | None,
        Field(description="The currency of the prices."),
    ] = None
    sms_a_month: Annotated[
        int | None,
        Field(ge=1, le=1_000_000_000, description="The budget of a calendar month, in segments."),
    ] = None
    sms_cost_a_month: Annotated[
        Decimal | None, Field(gt=0, description="The budget of a calendar month, in money.")
    ] = None
    warn_at_percent: Annotated[
        int, Field(ge=1, le=100, description="The share of the budget from which there is an alarm.")
    ] = 80

    @model_validator(mode="after")
    def _is_one_budget(self) -> "Messages":
        if (self.sms_price is None) != (self.currency is None):
            raise ValueError("sms_price: a price needs its currency, such as HUF, and a currency a price")
        if self.sms_cost_a_month is not None and self.sms_a_month is not None:
            raise ValueError("sms_a_month: give the month's budget in text messages or in money, not both")
        if self.sms_cost_a_month is not None and (self.sms_price is None or self.sms_cost_a_month < self.sms_price):
            raise ValueError("sms_cost_a_month: a budget of money needs a sms_price, and must be worth one at least")
        return self

    @property
    def sms_budget(self) -> int | None:
        """How many parts may leave in a month; None without a limit."""
        if self.sms_cost_a_month is not None and self.sms_price is not None:
            return int(self.sms_cost_a_month // self.sms_price)
        return self.sms_a_month


class LetterPassword(_Part):
    """The password of electronic correspondence (S1–S4), which opens the letters that are mailed as encrypted PDFs.

    Without one of the customer's own, the last digits of the birth number open them.
    """

    min_length: Annotated[int, Field(ge=6, le=20, description="The least number of characters.")] = 8
    max_length: Annotated[
        int, Field(ge=6, le=20, description="The greatest: it is sent in a text message on a line of its own.")
    ] = 20
    tries: Annotated[int, Field(ge=1, le=10, description="Wrong tries at one's own password before it rests.")] = 3
    tries_minutes: Annotated[int, Field(ge=1, le=1440, description="How long it rests then, in minutes.")] = 30
    resend_days: Annotated[
        int, Field(ge=1, le=3650, description="Letters of how many days are mailed again after a reset.")
    ] = 90
    sensitive: Annotated[
        tuple[str, ...],
        Field(description="Types of letters that are not mailed before the customer has set a password."),
    ] = ()

    @model_validator(mode="after")
    def _has_room(self) -> "LetterPassword":
        if self.min_length > self.max_length:
            raise ValueError("min_length is greater than max_length")
        return self


class Reminders(_Part):
    """What happens to a letter that has a latest day and that nobody opens (P20). `0` is never."""

    mail_days: Annotated[
        int, Field(ge=0, le=365, description="Days after its publication when a mail reminds the customer.")
    ] = 3
    sms_days: Annotated[
        int,
        Field(
            ge=0,
            le=365,
            description="Days before the latest day when a text message does, out of the month's SMS budget.",
        ),
    ] = 10
    print_days: Annotated[
        int, Field(ge=1, le=365, description="Days before the latest day when it goes on the print list.")
    ] = 5
    anniversary_days: Annotated[
        int | None,
        Field(
            ge=1,
            le=365,
            description=(
                "Days from the latest day to the contract's next anniversary, for letters that come without a latest "
                "day. Without it those have none."
            ),
        ),
    ] = None

    @property
    def mail_after(self) -> timedelta:
        """How long after its publication a mail reminds of it."""
        return timedelta(days=self.mail_days)

    @property
    def sms_before(self) -> timedelta:
        """How long before the latest day a text message reminds of it."""
        return timedelta(days=self.sms_days)

    @property
    def print_before(self) -> timedelta:
        """How long before the latest day it goes on the print list."""
        return timedelta(days=self.print_days)


def _account(text: str) -> str:
    try:
        return str(iban.validate(text))
    except ValidationError:
        raise ValueError(f"“{text}” is not an IBAN, such as HU42117730161111101800000000") from None


class Payments(_Part):
    """Where invoices are paid to (P48)."""

    payee: Annotated[
        str,
        _like(r"[^\t\r\n]{1,70}", "a name of at most 70 characters on one line"),
        Field(description="The account's owner, exactly as the bank knows the name."),
    ]
    iban: Annotated[str, AfterValidator(_account), Field(description="The account, as an IBAN.")]
    bic: Annotated[
        str,
        _like("[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", "a BIC, such as OTPVHUHB"),
        Field(description="The account's bank, as a BIC."),
    ]
    qr: Annotated[
        Literal["hct", "pay_by_square"] | None,
        Field(
            description=(
                "The QR code that banking apps read: `hct` is the Hungarian one (MNB 2019), `pay_by_square` the Slovak "
                "one (1.2.0). Without it there is none."
            )
        ),
    ] = None
    refund_days: Annotated[
        int, Field(ge=1, le=30, description="Within how many working days a payment too many is refunded.")
    ] = 5

    @model_validator(mode="after")
    def _has_hungarian_account(self) -> "Payments":
        if self.qr == "hct" and not self.iban.startswith("HU"):
            raise ValueError("iban: the code “hct” needs a Hungarian account")
        return self


class Contact(_Part):
    """Who helps, and when."""

    phone: Annotated[
        str, AfterValidator(_phone), Field(description="Customer service's telephone number, as `+3612345678`.")
    ]
    claim_phone: Annotated[
        Annotated[str, AfterValidator(_phone)] | None,
        Field(description="The number for claims (P46). Without it no page names one."),
    ] = None
    assistance_phone: Annotated[
        Annotated[str, AfterValidator(_phone)] | None,
        Field(description="The number for help on the road and at home, day and night (P46)."),
    ] = None
    privacy_url: Annotated[
        str, AfterValidator(_web_address), Field(description="The address of the privacy information.")
    ]
    legal_url: Annotated[str, AfterValidator(_web_address), Field(description="The address of the legal notice.")]
    mail_from: Annotated[str, AfterValidator(_mail_address), Field(description="The sender of mails.")]


class Brand(_Part):
    """The six values that make the pages an insurer's own."""

    brand: Annotated[
        Colour,
        Field(
            description=(
                "The colour of buttons and links, as `#0d5c63`. It needs a contrast of 4.5 on white and on the canvas."
            )
        ),
    ]
    brand_dark: Annotated[
        Colour, Field(description="The same on dark pages. It needs a contrast of 4.5 on the dark canvas.")
    ]
    accent: Annotated[Colour, Field(description="The colour of ornaments.")]
    canvas: Annotated[Colour, Field(description="The colour behind the page.")]
    canvas_dark: Annotated[Colour, Field(description="The same on dark pages.")]
    radius: Annotated[int, Field(ge=0, le=32, description="How round corners are, in pixels.")]

    @model_validator(mode="after")
    def _is_legible(self) -> "Brand":
        for name, colour, grounds in (
            ("brand", self.brand, ("#ffffff", self.canvas)),
            ("brand_dark", self.brand_dark, (self.canvas_dark,)),
        ):
            for ground in grounds:
                if (ratio := contrast(colour, ground)) < 4.5:
                    raise ValueError(f"{name} {colour} on {ground} has a contrast of {ratio:.1f}; it needs 4.5")
        return self


class Document(_Part):
    """One version of the terms or of the privacy notice."""

    version: Annotated[
        str,
        _like(r"[\w.-]{1,40}", "the name of a version, such as 2026-1: letters, digits, . _ -"),
        Field(description="The name of the version; its texts are `terms/<version>.<language>.html` (or `notice/…`)."),
    ]
    in_force_from: Annotated[date, Field(description="The first day on which it is in force.")]


OTHER_LETTERS = "other"
"""In place of a type of letters: those that have no table of their own."""


class Profile(_Part):
    """Everything by which one insurer differs from another."""

    name: Annotated[
        str,
        _like("[a-z][a-z0-9-]*", "a name: small letters, digits and hyphens, a letter first"),
        Field(description="The name of the profile."),
    ]
    country: Annotated[str, AfterValidator(_country), Field(description="The country, as ISO 3166: `HU`.")]
    timezone: Annotated[str, AfterValidator(_zone), Field(description="The time zone of all times that are shown.")]
    languages: Annotated[
        tuple[str, ...], Field(min_length=1, description="The languages of the pages; the first one is the default.")
    ]
    journey: Annotated[tuple[str, ...], Field(min_length=2, description="The steps of a registration, in order.")]
    identification: Identification
    registration: Registration
    one_time_code: OneTimeCode
    password: PasswordRules
    sign_in: SignIn = SignIn()
    invitations: Invitations = Invitations()
    retention: Retention = Retention()
    messages: Messages = Messages()
    contracts: Contracts = Contracts()
    products: Annotated[
        Mapping[str, Product], Field(description="The products, by their code in the register: a table each.")
    ] = {}
    letters: Annotated[
        Literal["portal", "encrypted_mail"],
        Field(
            description=(
                "`portal`: a mail tells of a letter, which is read in the portal. `encrypted_mail`: the letter also "
                "comes with the mail, as an encrypted PDF."
            )
        ),
    ] = "portal"
    letter_password: LetterPassword = LetterPassword()
    letter_consent: Annotated[
        str,
        _like(r"[\w.-]{1,40}", "the name of a version, such as 2026-1: letters, digits, . _ -"),
        Field(
            description=(
                "The version of the statement on electronic letters, the texts `consent.text.…`. With another word in "
                "it, give it another version: customers are then asked again."
            )
        ),
    ] = "2026-1"
    staff_read_letters: Annotated[
        bool,
        Field(
            description=(
                "Whether customer service may open the letters of an identified customer. The audit trail and the "
                "customer see each time. Advisers need the customer's own permission in any case."
            )
        ),
    ] = False
    reminders: Annotated[
        Mapping[str, Reminders],
        Field(description="For letters that nobody opens: a table for each type, and `other` for the rest."),
    ] = {}
    payments: Annotated[
        Payments | None, Field(description="The table may be missing: then no invoice can be paid here.")
    ] = None
    requests: Annotated[
        Mapping[str, RequestKind],
        Field(
            description="The kinds of requests that customers can make, a table each (P33). Without any there is none."
        ),
    ] = {}
    request_rules: RequestRules = RequestRules()
    contact: Contact
    brand: Brand
    terms: Annotated[tuple[Document, ...], Field(min_length=1, description="The versions of the terms, a table each.")]
    notice: Annotated[tuple[Document, ...], Field(description="The versions of the privacy notice, a table each.")] = ()
    facts: Annotated[
        Mapping[str, Mapping[str, str]], Field(description="For each language, what the texts call the insurer.")
    ]
    wording: Annotated[
        Mapping[str, Mapping[str, str]],
        Field(description="For each language, texts of the catalogue in other words, by key."),
    ] = {}
    folder: Annotated[Path, Field(description="The folder of the profile.")]

    @model_validator(mode="after")
    def _can_speak(self) -> "Profile":
        for language in self.languages:
            if not has_catalogue(language):
                raise ValueError(f"languages: there are no texts in “{language}”")
            if language not in self.facts:
                raise ValueError(f"facts.{language} is missing: what the texts in this language call the insurer")
        return self

    @model_validator(mode="after")
    def _names_products(self) -> "Profile":
        for code, product in self.products.items():
            if self.languages[0] not in product.name:
                raise ValueError(f"products.{code}: name has no text in “{self.languages[0]}”")
        return self

    @model_validator(mode="after")
    def _names_kinds(self) -> "Profile":
        for name, kind in self.requests.items():
            if not is_name_of_kind(name):
                raise ValueError(f"requests.{name}: cannot be the name of a kind; write small letters and hyphens")
            if unknown := [code for code in kind.products if code not in self.products]:
                raise ValueError(f"requests.{name}.products: there is no product “{unknown[0]}” in [products]")
        return self

    @model_validator(mode="after")
    def _has_documents(self) -> "Profile":
        for folder, documents in (("terms", self.terms), ("notice", self.notice)):
            for document in documents:
                file = self.folder / folder / f"{document.version}.{self.languages[0]}.html"
                if not file.is_file():
                    raise ValueError(
                        f"{folder}: the text of version {document.version} is missing: {folder}/{file.name}"
                    )
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The insurer's local time, in which all times are shown."""
        return ZoneInfo(self.timezone)

    def reminders_of(self, letter_type: str) -> Reminders:
        """Return what happens to letters of a type that nobody opens."""
        return self.reminders.get(letter_type) or self.reminders.get(OTHER_LETTERS) or Reminders()

    @cached_property
    def phone_display(self) -> str:
        """The customer service number as people write it."""
        return phonenumbers.format_number(
            phonenumbers.parse(self.contact.phone), phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )

    @cached_property
    def own_texts(self) -> Mapping[str, Mapping[str, str]]:
        """The insurer's own catalogues, `texts/<language>.po`, by language. Raises ValueError for an unreadable one."""
        files = {code: self.folder / "texts" / f"{code}.po" for code in dict.fromkeys((*self.languages, "en", "hu"))}
        return {code: read_catalogue(file) for code, file in files.items() if file.is_file()}

    @cached_property
    def logos(self) -> tuple[Logo, ...]:
        """The logo, and the one for dark pages, as far as the folder has them. Raises UnfitLogo."""
        light, dark = self.folder / LIGHT, self.folder / DARK
        return tuple(read_logo(file) for file in (light, dark) if file.is_file() and light.is_file())

    @cached_property
    def texts(self) -> Texts:
        """The catalogues in this insurer's voice."""
        facts: dict[str, dict[str, Any]] = {}
        for language in self.languages:
            given = self.facts[language]
            facts[language] = {
                **given,
                "phone": self.phone_display,
                "phone_as": self.phone_display + given.get("phone_ending", ""),
            }
        return Texts(self.languages, facts, self.wording, self.own_texts)
