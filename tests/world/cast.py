"""The cast: the customers of the demo data set, and what they know, hold and type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from services.register.policyholders import SecondDatum
from services.sessions import Device
from services.values import email_addresses
from services.values.identifiers import TaxNumber

PASSWORD, OTHER_PASSWORD = "Kek7Hold8Fenyes", "Oszi5Eso6Kapuban"
"""Good by every profile's rules."""
PHONE = Device("the-mark-of-a-phone", "Chrome, Android", "198.51.100.7")
LAPTOP = Device("the-mark-of-a-laptop", "Firefox, Linux", "203.0.113.9")


@dataclass(frozen=True)
class Customer:
    """A customer of an insurer, with what the insurer has on record and what they type in the first step."""

    policy_number: str
    """Or the identifier that stands in its place."""
    mobile: str = ""
    """In E.164; empty where the insurer knows none."""
    born: str = ""
    """The date of birth, in ISO 8601."""
    tax_number: str = ""
    communication_password: str = ""
    email: str = "valaki@example.hu"
    name: str = ""
    kutid: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The first step's fields where another insurer asks for other data."""
    profile: str = "mygenerali"
    """The insurer."""

    @property
    def address(self) -> email_addresses.EmailAddress:
        """The address as services take it."""
        return email_addresses.parse(self.email)

    @property
    def knows(self) -> SecondDatum:
        """The second datum as services take it."""
        if self.tax_number:
            core, _, rest = self.tax_number.partition("-")
            return SecondDatum(tax_number=TaxNumber(core, rest))
        return SecondDatum(date.fromisoformat(self.born))

    @property
    def identification(self) -> dict[str, str]:
        """The first step's fields, by their names."""
        if self.fields:
            return dict(self.fields)
        number = {"policy_number": self.policy_number}
        if self.communication_password:
            secret = {"communication_password": self.communication_password}
            return {**number, "holder_type": "communication_id", **secret}
        if self.tax_number:
            return {**number, "holder_type": "company", "tax_number": self.tax_number}
        return {**number, "holder_type": "person", **_birth_date(self.born)}


def _birth_date(born: str) -> dict[str, str]:
    return {f"birth_date-{part}": text for part, text in zip(("year", "month", "day"), born.split("-"), strict=False)}


# --- MyGenerali --------------------------------------------------------------------------------------------------

ANNA = Customer(
    "940000001", "+36201234567", "1985-03-14", email="anna@example.hu", name="Kovács Anna", kutid="10000001"
)
ANNAS_OTHER_MOBILE = "+36301112233"
COMMUNICATION_ID, COMMUNICATION_PASSWORD = "K1234567", "Levelezes2020"
ANNA_BY_COMMUNICATION_ID = Customer(
    COMMUNICATION_ID, ANNA.mobile, communication_password=COMMUNICATION_PASSWORD, email=ANNA.email
)
MINTA = Customer(
    "940000003",
    "+36309876543",
    tax_number="12345676-2-42",
    email="iroda@minta.hu",
    name="Minta Kereskedelmi Kft.",
    kutid="10000002",
)
"""A company."""
PETER = Customer("940000004", "+36701234567", "1970-12-01", name="Szabó Péter", kutid="10000003")
"""His only policy is cancelled."""
ILONA = Customer("940000005", "", "1948-07-22", name="Nagy Ilona", kutid="10000004")
"""She has a landline only."""
ILONAS_LANDLINE = "+3612345678"
GABOR = Customer(
    "940000006",
    "+36203334455",
    tax_number="23456787-1-33",
    email="gabor@example.hu",
    name="Tóth Gábor e.v.",
    kutid="10000005",
)
"""A sole trader; the insurer has the first eight digits of his tax number on record."""
ESZTER = Customer(
    "940000007", "+36705556677", "2000-02-29", email="eszter@example.hu", name="Varga Eszter", kutid="10000006"
)
"""Born on a leap day."""
LASZLO = Customer("940000008", "", "1962-10-05", name="Horváth László", kutid="10000007")
"""He has no phone."""
JOZSEF = Customer(
    "940000010", "+36208889900", "1979-05-30", email="jozsef@example.hu", name="Kiss József", kutid="10000008"
)
"""He holds the policy of a condominium."""
MARTA = Customer(
    "940000011",
    "+36204445566",
    "1991-11-11",
    email="marta@example.hu",
    name='Fekete <b>Márta</b> & "Fiai"',
    kutid="10000009",
)
"""Her name holds markup."""
NOBODY = Customer("940999999", born="1985-03-14")
"""Not in the register."""


def one_of_many(number: int) -> Customer:
    """Return one of the customers 101 to 600, who differ by their number only."""
    return Customer(
        f"9401{number:05}",
        f"+36201{number:06}",
        "1990-01-01",
        email=f"ugyfel{number}@example.hu",
        name=f"Próba {number}",
        kutid=f"1000{number:04}",
    )


CROWD = tuple(one_of_many(number) for number in range(101, 141))

# --- Other insurers ----------------------------------------------------------------------------------------------

ALLIANZ_BY_POLICY = Customer(
    "940000001",
    "+36201234567",
    fields={"identifier_kind": "policy_number", "identifier": "940000001", "mobile": "06 20 123 4567"},
    profile="allianz",
)
ALLIANZ_BY_ACCOUNT = Customer(
    "7000101",
    "+36201000101",
    fields={"identifier_kind": "account_number", "identifier": "7000101", "mobile": "06 20 100 0101"},
    profile="allianz",
)
GENERTEL = Customer(
    "G10000001",
    "+36201234567",
    fields={
        "customer_number": "G10000001",
        "holder_type": "person",
        **_birth_date("1985-03-14"),
        "postal_code": "1066",
    },
    profile="genertel",
)
GENERTEL_COMPANY = Customer(
    "G10000002",
    "+36309876543",
    fields={
        "customer_number": "g1000 0002",
        "holder_type": "company",
        "tax_number": "12345676-2-42",
        "postal_code": "6720",
    },
    profile="genertel",
)
SLOVAK = Customer(
    "940000001",
    "+421905000001",
    email="anna@example.sk",
    fields={"policy_number": "940000001", "holder_type": "person", "birth_number": "855314/0013"},
    profile="generali-sk",
)
SLOVAK_BORN_BEFORE_1954 = Customer(
    "940000012",
    "+421905000009",
    email="jan@example.sk",
    fields={"policy_number": "940000012", "holder_type": "person", "birth_number": "510409/007"},
    profile="generali-sk",
)
SLOVAK_COMPANY = Customer(
    "940000003",
    "+421905000003",
    email="obchod@example.sk",
    fields={"policy_number": "940000003", "holder_type": "company", "tax_number": "2020000026"},
    profile="generali-sk",
)
OF_OTHER_INSURERS = (
    ALLIANZ_BY_POLICY,
    ALLIANZ_BY_ACCOUNT,
    GENERTEL,
    GENERTEL_COMPANY,
    SLOVAK,
    SLOVAK_BORN_BEFORE_1954,
    SLOVAK_COMPANY,
)
