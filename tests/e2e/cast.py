"""The customers of the demo data whom the journeys are about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PASSWORD = "Kek7Hold8Fenyes"


@dataclass(frozen=True)
class Customer:
    """A policyholder and what they type."""

    policy_number: str
    mobile: str
    """In E.164."""
    birth_date: tuple[str, str, str] | None = None
    tax_number: str | None = None
    communication_password: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """What another insurer asks instead: texts to type and, for radio buttons, values to choose."""
    tail: int = 0
    """How many characters of the code they leave out at its start."""

    @property
    def holder_type(self) -> str:
        """What they choose on the first page."""
        if self.communication_password:
            return "communication_id"
        return "company" if self.tax_number else "person"


def nth(number: int) -> Customer:
    """Return one of the 500 customers of whom a test may have its own."""
    return Customer(str(940100101 + number % 500), f"+3620{1000101 + number % 500}", ("1990", "1", "1"))


ANNA = Customer("940000001", "+36201234567", ("1985", "3", "14"))
ANNA_OTHER_MOBILE = "+36301112233"
COMPANY = Customer("940000003", "+36309876543", tax_number="12345676-2-42")
CANCELLED = Customer("940000004", "+36701234567", ("1970", "12", "1"))
LANDLINE = Customer("940000005", "+3612345678", ("1948", "7", "22"))
SOLE_TRADER = Customer("940000006", "+36203334455", tax_number="23456787-1-33")
LEAP_DAY = Customer("940000007", "+36705556677", ("2000", "2", "29"))
NO_PHONE = Customer("940000008", "", ("1962", "10", "5"))
CONDOMINIUM = Customer("940000010", "+36208889900", ("1979", "5", "30"))
MARKUP_NAME = Customer("940000011", "+36204445566", ("1991", "11", "11"))
BY_COMMUNICATION_ID = Customer("K1234567", ANNA.mobile, communication_password="Levelezes2020")

BY_ACCOUNT = Customer(
    "7000101",
    "+36201000101",
    fields={"identifier_kind": "account_number", "identifier": "7000101", "mobile": "06 20 100 0101"},
    tail=1,
)
BY_CUSTOMER_NUMBER = Customer(
    "G10000001",
    ANNA.mobile,
    fields={
        "customer_number": "G10000001",
        "holder_type": "person",
        "birth_date-year": "1985",
        "birth_date-month": "3",
        "birth_date-day": "14",
        "postal_code": "1066",
    },
)
BY_BIRTH_NUMBER = Customer(
    "940000012",
    "+421905000009",
    fields={"policy_number": "940000012", "holder_type": "person", "birth_number": "510409/007"},
)
