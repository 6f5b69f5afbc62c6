"""Requests in figures: received, answered and closed by kind, open and late ones."""

from datetime import timedelta

from services.requests.figures import OfKind, Standing
from tests.unit.services.requests.test_requests_killed import KIND, fill_in
from tests.world.cast import ANNA, ESZTER, Customer
from tests.world.world import World


def send(world: World, customer: Customer) -> str:
    session, services = world.signed_in(customer), world.portal.requests
    draft = fill_in(world, session)
    return services.drafts.send(session, services.kinds.offer(session, KIND), draft).id


def test_requests_are_counted_by_kind_and_by_how_long_they_took(world: World) -> None:
    for customer in (ANNA, ESZTER):
        world.registered(customer)
    figures, handling = world.portal.requests.figures, world.portal.requests.handling
    first_day = world.clock.now().astimezone(world.profile.zone).date()
    assert (figures.standing(), figures.of_days(first_day, first_day)) == (Standing(0, 0), {})
    first = send(world, ANNA)
    second = send(world, ESZTER)
    world.clock.advance(hours=2)
    handling.take(first, actor="core")
    handling.answer(first, "Megtettük.", actor="core")
    assert figures.standing() == Standing(1, 0)
    world.clock.advance(hours=3)
    handling.close(first, actor="core")
    expected = OfKind(received=2, answered=1, hours_to_answer=2.0, closed=1, hours_to_close=5.0)
    assert figures.of_days(first_day, first_day) == {KIND: expected}
    assert figures.received_lately() == {KIND: 2}
    assert figures.of_days(first_day + timedelta(days=1), first_day + timedelta(days=9)) == {}
    world.clock.advance(days=40)
    assert figures.standing() == Standing(1, 1)
    assert figures.received_lately() == {}
    handling.take(second, actor="core")
    handling.ask(second, "Mikortól?", actor="core")
    assert figures.standing() == Standing(1, 0)
