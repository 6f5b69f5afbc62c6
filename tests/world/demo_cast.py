"""The customers of the tests: those of the demo data set."""

from dataclasses import dataclass

LIVE_MOBILE = "+36201234567"
PASSWORD = "Kerek erdő közepén 7 tulipán"


@dataclass(frozen=True)
class Customer:
    """What somebody who registers knows, as the form's fields."""

    policy_number: str
    mobile: str = ""
    born: str = ""
    tax_number: str = ""
    email: str = "valaki@example.hu"

    @property
    def identification(self) -> dict[str, str]:
        """The fields of the first step."""
        if self.tax_number:
            return {"policy_number": self.policy_number, "holder_type": "company", "tax_number": self.tax_number}
        parts = zip(("year", "month", "day"), self.born.split("-"), strict=False)
        return {
            "policy_number": self.policy_number,
            "holder_type": "person",
            **{f"birth_date-{name}": value for name, value in parts},
        }


ANNA = Customer("940000001", "+36201234567", born="1985-03-14", email="anna@example.hu")
MINTA = Customer("940000003", "+36309876543", tax_number="12345676-2-42", email="iroda@minta.hu")
PETER_CANCELLED = Customer("940000004", "+36701234567", born="1970-12-01")
ILONA_LANDLINE_ONLY = Customer("940000005", born="1948-07-22")
GABOR_SOLE_TRADER = Customer("940000006", "+36203334455", tax_number="23456787-1-33", email="gabor@example.hu")
ESZTER_BORN_ON_A_LEAP_DAY = Customer("940000007", "+36705556677", born="2000-02-29", email="eszter@example.hu")
LASZLO_WITHOUT_PHONE = Customer("940000008", born="1962-10-05")
JOZSEF = Customer("940000010", "+36208889900", born="1979-05-30", email="jozsef@example.hu")
MARTA_WITH_MARKUP_IN_HER_NAME = Customer("940000011", "+36204445566", born="1991-11-11", email="marta@example.hu")
NOBODY = Customer("940999999", born="1985-03-14")


def one_of_many(number: int) -> Customer:
    """Return one of the 500 customers who differ by their number only."""
    return Customer(f"9401{number:05}", f"+36201{number:06}", born="1990-01-01", email=f"ugyfel{number}@example.hu")
