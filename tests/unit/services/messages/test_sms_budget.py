"""The SMS budget: hard with several processes, told in time, and no customer pays for it with their allowance."""

import logging
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import event, select

from services.figures import Chosen
from services.messages.composer import Composed
from services.messages.delivery import Delivery
from services.messages.senders import PermanentFailure, TemporaryFailure
from services.messages.sms_budget import SmsBudget
from services.profiles import Messages, Profile
from services.profiles import load as load_profile
from services.register.policyholders import SecondDatum
from services.registrations import COMPLETE
from services.store.engine import Store
from services.store.tables.audit import audit
from services.store.tables.codes import one_time_codes
from services.store.tables.messages import message_figures, outbox, sms_months
from services.store.tables.register import phones
from services.store.tables.registrations import registrations
from services.values import email_addresses
from tests.world.cast import ANNA, CROWD, ESZTER, ILONA, Customer
from tests.world.outcomes import at_once, outcome_of
from tests.world.world import COMPOSER, PROFILE, World, move_in


def with_budget(profile: Profile = PROFILE, **messages: Any) -> Profile:
    return profile.model_copy(update={"messages": Messages(**messages)})


@pytest.fixture
def three(store: Store) -> World:
    """A world whose budget is three text messages a month."""
    move_in(store)
    return World(store, profile=with_budget(sms_a_month=3))


def spend(world: World, count: int) -> None:
    """Let so many text messages leave."""
    for person in CROWD[:count]:
        world.sent_code(person)
        world.deliver()
    world.sms_budget.budget()


def sent(world: World) -> dict[tuple[str, str, str], tuple[int, int]]:
    with world.store.read() as connection:
        rows = connection.execute(select(message_figures)).all()
    return {(row.kind, row.message, row.what): (row.count, row.parts) for row in rows}


# --- What is counted -----------------------------------------------------------------------------------------------


def test_messages_are_counted_as_they_leave(world: World) -> None:
    world.confirmed(ANNA)
    assert sent(world) == {
        ("email", "confirm", "sent"): (1, 0),
        ("email", "confirm", "delivered"): (1, 0),
        ("sms", "code", "sent"): (1, 1),
        ("sms", "code", "delivered"): (1, 0),
    }


class Gateway:
    """A sender that says what it is told to, after it was told that the message leaves."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)

    def send(self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None]) -> None:
        leaving()
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer


def text_by(world: World, gateway: Gateway) -> Delivery:
    """Return a delivery of the world's text messages by this gateway."""
    return Delivery(
        world.store, world.clock, COMPOSER, {"sms": gateway}, world.undelivered, sms_budget=world.sms_budget
    )


def test_what_the_gateway_refused_for_certain_costs_nothing(three: World) -> None:
    delivery = text_by(three, Gateway(TemporaryFailure("busy"), PermanentFailure("no such number"), None))
    three.sent_code(ANNA)
    three.sent_code(ESZTER)
    for _ in range(4):
        delivery.deliver_due()
        three.clock.advance(seconds=90)
    budget = three.sms_budget.budget()
    assert budget is not None
    assert budget.used == 1
    assert {what: count for (kind, _, what), count in sent(three).items() if kind == "sms"} == {
        "sent": (1, 1), "delivered": (1, 0), "given_up": (1, 0),
    }  # fmt: skip


def test_what_may_have_arrived_stays_counted(three: World) -> None:
    delivery = text_by(three, Gateway(TemporaryFailure("broke off", may_have_arrived=True), None))
    three.sent_code(ANNA)
    for _ in range(2):
        delivery.deliver_due()
        three.clock.advance(seconds=90)
    assert sent(three)["sms", "code", "sent"] == (2, 2)
    assert sent(three)["sms", "code", "delivered"] == (1, 0)


def test_the_cost_is_that_of_the_parts(store: Store) -> None:
    move_in(store)
    world = World(store, profile=with_budget(sms_price="18.5", currency="HUF"))
    spend(world, 2)
    day = world.clock.now().date()
    report = world.figures.report(Chosen(day, day))
    assert report.sms_cost == Decimal("37.0")
    assert {one.message: one.cost for one in report.messages} == {"confirm": None, "code": Decimal("37.0")}


# --- The stop ------------------------------------------------------------------------------------------------------


def test_no_more_leave_than_the_budget_allows_however_many_send(store: Store) -> None:
    move_in(store)
    world = World(store, profile=with_budget(sms_a_month=5))
    accesses = [world.linked(person) for person in CROWD[:12]]
    for person, access in zip(CROWD, accesses, strict=False):
        world.registrations.mobiles.choose_mobile(access, person.mobile)
    processes = []
    for _ in range(4):
        other = World(store, world.clock, world.profile)
        other.postman = world.postman
        processes.append(other)
    at_once([other.deliver for other in processes])
    assert len(world.letters("sms")) == 5
    budget = world.sms_budget.budget()
    assert budget is not None
    assert (budget.used, budget.is_stopped) == (5, True)
    # Whose code did not leave has not paid for it, and can ask for another.
    codes = world.rows(one_time_codes)
    assert sorted((row.codes_used, row.is_undelivered) for row in codes) == [(0, True)] * 7 + [(1, False)] * 5


def test_customers_are_told_before_anything_of_theirs_is_spent(three: World) -> None:
    access = three.linked(ANNA)
    spend(three, 3)
    before = three.everything(outbox)
    assert outcome_of(three.registrations.mobiles.choose_mobile, access, ANNA.mobile) == "sms.paused"
    assert three.everything(outbox) == before
    # A new code neither, and the one that was sent before is still good.
    held = three.access_by_mail(CROWD[0].email)
    three.clock.advance(minutes=2)
    assert outcome_of(three.registrations.mobiles.resend_code, held) == "sms.paused"
    code = three.code_sent(CROWD[0].mobile)
    assert three.registrations.mobiles.confirm_mobile(held, code).mobile_confirmed_at is not None


