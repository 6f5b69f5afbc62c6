"""The process is killed between any two statements, and at named points: a step is taken wholly or not at all."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from house import (
    ANNA,
    COMMUNICATION_ID,
    COMMUNICATION_PASSWORD,
    CROWD,
    PASSWORD,
    HandClock,
    House,
    Person,
    said,
    wrong_code,
)
from sqlalchemy import select

from services.registrations import Visit
from services.store.engine import Store
from services.store.tables import accounts, allowances, one_time_codes, outbox, registrations

VICTIM = """
import json, os, signal, sys
from sqlalchemy import event
from house import HandClock, House, said
from services import email_addresses
from services.registrations import Visit
from services.store.engine import Store

def live(order):
    os.environ["BELEPO_CRASH_AT"] = order["crash_at"]
    store = Store(order["database"])
    left = order["statements"]

    def count(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(store.engine, "before_cursor_execute", count)
    event.listen(store.engine, "commit", count)
    house = House(store)
    house.clock.advance(seconds=order["seconds"])
    verb = getattr(house.registrations, order["verb"])
    arguments = order["arguments"]
    if order["visit"]:
        arguments = [Visit(**order["visit"]), *arguments]
    if order["verb"] == "choose_email":
        arguments[1] = email_addresses.parse(arguments[1])
    return said(verb, *arguments)

for line in sys.stdin:
    order = json.loads(line)
    told, telling = os.pipe()
    child = os.fork()  # everything is imported once; each victim has connections of its own
    if child == 0:
        os.write(telling, live(order).encode())
        os._exit(0)
    os.close(telling)
    os.waitpid(child, 0)
    print(os.read(told, 100).decode() or "killed", flush=True)
    os.close(told)
"""


@dataclass(frozen=True)
class Step:
    """A verb, where a registration stands before it, and what it is given."""

    verb: str
    stage: str

    def arguments(self, house: House, person: Person) -> list[str]:
        if self.verb == "choose_email":
            return [person.email]
        if self.verb == "choose_mobile":
            return [person.mobile]
        if self.verb == "confirm_mobile":
            return [house.code_sent(person.mobile)]
        return [PASSWORD] if self.verb == "complete" else []


STEPS = (
    Step("choose_email", "identified"),
    Step("resend_email", "mailed"),
    Step("choose_mobile", "linked"),
    Step("resend_code", "sent_code"),
    Step("confirm_mobile", "sent_code"),
    Step("accept_terms", "confirmed"),
    Step("complete", "accepted"),
)


class Victims:
    """A process whose children take one step each and are killed when they have done so many statements."""

    def __init__(self) -> None:
        self.start = HandClock().now()
        path = os.pathsep.join((os.getcwd(), str(Path(__file__).parent)))
        self.process = subprocess.Popen(
            [sys.executable, "-c", VICTIM],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def take(
        self,
        house: House,
        verb: str,
        visit: Visit | None,
        arguments: list[str],
        *,
        statements: int = 1000,
        crash_at: str = "",
    ) -> str:
        """Return what the child answered, or ``killed``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "verb": verb,
            "visit": asdict(visit) if visit else None,
            "arguments": arguments,
            "statements": statements,
            "crash_at": crash_at,
            "database": house.store.url.render_as_string(hide_password=False),
            "seconds": (house.clock.now() - self.start).total_seconds(),
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        with self.process:
            self.process.communicate(timeout=30)


@pytest.fixture(scope="session")
def victims() -> Iterator[Victims]:
    """The process whose children are killed; it starts once, because that takes long."""
    made = Victims()
    yield made
    made.close()


def everything(store: Store) -> dict[str, list[Any]]:
    """Return all that registrations write."""
    with store.read() as connection:
        return {
            table.name: sorted(connection.execute(select(table)).all(), key=repr)
            for table in (registrations, one_time_codes, allowances, accounts, outbox)
        }


def stand(house: House, step: Step, person: Person) -> tuple[Visit, list[str]]:
    """Bring a customer to where `step` is due."""
    visit = getattr(house, step.stage)(person)
    if step.verb == "accept_terms":
        house.registrations.open_terms(visit, house.terms.in_force(house.clock.now()).version)
    house.deliver()
    house.clock.advance(minutes=1)
    return visit, step.arguments(house, person)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.verb)
def test_killed_between_any_two_statements_a_step_is_not_taken_and_can_be_taken(
    victims: Victims, house: House, step: Step
) -> None:
    visit, arguments = stand(house, step, ANNA)
    before = everything(house.store)
    statements = 0
    while (answer := victims.take(house, step.verb, visit, arguments, statements=statements)) == "killed":
        assert everything(house.store) == before, statements
        statements += 1
    assert answer == "ok"
    assert statements >= 2
    assert everything(house.store) != before
    if step.verb == "complete":
        assert len(house.accounts()) == 1
        assert len(house.letters("email", ANNA.email)) == 2


def test_killed_while_identifying_leaves_no_half_registration(victims: Victims, house: House) -> None:
    before = everything(house.store)
    arguments = [COMMUNICATION_ID, COMMUNICATION_PASSWORD, "hu"]
    statements, used = 0, 0
    take = partial(victims.take, house, "identify_by_communication_id", None, arguments)
    while (answer := take(statements=statements)) == "killed":
        found = everything(house.store)
        tries = sum(row.used for row in found["allowances"])
        assert tries in (used, used + 1)  # counted before the password is looked at, and kept
        assert found["registrations"] == before["registrations"]
        used, statements = tries, statements + 1
        if used == house.profile.identification.wrong_tries - 1:
            house.clock.advance(hours=1)
            used = 0
    assert answer == "ok"
    assert house.count(registrations) == 1


@pytest.mark.parametrize(
    ("point", "step"),
    [
        ("registrations.mailing", STEPS[0]),
        ("registrations.texting", STEPS[2]),
        ("registrations.hashed", STEPS[6]),
        ("registrations.opening", STEPS[6]),
    ],
)
def test_killed_at_a_named_point_before_the_end_nothing_has_happened(
    victims: Victims, house: House, point: str, step: Step
) -> None:
    visit, arguments = stand(house, step, ANNA)
    before = everything(house.store)
    assert victims.take(house, step.verb, visit, arguments, crash_at=point) == "killed"
    assert everything(house.store) == before
    again = {"choose_email": lambda: house.registrations.choose_email(visit, ANNA.address)}
    verb = again.get(step.verb, lambda: getattr(house.registrations, step.verb)(visit, *arguments))
    assert said(verb) == "ok"


def test_killed_after_the_account_was_opened_it_is_whole_and_so_is_its_mail(victims: Victims, house: House) -> None:
    visit, arguments = stand(house, STEPS[6], ANNA)
    assert victims.take(house, "complete", visit, arguments, crash_at="registrations.opened") == "killed"
    assert [account.kutid for account in house.accounts()] == [ANNA.kutid]
    assert house.registrations.complete(visit, PASSWORD).is_complete
    assert len(house.accounts()) == 1
    assert len(house.letters("email", ANNA.email)) == 2


def test_killed_before_the_answer_the_tries_of_guessers_are_kept(victims: Victims, house: House) -> None:
    visit, (code,) = stand(house, STEPS[4], CROWD[0])
    tries = house.profile.one_time_code.tries
    for left in reversed(range(tries)):
        take = partial(victims.take, house, "confirm_mobile", visit, [wrong_code(code)])
        assert take(crash_at="registrations.tried") == "killed"
        assert house.see(visit).code.tries_left == left
    assert said(house.registrations.confirm_mobile, visit, code) == "sms_code.wrong"
