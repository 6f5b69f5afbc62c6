"""Invitations and reminders: nobody gets two, whoever orders them, at once, twice, or stopped in the middle."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from services.staff import StaffSession
from services.store.tables.audit import audit
from services.store.tables.messages import outbox
from services.store.tables.register import customer_accounts
from services.store.tables.worklists import batches, invitations
from services.values import email_addresses
from services.worklists import View, dispatch
from services.worklists import invitations as orders
from services.worklists.lists import ALL, INVITED, NOT_INVITED, OVERDUE
from tests.unit.services.worklists.lists import FORM, advise, give_addresses, invite
from tests.world.cast import ANNA, CROWD, ESZTER, ILONA, Customer
from tests.world.outcomes import at_once, outcome_of
from tests.world.victims import Victims
from tests.world.world import World

TEN = CROWD[:10]


def day(world: World, days: int) -> str:
    return (world.clock.now() + timedelta(days=days)).date().isoformat()


def order(world: World, session: StaffSession, form: str = FORM, days: int = 20, **whom: Any) -> str:
    deadline_at = world.invitations.end_of(day(world, days))
    return world.invitations.order(session, form, "invitation", deadline_at=deadline_at, **whom)


def everybody(world: World, session: StaffSession, form: str = FORM, listed: str = NOT_INVITED) -> str:
    return order(world, session, form, view=View(listed))


def got(world: World, message: str = "invitation") -> Counter[str]:
    """Return how many mails of a kind each address has got."""
    subject = world.profile.texts.say(f"mail.{message}.subject", "hu")
    return Counter(letter.to for letter in world.letters("email") if letter.subject == subject)


def once(*people: Customer) -> Counter[str]:
    return Counter(f"{one.kutid}@example.hu" for one in people)


# --- Who is invited ------------------------------------------------------------------------------------------------


def test_the_mail_names_the_deadline_and_its_link_fills_in_the_policy_number_and_nothing_else(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, CROWD[0])
    invite(world, session, CROWD[0])
    (letter,) = world.letters("email")
    assert "2026.\u00a0december\u00a010." in letter.text
    assert letter.link is not None
    address, _, token = letter.link.partition("?meghivo=")
    assert address.endswith("/regisztracio")
    for datum in (CROWD[0].kutid, CROWD[0].policy_number, CROWD[0].name, f"{CROWD[0].kutid}@example.hu"):
        assert datum not in letter.text
    link_id = world.links.read("invitation", token)
    assert link_id is not None
    prefill = world.invitations.prefill(link_id)
    assert prefill is not None
    assert (prefill.kind, prefill.number) == ("policy_number", CROWD[0].policy_number)
    assert world.links.read("confirm", token) is None


def test_the_link_is_of_no_use_after_the_deadline_or_once_there_is_an_account(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, ANNA, ESZTER)
    invite(world, session, ANNA, ESZTER, days=2)
    links = {row.kutid: row.link_id for row in world.rows(invitations)}
    world.registered(ANNA)
    assert world.invitations.prefill(links[ANNA.kutid]) is None
    assert world.invitations.prefill(links[ESZTER.kutid]) is not None
    assert world.invitations.prefill("no such link") is None
    world.clock.advance(days=3)
    assert world.invitations.prefill(links[ESZTER.kutid]) is None


def test_who_manages_a_customer_account_is_told_that_documents_come_only_there(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, *CROWD[:2])
    with world.store.write() as connection:
        for number, (one, manager) in enumerate(zip(CROWD[:2], ("customer", "intermediary"), strict=True)):
            row = {
                "account_number": f"700000{number}",
                "kutid": one.kutid,
                "manager": manager,
                "intermediary": "Alkusz",
            }
            connection.execute(insert(customer_accounts).values(row))
    invite(world, session, *CROWD[:2])
    words = world.profile.texts.say("mail.invitation.manager", "hu")
    assert [words in letter.text for letter in sorted(world.letters("email"), key=lambda one: one.to)] == [True, False]


def test_who_has_no_address_or_has_registered_is_left_out(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, ANNA, CROWD[0])
    marks = [world.mark(session, one) for one in (ANNA, ILONA, CROWD[0])]
    world.registered(ANNA)
    batch_id = order(world, session, marks=marks)
    world.worklist_worker.finish()
    assert got(world) == once(CROWD[0])
    batch = world.invitations.batch(session, batch_id)
    assert (batch.total, batch.sent, batch.skipped) == (3, 1, 2)
    assert batch.ended_at is not None


def test_who_registers_before_the_mail_has_left_does_not_get_it(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, ANNA)
    order(world, session, marks=[world.mark(session, ANNA)])
    world.dispatch.go_on()
    assert [row.state for row in world.rows(outbox)] == ["waiting"]
    with world.store.write() as connection:
        # The mail server is slow to take it; meanwhile everything else goes on.
        connection.execute(update(outbox).values(due_at=world.clock.now() + timedelta(hours=1)))
    world.registered(ANNA)
    world.dispatch.go_on()
    world.clock.advance(hours=2)
    assert got(world) == Counter()


def test_everybody_in_a_list_is_invited_a_few_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "AHEAD", 3)
    session = world.member("supervisor")
    give_addresses(world, *TEN)
    batch_id = everybody(world, session)
    seen = []
    while world.invitations.batch(session, batch_id).ended_at is None:
        world.dispatch.go_on()
        waiting = sum(row.state == "waiting" for row in world.rows(outbox))
        assert waiting <= 3
        # While these have not left, no others are written.
        world.dispatch.go_on()
        assert sum(row.state == "waiting" for row in world.rows(outbox)) <= 3
        batch = world.invitations.batch(session, batch_id)
        seen.append((batch.sent, batch.total))
        world.deliver()
    assert seen[0] == (3, 10)
    assert got(world) == once(*TEN)


def test_who_was_invited_is_invited_again_only_after_the_deadline(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, *TEN[:2])
    invite(world, session, *TEN[:2], days=5)
    invite(world, session, *TEN[:2], form=f"{FORM}-2")
    assert got(world) == once(*TEN[:2])
    world.clock.advance(days=6)
    invite(world, world.member("supervisor"), TEN[0], form=f"{FORM}-3")
    assert got(world) == once(*TEN[:2], TEN[0])
    assert len({row.link_id for row in world.rows(invitations)}) == 2


# --- Twice, at once, killed ------------------------------------------------------------------------------------------


def test_the_same_form_sent_twice_is_one_batch(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, *TEN)
    marks = [world.mark(session, one) for one in TEN]
    answers = at_once([lambda: order(world, session, marks=marks)] * 6)
    assert set(answers) == {FORM}
    assert world.count(batches) == 1
    world.worklist_worker.finish()
    assert got(world) == once(*TEN)
    assert order(world, session, marks=marks) == FORM
    world.worklist_worker.finish()
    assert got(world) == once(*TEN)
    # The form of somebody else is not one's own.
    assert outcome_of(order, world, world.member("supervisor"), marks=[]) in ("customers.empty", "out_of_turn")


def test_two_supervisors_at_once_and_several_workers_invite_everybody_once(world: World) -> None:
    one, other = world.member("supervisor"), world.member("supervisor")
    give_addresses(world, *TEN)
    marks = [world.mark(other, person) for person in TEN[:6]]
    answers = at_once(
        [lambda: everybody(world, one), lambda: order(world, other, f"{FORM}-2", marks=marks)]
        + [world.dispatch.go_on] * 3
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    for _ in range(10):
        answers = at_once([world.dispatch.go_on] * 4)
        assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    world.worklist_worker.finish()
    assert got(world) == once(*TEN)
    done = [world.invitations.batch(session, form) for session, form in ((one, FORM), (other, f"{FORM}-2"))]
    assert sum(batch.sent for batch in done) == len(TEN)
    assert all(batch.ended_at for batch in done)
    assert world.count(invitations) == len(TEN)


@pytest.mark.parametrize("point", ["dispatch.chosen", "dispatch.writing", "dispatch.written"])
def test_killed_at_any_point_a_batch_goes_on_where_it_stopped(world: World, victims: Victims, point: str) -> None:
    session = world.member("supervisor")
    give_addresses(world, *TEN)
    batch_id = everybody(world, session)
    assert victims.take(world, "dispatch", "go_on", crash_at=point) == "killed"
    world.worklist_worker.finish()
    assert got(world) == once(*TEN)
    batch = world.invitations.batch(session, batch_id)
    assert (batch.sent, batch.total) == (10, 10)


def test_killed_between_any_two_statements_nobody_gets_two_and_nobody_none(world: World, victims: Victims) -> None:
    session = world.member("supervisor")
    give_addresses(world, *TEN[:2])
    everybody(world, session)
    statements = 0
    while victims.take(world, "dispatch", "go_on", statements=statements) == "killed":
        statements += 1
        assert world.count(outbox) in (0, 2)
    assert statements > 5
    world.worklist_worker.finish()
    assert got(world) == once(*TEN[:2])


def test_a_batch_can_be_stopped_and_sends_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "AHEAD", 4)
    session, colleague = world.member("supervisor"), world.member("service")
    give_addresses(world, *TEN)
    batch_id = everybody(world, session)
    world.dispatch.go_on()
    assert outcome_of(world.invitations.stop, colleague, batch_id) == "out_of_turn"
    world.invitations.stop(session, batch_id)
    assert outcome_of(world.invitations.stop, session, batch_id) == "out_of_turn"
    world.deliver()
    world.worklist_worker.finish()
    assert got(world) == once(*TEN[:4])
    assert world.invitations.batch(session, batch_id).is_stopped


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_an_adviser_writes_to_their_own_customers_alone(world: World) -> None:
    give_addresses(world, *TEN)
    advise(world, "uk-1", *TEN[:3])
    advise(world, "uk-2", *TEN[3:5])
    adviser = world.member("adviser", adviser="uk-1")
    order(world, adviser, marks=[world.mark(adviser, one) for one in (TEN[0], TEN[3])])
    world.worklist_worker.finish()
    assert got(world) == once(TEN[0])
    order(world, adviser, f"{FORM}-2", view=View(ALL, "uk-2"))
    world.worklist_worker.finish()
    assert got(world) == once(*TEN[:3])


def test_only_supervisors_and_advisers_write_to_everybody_at_once(world: World) -> None:
    clerk = world.member()
    give_addresses(world, *TEN)
    assert outcome_of(everybody, world, clerk) == "customers.supervisor"
    assert outcome_of(order, world, clerk, marks=[]) == "customers.empty"
    assert outcome_of(order, world, clerk, marks=["forged"]) == "out_of_turn"
    assert outcome_of(order, world, clerk, marks=[world.mark(world.member(), TEN[0])]) == "out_of_turn"
    assert outcome_of(order, world, clerk, marks=[world.mark(clerk, TEN[0])]) == "ok"


def test_choosing_more_and_more_is_no_way_to_write_to_everybody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_CHOSEN_A_DAY", 3)
    clerk, boss = world.member(), world.member("supervisor")
    give_addresses(world, *TEN)
    marks = [world.mark(clerk, one) for one in TEN]
    assert outcome_of(order, world, clerk, FORM, marks=marks[:2]) == "ok"
    assert outcome_of(order, world, clerk, FORM, marks=marks[:2]) == "ok"  # a double click
    assert outcome_of(order, world, clerk, f"{FORM}2", marks=marks[2:4]) == "customers.too_many"
    assert outcome_of(order, world, clerk, f"{FORM}3", marks=marks[2:3]) == "ok"
    assert outcome_of(order, world, boss, f"{FORM}4", marks=[world.mark(boss, one) for one in TEN]) == "ok"
    world.clock.advance(days=1)
    again = world.member()
    assert outcome_of(order, world, again, f"{FORM}5", marks=[world.mark(again, one) for one in TEN[:3]]) == "ok"


def test_a_batch_of_who_has_left_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "AHEAD", 2)
    session = world.member("supervisor")
    give_addresses(world, *TEN)
    everybody(world, session)
    world.dispatch.go_on()
    world.staff.disable(email_addresses.parse(session.member.email).key)
    world.deliver()
    assert world.dispatch.go_on() == 0
    assert sum(got(world).values()) == 2


def test_a_batch_is_there_for_who_ordered_it_and_for_supervisors(world: World) -> None:
    clerk, other, boss = world.member(), world.member(), world.member("supervisor")
    give_addresses(world, TEN[0])
    batch_id = invite(world, clerk, TEN[0])
    for seen in (clerk, boss):
        assert world.invitations.batch(seen, batch_id).sent == 1
        assert [one.id for one in world.invitations.recent(seen)] == [batch_id]
    assert outcome_of(world.invitations.batch, other, batch_id) == "out_of_turn"
    assert world.invitations.recent(other) == []


def test_who_has_signed_out_orders_nothing(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, TEN[0])
    world.clock.advance(hours=world.profile.sign_in.hours)
    assert outcome_of(everybody, world, session) == "out_of_turn"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "due_on.empty"),
        ("tomorrow", "due_on.malformed"),
        ("2026-02-30", "due_on.malformed"),
        ("2026-11-20", "due_on.past"),
        ("2020-01-01", "due_on.past"),
        ("2028-01-01", "due_on.too_far"),
        ("2026-11-21", "ok"),
        (" 2027-11-20 ", "ok"),
    ],
)
def test_the_deadline_is_a_day_within_a_year(world: World, text: str, answer: str) -> None:
    assert outcome_of(world.invitations.end_of, text) == answer


def test_everything_ordered_and_sent_is_in_the_trail(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, *TEN[:2])
    invite(world, session, *TEN[:2])
    trail = [(row.action, row.kutid) for row in world.rows(audit) if row.actor == session.member.id]
    assert trail == [("invitations_ordered", None), ("invited", TEN[0].kutid), ("invited", TEN[1].kutid)]


# --- Reminders -------------------------------------------------------------------------------------------------------


def test_whoever_has_not_registered_is_reminded_once_before_the_deadline(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, ANNA, ESZTER)
    invite(world, session, ANNA, ESZTER, days=20)
    world.registered(ANNA)
    remind = world.profile.invitations.remind_days
    world.clock.advance(days=20 - remind - 1)
    world.worklist_worker.finish()
    assert got(world, "reminder") == Counter()
    world.clock.advance(days=1)
    answers = at_once([world.dispatch.go_on] * 4)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    for _ in range(remind + 3):
        world.worklist_worker.finish()
        world.deliver()
        world.clock.advance(days=1)
    assert got(world, "reminder") == once(ESZTER)
    (row,) = (row for row in world.rows(audit) if row.action == "reminded")
    assert (row.actor, row.kutid) == ("system", ESZTER.kutid)


def test_the_reminder_has_the_same_link(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, ESZTER)
    invite(world, session, ESZTER, days=20)
    world.clock.advance(days=15)
    world.worklist_worker.finish()
    first, second = world.letters("email")
    assert first.link == second.link
    assert first.subject != second.subject


def test_nobody_is_reminded_who_was_invited_within_that_time(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, ESZTER)
    invite(world, session, ESZTER, days=3)
    for _ in range(5):
        world.clock.advance(days=1)
        world.worklist_worker.finish()
    assert got(world, "reminder") == Counter()


def test_a_reminder_by_hand_leaves_once_a_day_and_takes_the_place_of_one_that_is_near(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, *TEN[:3])
    invite(world, session, *TEN[:2], days=20)

    def remind(form: str) -> None:
        session = world.member("supervisor")
        marks = [world.mark(session, one) for one in TEN[:3]]
        world.invitations.order(session, f"{FORM}-{form}", "reminder", marks=marks)
        world.worklist_worker.finish()

    remind("a")
    assert got(world, "reminder") == Counter()  # they have just been invited
    world.clock.advance(days=10)
    remind("b")
    remind("c")
    assert got(world, "reminder") == once(*TEN[:2])
    # Due in three days by itself: it has left by hand.
    world.clock.advance(days=5)
    world.worklist_worker.finish()
    assert got(world, "reminder") == once(*TEN[:2])
    world.invitations.order(world.member("supervisor"), f"{FORM}-d", "reminder", view=View(INVITED))
    world.worklist_worker.finish()
    assert got(world, "reminder") == once(*TEN[:2], *TEN[:2])
    world.clock.advance(days=10)
    remind("e")
    assert got(world, "reminder") == once(*TEN[:2], *TEN[:2])  # the deadline is over


def test_who_has_declined_gets_nothing_more_and_staff_see_it(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, *TEN[:2])
    invite(world, session, *TEN[:2], days=20)
    world.deliver()
    links = {row.kutid: row.link_id for row in world.rows(invitations)}
    assert (world.invitations.has_declined(links[TEN[0].kutid]), world.invitations.has_declined("x")) == (False, None)
    assert [world.invitations.decline(link) for link in (links[TEN[0].kutid], links[TEN[0].kutid], "x")] == [
        True, True, False,
    ]  # fmt: skip
    declined_at = world.clock.now()
    (row,) = (row for row in world.rows(audit) if row.action == "invitations_declined")
    assert (row.kutid, row.actor) == (TEN[0].kutid, "customer")
    world.clock.advance(days=15)
    world.worklist_worker.finish()  # the reminder that leaves by itself
    world.clock.advance(days=2)
    session = world.member("supervisor")
    marks = [world.mark(session, one) for one in TEN[:2]]
    world.invitations.order(session, f"{FORM}-reminder", "reminder", marks=marks)
    world.worklist_worker.finish()
    assert got(world, "reminder") == once(TEN[1], TEN[1])
    world.clock.advance(days=30)
    session = world.member("supervisor")
    assert world.unregistered.count_reached(session, View(OVERDUE), "invitation") == 1
    invite(world, session, *TEN[:2], form=f"{FORM}-again")
    assert got(world) == once(*TEN[:2], TEN[1])
    lines = world.unregistered.page(session, View(ALL)).lines
    assert {line.hit.kutid: line.declined_at for line in lines if line.invited_at} == {
        TEN[0].kutid: declined_at, TEN[1].kutid: None,
    }  # fmt: skip


def test_a_mail_that_waits_when_it_is_declined_does_not_leave(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, TEN[0])
    invite(world, session, TEN[0])
    (row,) = world.rows(invitations)
    world.invitations.decline(row.link_id)
    world.worklist_worker.finish()
    assert got(world) == Counter()


def test_a_reminder_that_is_killed_leaves_once(world: World, victims: Victims) -> None:
    session = world.member("supervisor")
    give_addresses(world, ESZTER)
    invite(world, session, ESZTER, days=20)
    world.deliver()
    world.clock.advance(days=15)
    statements = 0
    while victims.take(world, "dispatch", "go_on", statements=statements) == "killed":
        statements += 1
    world.worklist_worker.finish()
    assert got(world, "reminder") == once(ESZTER)


def test_what_must_be_named_is_asked_for(world: World) -> None:
    session = world.member("supervisor")
    deadline_at = world.invitations.end_of(day(world, 3))
    for form, kind, due in (("x", "invitation", deadline_at), (FORM, "letter", None), (FORM, "invitation", None)):
        assert outcome_of(world.invitations.order, session, form, kind, view=View(), deadline_at=due) == "out_of_turn"
    reminder = {"view": View(INVITED), "deadline_at": deadline_at}
    assert outcome_of(world.invitations.order, session, FORM, "reminder", **reminder) == "out_of_turn"
