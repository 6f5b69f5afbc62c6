"""The button of a letter's notice leads to the registration, with the number filled in (T2, T4)."""

from datetime import date

from sqlalchemy import update

from services.letters.publishing import NewLetter
from services.store.tables.register import customers
from tests.world.cast import ANNA
from tests.world.pdfs import pdf
from tests.world.site import Site

ADDRESS = "anna.on.record@example.hu"


def test_the_number_is_filled_in_as_long_as_there_is_no_account(site: Site) -> None:
    letter = NewLetter(ANNA.kutid, "policy", "Kötvény", date(2026, 11, 20), "hu")
    with site.parts.store.write() as connection:
        connection.execute(update(customers).where(customers.c.kutid == ANNA.kutid).values(email=ADDRESS))
    try:
        site.parts.portal.letters.publishing.publish(letter, pdf(), actor="insurer")
        site.advance(seconds=61)
        (mail,) = site.messages(ADDRESS)
    finally:
        with site.parts.store.write() as connection:
            connection.execute(update(customers).where(customers.c.kutid == ANNA.kutid).values(email=None))
    (link,) = [link for link in mail["links"] if "level=" in link]
    address = link[link.index("/regisztracio") :]
    page = site.visitor().open(address)
    assert page.status == 200
    assert page.value("policy_number") == ANNA.policy_number
    forged = site.visitor().open(f"{address}x")
    assert forged.status == 200
    assert not forged.value("policy_number")
    site.open_account()
    assert not site.visitor().open(address).value("policy_number")
