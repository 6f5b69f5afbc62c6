"""The process is killed between any two statements, and at named points: a step is taken wholly or not at all."""

from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import pytest
from sqlalchemy import select

from services.registrations import Access
from services.store.engine import Store
from services.store.tables.accounts import accounts
from services.store.tables.codes import one_time_codes
from services.store.tables.limits import allowances
from services.store.tables.messages import outbox
from services.store.tables.registrations import registrations
from tests.world.cast import ANNA, COMMUNICATION_ID, COMMUNICATION_PASSWORD, CROWD, PASSWORD, Customer
from tests.world.outcomes import outcome_of, wrong_code
from tests.world.victims import Victims
from tests.world.world import World


@dataclass(frozen=True)
class Step:
    """A verb, where a registration stands before it, and what it is given."""

    service: str
    verb: str
    stage: str

    def arguments(self, world: World, person: Customer) -> list[Any]:
        if self.verb == "choose_email":
            return [person.address]
        if self.verb == "choose_mobile":
            return [person.mobile]
        if self.verb == "confirm_mobile":
            return [world.code_sent(person.mobile)]
        return [PASSWORD] if self.verb == "complete" else []


STEPS = (
    Step("emails", "choose_email", "identified"),
    Step("emails", "resend_email", "mailed"),
    Step("mobiles", "choose_mobile", "linked"),
    Step("mobiles", "resend_code", "sent_code"),
    Step("mobiles", "confirm_mobile", "sent_code"),
    Step("consents", "accept_terms", "confirmed"),
    Step("completion", "complete", "accepted"),
)


def everything(store: Store) -> dict[str, list[Any]]:
    """Return all that registrations write."""
    with store.read() as connection:
        return {
            table.name: sorted(connection.execute(select(table)).all(), key=repr)
            for table in (registrations, one_time_codes, allowances, accounts, outbox)
        }


def stand(world: World, step: Step, person: Customer) -> tuple[Access, list[Any]]:
    """Bring a customer to where `step` is due."""
    access = getattr(world, step.stage)(person)
    if step.verb == "accept_terms":
        world.registrations.consents.open_terms(access, world.terms.in_force(world.clock.now()).version)
    world.deliver()
    world.clock.advance(minutes=1)
    return access, step.arguments(world, person)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.verb)
def test_killed_between_any_two_statements_a_step_is_not_taken_and_can_be_taken(
    victims: Victims, world: World, step: Step
) -> None:
    access, arguments = stand(world, step, ANNA)
    before = everything(world.store)
    statements = 0
    while (
        answer := victims.registering(world, step.service)(step.verb, access, *arguments, statements=statements)
    ) == "killed":
        assert everything(world.store) == before, statements
        statements += 1
    assert answer == "ok"
    assert statements >= 2
    assert everything(world.store) != before
    if step.verb == "complete":
        assert len(world.accounts()) == 1
        assert len(world.letters("email", ANNA.email)) == 2


def test_killed_while_identifying_leaves_no_half_registration(victims: Victims, world: World) -> None:
    before = everything(world.store)
    arguments = [COMMUNICATION_ID, COMMUNICATION_PASSWORD, "hu"]
    statements, used = 0, 0
    take = partial(victims.registering(world, "identification"), "identify_by_communication_id", *arguments)
    while (answer := take(statements=statements)) == "killed":
        found = everything(world.store)
        tries = sum(row.used for row in found["allowances"])
        assert tries in (used, used + 1)  # counted before the password is looked at, and kept
        assert found["registrations"] == before["registrations"]
        used, statements = tries, statements + 1
        if used == world.profile.identification.wrong_tries - 1:
            world.clock.advance(hours=1)
            used = 0
    assert answer == "ok"
    assert world.count(registrations) == 1


@pytest.mark.parametrize(
    ("point", "step"),
    [
        ("registrations.mailing", STEPS[0]),
        ("codes.texting", STEPS[2]),
        ("registrations.hashed", STEPS[6]),
        ("registrations.opening", STEPS[6]),
    ],
)
def test_killed_at_a_named_point_before_the_end_nothing_has_happened(
    victims: Victims, world: World, point: str, step: Step
) -> None:
    access, arguments = stand(world, step, ANNA)
    before = everything(world.store)
    assert victims.registering(world, step.service)(step.verb, access, *arguments, crash_at=point) == "killed"
    assert everything(world.store) == before
    assert outcome_of(attrgetter(f"{step.service}.{step.verb}")(world.registrations), access, *arguments) == "ok"


def test_killed_after_the_account_was_opened_it_is_whole_and_so_is_its_mail(victims: Victims, world: World) -> None:
    access, arguments = stand(world, STEPS[6], ANNA)
    assert (
        victims.registering(world, "completion")("complete", access, *arguments, crash_at="registrations.opened")
        == "killed"
    )
    assert [account.kutid for account in world.accounts()] == [ANNA.kutid]
    assert world.registrations.completion.complete(access, PASSWORD).is_complete
    assert len(world.accounts()) == 1
    assert len(world.letters("email", ANNA.email)) == 2


def test_killed_before_the_answer_the_tries_of_guessers_are_kept(victims: Victims, world: World) -> None:
    access, (code,) = stand(world, STEPS[4], CROWD[0])
    tries = world.profile.one_time_code.tries
    for left in reversed(range(tries)):
        take = partial(victims.registering(world, "mobiles"), "confirm_mobile", access, wrong_code(code))
        assert take(crash_at="store.counted") == "killed"
        assert world.see(access).code.tries_left == left
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, code) == "sms_code.wrong"