def test_a_journey_that_begins_with_a_code_begins_nothing(store: Store) -> None:
    move_in(store)
    with store.write() as connection:
        connection.execute(phones.update().values(is_default=True))
    allianz = load_profile("allianz")
    world = World(
        store, profile=with_budget(allianz, sms_a_month=1), facts=("identifier", "mobile_confirmed_at", COMPLETE)
    )
    datum = SecondDatum(ANNA.knows.birth_date, mobile=ANNA.mobile)
    assert (
        outcome_of(world.registrations.identification.identify, CROWD[0].policy_number, mobile_of(CROWD[0]), "hu")
        == "ok"
    )
    world.deliver()
    world.sms_budget.budget()
    assert outcome_of(world.registrations.identification.identify, ANNA.policy_number, datum, "hu") == "sms.paused"
    assert len(world.rows(registrations)) == 1


def mobile_of(person: Customer) -> SecondDatum:
    return SecondDatum(person.knows.birth_date, mobile=person.mobile)


def test_staff_send_no_code_either(three: World) -> None:
    spend(three, 3)
    session = three.member()
    case_id = three.case(session, ILONA)
    address = email_addresses.parse("ilona@example.hu")
    before = three.everything(audit)
    assert outcome_of(three.contacts.record, session, case_id, address, "+36209998877", "hu") == "sms.paused"
    assert three.everything(audit) == before
    assert three.deeds(session)[-1] == "refused"


def test_the_next_month_begins_anew(three: World) -> None:
    spend(three, 3)
    three.clock.advance(days=12)
    budget = three.sms_budget.budget()
    assert budget is not None
    assert (budget.used, budget.is_stopped) == (0, False)


def test_a_request_asks_the_database_nothing_of_the_budget(three: World) -> None:
    three.sms_budget.budget()
    asked: list[str] = []
    event.listen(three.store.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert not three.sms_budget.is_stopped()
    assert asked == []


def test_without_a_budget_nothing_stops(world: World) -> None:
    spend(world, 4)
    assert world.sms_budget.budget() is None
    assert not world.sms_budget.is_stopped()


# --- The alarm -----------------------------------------------------------------------------------------------------


def test_an_alarm_is_logged_once_at_the_share_and_again_at_the_stop(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    move_in(store)
    world = World(store, profile=with_budget(sms_a_month=5))
    seen = []
    with caplog.at_level(logging.WARNING, logger="services.messages.sms_budget"):
        for number in range(6):
            world.sent_code(CROWD[number])
            world.deliver()
            seen.append([record.levelname for record in caplog.records if record.name.endswith("sms_budget")])
    assert seen == [[], [], [], ["WARNING"], ["WARNING"], ["WARNING", "ERROR"]]


def test_a_budget_of_money_is_as_many_as_it_pays_for() -> None:
    assert Messages(sms_price="18.5", currency="HUF", sms_cost_a_month=100).sms_budget == 5
    assert Messages(sms_a_month=7).sms_budget == 7
    assert Messages().sms_budget is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"sms_price": 1},
        {"currency": "HUF"},
        {"sms_cost_a_month": 100},
        {"sms_price": 200, "currency": "HUF", "sms_cost_a_month": 100},
        {"sms_price": 1, "currency": "HUF", "sms_cost_a_month": 100, "sms_a_month": 5},
        {"sms_a_month": 0},
    ],
)
def test_a_budget_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Messages(**wrong)


# --- The release ---------------------------------------------------------------------------------------------------


def test_a_supervisor_releases_it_with_a_reason(three: World) -> None:
    spend(three, 3)
    boss, access = three.member("supervisor"), three.linked(ANNA)
    assert outcome_of(three.sms_releases.release, boss, 2, "Kampány miatt", seen=0) == "ok"
    (row,) = (row for row in three.rows(audit) if row.action == "sms_released")
    assert (row.actor, row.facts) == (boss.member.id, {"more": "2", "reason": "Kampány miatt"})
    # At once in this process, and in another as soon as it looks.
    three.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    assert three.code_sent(ANNA.mobile)
    assert not SmsBudget(three.base).is_stopped()


def test_of_two_clicks_one_counts(three: World) -> None:
    boss = three.member("supervisor")
    answers = at_once([partial(outcome_of, three.sms_releases.release, boss, 2, "Kampány", seen=0)] * 3)
    assert sorted(answers) == ["ok", "out_of_turn", "out_of_turn"]
    budget = three.sms_budget.budget()
    assert budget is not None
    assert budget.allowed == 5


def test_others_release_nothing(three: World) -> None:
    for role in ("service", "adviser"):
        member = three.member(role)
        assert outcome_of(three.sms_releases.release, member, 2, "Kampány", seen=0) == "reason.not_supervisor"
    boss = three.member("supervisor", name="Fehér Judit")
    for parts, reason, answer in (
        (None, "Kampány", "more.malformed"),
        (0, "Kampány", "more.malformed"),
        (10**9, "Kampány", "more.malformed"),
        (2, " ", "reason.empty"),
        (2, "anna@example.hu", "reason.personal"),
    ):
        assert outcome_of(three.sms_releases.release, boss, parts, reason, seen=0) == answer
    without = World(three.store, three.clock)
    assert outcome_of(without.sms_releases.release, boss, 2, "Kampány", seen=0) == "out_of_turn"
    assert three.count(sms_months) == 0
