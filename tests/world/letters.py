"""Letters that the insurer has published, for the tests of the portal's pages."""

from datetime import date
from typing import Any

from sqlalchemy import update

from services.letters.publishing import NewLetter
from services.store.tables.letters import letters
from tests.world.cast import ANNA, Customer
from tests.world.pdfs import pdf
from tests.world.site import Site


def kutid_of(site: Site, customer: Customer = ANNA) -> str:
    """Return the id of the customer with this policy."""
    return next(str(row.kutid) for row in site.rows("policies") if row.policy_number == customer.policy_number)


def publish(site: Site, customer: Customer = ANNA, content: bytes = b"", **facts: Any) -> str:
    """Publish a letter to a customer, and return its id."""
    usual: dict[str, Any] = {
        "type": "payment_request",
        "title": "Díjbekérő",
        "issued_on": date(2026, 11, 20),
        "language": "hu",
        "policy_number": customer.policy_number,
    }
    letter = NewLetter(kutid=kutid_of(site, customer), **{**usual, **facts})
    return site.parts.portal.letters.publishing.publish(letter, content or pdf(), actor="insurer")


def change(site: Site, letter_id: str, **values: Any) -> None:
    """Let a letter be as it cannot be made through the insurer's doors."""
    with site.parts.store.write() as connection:
        connection.execute(update(letters).where(letters.c.id == letter_id).values(**values))
