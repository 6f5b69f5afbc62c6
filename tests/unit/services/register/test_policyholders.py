"""The register: found by what a customer knows; wrong tries are counted before anything is told."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text, update

from services.limits.allowances import Allowances
from services.limits.waits import FailedAttempts
from services.passwords import is_secret
from services.refusal import Refusal
from services.register.policyholders import PolicyHolder, PolicyHolders, SecondDatum
from services.store.engine import Store
from services.store.tables.register import customers, policies
from services.values.identifiers import TaxNumber
from tests.world.cast import (
    ANNA,
    COMMUNICATION_ID,
    COMMUNICATION_PASSWORD,
    ESZTER,
    GABOR,
    ILONA,
    LASZLO,
    MINTA,
    PETER,
    Customer,
)
from tests.world.world import PROFILE, WRONG, move_in

NOW = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)
RULES = PROFILE.identification


class Register:
    """The register with the cast in it."""

    def __init__(self, store: Store) -> None:
        move_in(store)
        self.store = store
        allowances = Allowances("a secret of the tests")
        self.holders = PolicyHolders(RULES, allowances, FailedAttempts(PROFILE.sign_in, allowances))

    def match(self, policy_number: str, datum: SecondDatum, now: datetime = NOW) -> PolicyHolder | str:
        try:
            with self.store.write() as connection:
                return self.holders.match(connection, policy_number, datum, now)
        except Refusal as refusal:
            return refusal.reason

    def secret_of(self, communication_id: str) -> tuple[PolicyHolder, str] | None:
        with self.store.write() as connection:
            return self.holders.secret_of(connection, communication_id, NOW)

    def change(self, table, **values) -> None:
        with self.store.write() as connection:
            connection.execute(update(table).where(table.c.kutid == ANNA.kutid).values(**values))


@pytest.fixture
def register(store: Store) -> Register:
    return Register(store)


@pytest.mark.parametrize("person", [ANNA, MINTA, GABOR, ESZTER])
def test_a_holder_is_found_by_what_they_know(register: Register, person: Customer) -> None:
    assert register.match(person.policy_number, person.knows) == PolicyHolder(person.kutid, True, False)


@pytest.mark.parametrize("person", [ILONA, LASZLO])
def test_a_landline_or_nothing_is_no_mobile(register: Register, person: Customer) -> None:
    assert register.match(person.policy_number, person.knows) == PolicyHolder(person.kutid, False, False)


@pytest.mark.parametrize(
    ("policy_number", "datum"),
    [
        (ANNA.policy_number, WRONG),
        (ANNA.policy_number, MINTA.knows),
        (ANNA.policy_number, SecondDatum()),
        (MINTA.policy_number, ANNA.knows),
        (MINTA.policy_number, SecondDatum()),
        (MINTA.policy_number, SecondDatum(tax_number=TaxNumber("12345676", "1-42"))),
        (PETER.policy_number, PETER.knows),
        ("949999999", ANNA.knows),
        ("", ANNA.knows),
    ],
)
def test_everything_else_is_one_and_the_same_mismatch(
    register: Register, policy_number: str, datum: SecondDatum
) -> None:
    assert register.match(policy_number, datum) == "mismatch"


def test_a_datum_that_is_missing_in_the_record_never_fits(register: Register) -> None:
    register.change(customers, birth_date=None)
    assert register.match(ANNA.policy_number, ANNA.knows) == "mismatch"
    register.change(customers, tax_number="")
    assert register.match(ANNA.policy_number, MINTA.knows) == "mismatch"
    assert register.match(ANNA.policy_number, SecondDatum()) == "mismatch"


def test_every_answer_costs_the_same_statements(register: Register) -> None:
    told: list[str] = []

    def listen(_connection, _cursor, statement, *_rest) -> None:
        told.append(statement)

    costs = []
    event.listen(register.store.engine, "before_cursor_execute", listen)
    try:
        for policy_number in ("949999999", PETER.policy_number, ANNA.policy_number):
            told.clear()
            assert register.match(policy_number, WRONG) == "mismatch"
            costs.append(list(told))
    finally:
        event.remove(register.store.engine, "before_cursor_execute", listen)
    assert costs[0]
    assert costs == [costs[0]] * 3


def test_tries_are_counted_for_numbers_that_do_not_exist_too(register: Register) -> None:
    for policy_number in ("949999999", PETER.policy_number, ANNA.policy_number):
        found = [register.match(policy_number, WRONG) for _ in range(RULES.wrong_tries + 1)]
        assert found == ["mismatch"] * RULES.wrong_tries + ["slowed"]


def test_who_comes_while_others_are_looked_at_waits_for_their_count(postgresql_store: Store) -> None:
    """Otherwise any number of guesses at once would be compared before the first one is counted."""
    register = Register(postgresql_store)
    found: list[PolicyHolder | str] = []
    other = threading.Thread(target=lambda: found.append(register.match(ANNA.policy_number, ANNA.knows)))
    with register.store.write() as connection:
        for _ in range(RULES.wrong_tries):
            with pytest.raises(Refusal):
                register.holders.match(connection, ANNA.policy_number, WRONG, NOW)
        other.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while other.is_alive() and not connection.execute(waiting).scalar():
            pass
    other.join(30)
    assert found == ["slowed"]


def test_a_match_forgets_the_slips_before_it(register: Register) -> None:
    for _ in range(3):
        for _ in range(RULES.wrong_tries - 1):
            assert register.match(ANNA.policy_number, WRONG) == "mismatch"
        assert isinstance(register.match(ANNA.policy_number, ANNA.knows), PolicyHolder)


def test_the_rest_after_too_many_tries_ends_by_itself(register: Register) -> None:
    for _ in range(RULES.wrong_tries):
        register.match(ANNA.policy_number, WRONG)
    assert register.match(ANNA.policy_number, ANNA.knows, NOW + RULES.wait - timedelta(seconds=1)) == "slowed"
    assert isinstance(register.match(ANNA.policy_number, ANNA.knows, NOW + RULES.wait), PolicyHolder)


def test_the_secret_of_a_communication_id(register: Register) -> None:
    found = register.secret_of(COMMUNICATION_ID)
    assert isinstance(found, tuple)
    assert found[0] == PolicyHolder(ANNA.kutid, True, False)
    assert is_secret(COMMUNICATION_PASSWORD, found[1])
    assert register.secret_of("K7654321") is None


def test_a_communication_id_counts_each_look_and_forgets_on_request(register: Register) -> None:
    for _ in range(RULES.wrong_tries):
        assert isinstance(register.secret_of(COMMUNICATION_ID), tuple)
    with pytest.raises(Refusal, match=r"identify\.slowed") as refused:
        register.secret_of(COMMUNICATION_ID)
    assert refused.value.facts == {"at": NOW + RULES.wait, "with_id": True}
    with register.store.write() as connection:
        register.holders.forget_tries(connection, COMMUNICATION_ID)
    assert isinstance(register.secret_of(COMMUNICATION_ID), tuple)


def test_a_communication_id_needs_a_live_policy(register: Register) -> None:
    register.change(policies, status="cancelled")
    assert register.secret_of(COMMUNICATION_ID) is None
