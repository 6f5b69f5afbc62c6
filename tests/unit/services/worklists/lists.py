"""What the tests of the worklists do first: addresses, advisers and invitations."""

from datetime import timedelta

from sqlalchemy import insert, update

from services.staff import StaffSession
from services.store.tables.register import advisers, customers
from tests.world.cast import Customer
from tests.world.world import House

FORM = "a-form-of-these-tests"


def give_addresses(house: House, *people: Customer) -> None:
    with house.store.write() as connection:
        for person in people:
            address = f"{person.kutid}@example.hu"
            connection.execute(update(customers).where(customers.c.kutid == person.kutid).values(email=address))


def advise(house: House, adviser: str, *people: Customer) -> None:
    with house.store.write() as connection:
        connection.execute(insert(advisers), [{"kutid": one.kutid, "adviser": adviser} for one in people])


def invite(house: House, session: StaffSession, *people: Customer, days: int = 20, form: str = FORM) -> str:
    marks = [house.mark(session, person) for person in people]
    day = (house.clock.now() + timedelta(days=days)).date().isoformat()
    batch = house.invitations.order(session, form, "invitation", marks=marks, deadline_at=house.invitations.end_of(day))
    house.chores.finish()
    return batch
