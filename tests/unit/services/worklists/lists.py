"""What the tests of the worklists do first: addresses, advisers and invitations."""

from datetime import timedelta

from sqlalchemy import insert, update

from services.staff import StaffSession
from services.store.tables.register import advisers, customers
from tests.world.cast import Customer
from tests.world.world import World

FORM = "a-form-of-these-tests"


def give_addresses(world: World, *people: Customer) -> None:
    with world.store.write() as connection:
        for person in people:
            address = f"{person.kutid}@example.hu"
            connection.execute(update(customers).where(customers.c.kutid == person.kutid).values(email=address))


def advise(world: World, adviser: str, *people: Customer) -> None:
    with world.store.write() as connection:
        connection.execute(insert(advisers), [{"kutid": one.kutid, "adviser": adviser} for one in people])


def invite(world: World, session: StaffSession, *people: Customer, days: int = 20, form: str = FORM) -> str:
    marks = [world.mark(session, person) for person in people]
    day = (world.clock.now() + timedelta(days=days)).date().isoformat()
    batch = world.invitations.order(session, form, "invitation", marks=marks, deadline_at=world.invitations.end_of(day))
    world.worklist_worker.finish()
    return batch
