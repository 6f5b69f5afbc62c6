"""One-time codes by themselves: the row, the budget, the keys."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, true

from services.codes.one_time_codes import Issued, OneTimeCodes
from services.refusal import DeadEnd, Refusal
from services.store.engine import Store
from services.store.tables.codes import one_time_codes
from services.store.tables.register import customers
from tests.world.cast import ANNA, ANNAS_OTHER_MOBILE
from tests.world.outcomes import outcome_of, wrong_code
from tests.world.world import KEYS, PROFILE

NOW = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)
RULES = PROFILE.one_time_code


class Counter:
    """One customer at the counter, where codes are asked for and tried."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.codes = OneTimeCodes(RULES, KEYS)
        with store.write() as connection:
            connection.execute(customers.insert().values(kutid=ANNA.kutid, holder_type="person", name=ANNA.name))

    def issue(self, now: datetime = NOW, **changes: Any) -> Issued:
        asked = {"registration_id": "first", "mobile": ANNA.mobile, "ends_at": now + timedelta(hours=1), **changes}
        with self.store.write() as connection:
            return self.codes.issue(connection, kutid=ANNA.kutid, now=now, **asked)

    def redeem(self, code: str, now: datetime = NOW, registration_id: str = "first", keys: tuple = KEYS) -> bool:
        with self.store.write() as connection:
            return OneTimeCodes(RULES, keys).redeem(
                connection, code, registration_id=registration_id, now=now, only_if=true()
            )

    def give_back(self) -> None:
        with self.store.write() as connection:
            self.codes.give_back(connection, ANNA.kutid)

    def row(self) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(one_time_codes)).one()


@pytest.fixture
def counter(store: Store) -> Counter:
    return Counter(store)


def test_a_code_has_the_profiles_length_and_lifetime(counter: Counter) -> None:
    issued = counter.issue()
    assert (len(issued.code), issued.code.isdecimal()) == (RULES.length, True)
    assert issued.is_first
    assert issued.state.expires_at == NOW + RULES.lifetime
    assert (issued.state.tries_left, issued.state.codes_left(NOW)) == (RULES.tries, RULES.codes - 1)
    assert issued.state.again_at == NOW + RULES.again


def test_a_code_is_dead_when_the_registration_ends(counter: Counter) -> None:
    assert counter.issue(ends_at=NOW + MINUTE).state.expires_at == NOW + MINUTE
    assert outcome_of(counter.redeem, "0000", NOW + MINUTE) == "sms_code.expired"


def test_the_code_itself_is_not_kept(counter: Counter) -> None:
    code = counter.issue().code
    kept = counter.row()
    assert code not in (kept.code_mac, kept.serial, kept.registration_id)
    assert len(kept.code_mac) == 64


def test_the_same_code_is_kept_differently_each_time(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.randomness.digits", lambda length: "4827")
    counter.issue()
    first = counter.row().code_mac
    counter.issue(NOW + RULES.again)
    assert counter.row().code_mac != first


def test_a_right_code_costs_a_try_too(counter: Counter) -> None:
    assert counter.redeem(counter.issue().code)
    assert (counter.row().tries_left, counter.row().guesses_used) == (RULES.tries - 1, 1)


def test_without_a_code_there_is_nothing_to_try(counter: Counter) -> None:
    assert outcome_of(counter.redeem, "0000") == "sms_code.none_sent"
    issued = counter.issue()
    assert outcome_of(counter.redeem, issued.code, registration_id="second") == "sms_code.none_sent"
    assert counter.row().tries_left == RULES.tries


def test_nothing_is_counted_while_the_step_is_not_due(counter: Counter) -> None:
    code = counter.issue().code
    with counter.store.write() as connection:
        answer = outcome_of(counter.codes.redeem, connection, code, registration_id="first", now=NOW, only_if=~true())
    assert answer == "sms_code.wrong"
    assert counter.row().tries_left == RULES.tries


def test_a_new_key_signs_and_the_older_ones_verify(counter: Counter) -> None:
    code = counter.issue().code
    assert counter.redeem(code, keys=("a key that is newer than the others", *KEYS))
    assert not counter.redeem(code, keys=("a key that is newer than the others", KEYS[1]))


def test_a_code_is_bound_to_its_request(counter: Counter) -> None:
    """A code that was right for another sending is wrong, though it is the same customer's (ASVS 6.6.2)."""
    older = counter.issue().code
    newer = counter.issue(NOW + RULES.again, mobile=ANNAS_OTHER_MOBILE, registration_id="second").code
    assert outcome_of(counter.redeem, older) == "sms_code.none_sent"
    assert counter.redeem(newer, NOW + RULES.again, "second")
    assert not counter.redeem(wrong_code(newer), NOW + RULES.again, "second")


def test_asking_again_waits(counter: Counter) -> None:
    counter.issue()
    with pytest.raises(Refusal) as early:
        counter.issue(NOW + timedelta(milliseconds=1500))
    assert (early.value.field, early.value.reason) == ("sms_resend", "too_early")
    assert early.value.facts["seconds"] == RULES.again_seconds - 1
    assert not counter.issue(NOW + RULES.again).is_first


def test_the_budget_of_codes_is_per_customer_and_begins_anew_after_its_time(counter: Counter) -> None:
    for number in range(RULES.codes):
        state = counter.issue(NOW + number * MINUTE, registration_id=f"number {number}").state
    assert not state.is_dead_end(NOW)
    last = NOW + (RULES.codes - 1) * MINUTE
    with pytest.raises(DeadEnd) as dead_end:
        counter.issue(last + DAY - MINUTE)
    assert dead_end.value.facts["again_at"] == last + DAY
    for turn in range(RULES.codes):
        issued = counter.issue(last + DAY + turn * MINUTE)
        assert (issued.is_first, issued.state.codes_left(NOW)) == (turn == 0, RULES.codes - 1 - turn)
        assert issued.state.budget_ends_at == last + 2 * DAY + turn * MINUTE
    assert outcome_of(counter.issue, last + DAY + 9 * MINUTE) == "codes_used_up"


@pytest.mark.parametrize("tries", [0, RULES.tries])
def test_any_day_holds_the_budget_and_no_more_however_it_was_begun(counter: Counter, tries: int) -> None:
    """Two budgets used up on either side of a day's end would be fifteen guesses in a quarter of an hour."""
    sent: list[datetime] = []
    guessed: list[datetime] = []
    now = NOW
    while now < NOW + 2.5 * DAY:
        if outcome_of(counter.issue, now) == "ok":
            sent.append(now)
            for _ in range(tries if len(sent) > 1 else 0):  # the first one is only asked for
                assert not counter.redeem("no code at all", now)
                guessed.append(now)
        now += DAY - 10 * MINUTE if now == NOW else 10 * MINUTE
    assert len(sent) > RULES.codes
    for kept, limit in ((sent, RULES.codes), (guessed, RULES.guesses)):
        assert max((sum(one <= other < one + DAY for other in kept) for one in kept), default=0) <= limit


def test_a_guess_counts_for_a_day(counter: Counter) -> None:
    counter.issue()
    counter.redeem("no code at all", NOW + 20 * MINUTE)
    assert counter.row().budget_ends_at == NOW + 20 * MINUTE + DAY


def test_a_guess_does_not_take_back_the_new_budget_that_staff_gave(counter: Counter) -> None:
    counter.issue()
    with counter.store.write() as connection:
        assert counter.codes.renew_budget(connection, ANNA.kutid, NOW + MINUTE)
    counter.redeem("no code at all", NOW + 2 * MINUTE)
    assert counter.issue(NOW + 3 * MINUTE).state.codes_left(NOW + 3 * MINUTE) == RULES.codes - 1


def test_the_budget_of_guesses_ends_everything(counter: Counter) -> None:
    for number in range(RULES.codes):
        wrong = wrong_code(counter.issue(NOW + number * MINUTE).code)
        assert [counter.redeem(wrong, NOW + number * MINUTE) for _ in range(RULES.tries)] == [False] * RULES.tries
    counter.give_back()  # even a code that is given back gives no new guesses
    state = counter.codes.state(counter.row()._mapping)
    assert (state.is_budget_spent, state.is_usable(NOW), state.is_dead_end(NOW)) == (True, False, True)
    last = NOW + (RULES.codes - 1) * MINUTE
    assert not state.is_dead_end(last + DAY)
    assert outcome_of(counter.issue, NOW + 5 * MINUTE) == "codes_used_up"
    assert outcome_of(counter.redeem, "0000", NOW + 5 * MINUTE) == "codes_used_up"
    assert counter.redeem(counter.issue(last + DAY).code, last + DAY)


def test_an_undelivered_code_is_given_back_once(counter: Counter) -> None:
    counter.issue()
    for _ in range(3):
        counter.give_back()
    state = counter.codes.state(counter.row()._mapping)
    assert (state.is_undelivered, state.codes_left(NOW), state.again_at) == (True, RULES.codes, NOW)
    assert counter.issue(NOW).state.codes_left(NOW) == RULES.codes - 1


def test_a_clock_that_steps_back_gives_no_new_codes(counter: Counter) -> None:
    for number in range(RULES.codes):
        counter.issue(NOW + number * MINUTE)
    assert outcome_of(counter.issue, NOW - DAY) == "codes_used_up"


def test_giving_back_without_a_code_does_nothing(counter: Counter) -> None:
    counter.give_back()
    with counter.store.read() as connection:
        assert rows(connection) == 0


def rows(connection: Connection) -> int:
    return len(connection.execute(select(one_time_codes)).all())
