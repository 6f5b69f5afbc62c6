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
from services.worklists import View, rounds
from services.worklists import invitations as orders
from services.worklists.lists import ALL, INVITED, NOT_INVITED, OVERDUE
from tests.unit.services.worklists.lists import FORM, advise, give_addresses, invite
from tests.world.cast import ANNA, CROWD, ESZTER, ILONA, Customer
from tests.world.outcomes import at_once, said
from tests.world.victims import Victims
from tests.world.world import House

TEN = CROWD[:10]


def day(house: House, days: int) -> str:
    return (house.clock.now() + timedelta(days=days)).date().isoformat()


def order(house: House, session: StaffSession, form: str = FORM, days: int = 20, **whom: Any) -> str:
    deadline_at = house.invitations.end_of(day(house, days))
    return house.invitations.order(session, form, "invitation", deadline_at=deadline_at, **whom)


def everybody(house: House, session: StaffSession, form: str = FORM, listed: str = NOT_INVITED) -> str:
    return order(house, session, form, view=View(listed))


def got(house: House, message: str = "invitation") -> Counter[str]:
    """Return how many mails of a kind each address has got."""
    subject = house.profile.texts.say(f"mail.{message}.subject", "hu")
    return Counter(letter.to for letter in house.letters("email") if letter.subject == subject)


def once(*people: Customer) -> Counter[str]:
    return Counter(f"{one.kutid}@example.hu" for one in people)


# --- Who is invited ------------------------------------------------------------------------------------------------


def test_the_mail_names_the_deadline_and_its_link_fills_in_the_policy_number_and_nothing_else(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, CROWD[0])
    invite(house, session, CROWD[0])
    (letter,) = house.letters("email")
    assert "2026.\u00a0december\u00a010." in letter.text
    assert letter.link is not None
    address, _, token = letter.link.partition("?meghivo=")
    assert address.endswith("/regisztracio")
    for datum in (CROWD[0].kutid, CROWD[0].policy_number, CROWD[0].name, f"{CROWD[0].kutid}@example.hu"):
        assert datum not in letter.text
    link_id = house.links.read("invitation", token)
    assert link_id is not None
    prefill = house.invitations.prefill(link_id)
    assert prefill is not None
    assert (prefill.kind, prefill.number) == ("policy_number", CROWD[0].policy_number)
    assert house.links.read("confirm", token) is None


def test_the_link_is_of_no_use_after_the_deadline_or_once_there_is_an_account(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, ANNA, ESZTER)
    invite(house, session, ANNA, ESZTER, days=2)
    links = {row.kutid: row.link_id for row in house.rows(invitations)}
    house.registered(ANNA)
    assert house.invitations.prefill(links[ANNA.kutid]) is None
    assert house.invitations.prefill(links[ESZTER.kutid]) is not None
    assert house.invitations.prefill("no such link") is None
    house.clock.advance(days=3)
    assert house.invitations.prefill(links[ESZTER.kutid]) is None


def test_who_manages_a_customer_account_is_told_that_documents_come_only_there(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, *CROWD[:2])
    with house.store.write() as connection:
        for number, (one, manager) in enumerate(zip(CROWD[:2], ("customer", "intermediary"), strict=True)):
            row = {
                "account_number": f"700000{number}",
                "kutid": one.kutid,
                "manager": manager,
                "intermediary": "Alkusz",
            }
            connection.execute(insert(customer_accounts).values(row))
    invite(house, session, *CROWD[:2])
    words = house.profile.texts.say("mail.invitation.manager", "hu")
    assert [words in letter.text for letter in sorted(house.letters("email"), key=lambda one: one.to)] == [True, False]


def test_who_has_no_address_or_has_registered_is_left_out(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, ANNA, CROWD[0])
    marks = [house.mark(session, one) for one in (ANNA, ILONA, CROWD[0])]
    house.registered(ANNA)
    batch_id = order(house, session, marks=marks)
    house.chores.finish()
    assert got(house) == once(CROWD[0])
    batch = house.invitations.batch(session, batch_id)
    assert (batch.total, batch.sent, batch.skipped) == (3, 1, 2)
    assert batch.ended_at is not None


def test_who_registers_before_the_mail_has_left_does_not_get_it(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, ANNA)
    order(house, session, marks=[house.mark(session, ANNA)])
    house.rounds.go_on()
    assert [row.state for row in house.rows(outbox)] == ["waiting"]
    with house.store.write() as connection:
        # The mail server is slow to take it; meanwhile everything else goes on.
        connection.execute(update(outbox).values(due_at=house.clock.now() + timedelta(hours=1)))
    house.registered(ANNA)
    house.rounds.go_on()
    house.clock.advance(hours=2)
    assert got(house) == Counter()


def test_everybody_in_a_list_is_invited_a_few_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "AHEAD", 3)
    session = house.member("supervisor")
    give_addresses(house, *TEN)
    batch_id = everybody(house, session)
    seen = []
    while house.invitations.batch(session, batch_id).ended_at is None:
        house.rounds.go_on()
        waiting = sum(row.state == "waiting" for row in house.rows(outbox))
        assert waiting <= 3
        # While these have not left, no others are written.
        house.rounds.go_on()
        assert sum(row.state == "waiting" for row in house.rows(outbox)) <= 3
        batch = house.invitations.batch(session, batch_id)
        seen.append((batch.sent, batch.total))
        house.deliver()
    assert seen[0] == (3, 10)
    assert got(house) == once(*TEN)


def test_who_was_invited_is_invited_again_only_after_the_deadline(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, *TEN[:2])
    invite(house, session, *TEN[:2], days=5)
    invite(house, session, *TEN[:2], form=f"{FORM}-2")
    assert got(house) == once(*TEN[:2])
    house.clock.advance(days=6)
    invite(house, house.member("supervisor"), TEN[0], form=f"{FORM}-3")
    assert got(house) == once(*TEN[:2], TEN[0])
    assert len({row.link_id for row in house.rows(invitations)}) == 2


# --- Twice, at once, killed ------------------------------------------------------------------------------------------


def test_the_same_form_sent_twice_is_one_batch(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, *TEN)
    marks = [house.mark(session, one) for one in TEN]
    answers = at_once([lambda: order(house, session, marks=marks)] * 6)
    assert set(answers) == {FORM}
    assert house.count(batches) == 1
    house.chores.finish()
    assert got(house) == once(*TEN)
    assert order(house, session, marks=marks) == FORM
    house.chores.finish()
    assert got(house) == once(*TEN)
    # The form of somebody else is not one's own.
    assert said(order, house, house.member("supervisor"), marks=[]) in ("customers.empty", "out_of_turn")


def test_two_supervisors_at_once_and_several_workers_invite_everybody_once(house: House) -> None:
    one, other = house.member("supervisor"), house.member("supervisor")
    give_addresses(house, *TEN)
    marks = [house.mark(other, person) for person in TEN[:6]]
    answers = at_once(
        [lambda: everybody(house, one), lambda: order(house, other, f"{FORM}-2", marks=marks)]
        + [house.rounds.go_on] * 3
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    for _ in range(10):
        answers = at_once([house.rounds.go_on] * 4)
        assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    house.chores.finish()
    assert got(house) == once(*TEN)
    done = [house.invitations.batch(session, form) for session, form in ((one, FORM), (other, f"{FORM}-2"))]
    assert sum(batch.sent for batch in done) == len(TEN)
    assert all(batch.ended_at for batch in done)
    assert house.count(invitations) == len(TEN)


@pytest.mark.parametrize("point", ["rounds.chosen", "rounds.writing", "rounds.written"])
def test_killed_at_any_point_a_batch_goes_on_where_it_stopped(house: House, victims: Victims, point: str) -> None:
    session = house.member("supervisor")
    give_addresses(house, *TEN)
    batch_id = everybody(house, session)
    assert victims.take(house, "rounds", "go_on", crash_at=point) == "killed"
    house.chores.finish()
    assert got(house) == once(*TEN)
    batch = house.invitations.batch(session, batch_id)
    assert (batch.sent, batch.total) == (10, 10)


def test_killed_between_any_two_statements_nobody_gets_two_and_nobody_none(house: House, victims: Victims) -> None:
    session = house.member("supervisor")
    give_addresses(house, *TEN[:2])
    everybody(house, session)
    statements = 0
    while victims.take(house, "rounds", "go_on", statements=statements) == "killed":
        statements += 1
        assert house.count(outbox) in (0, 2)
    assert statements > 5
    house.chores.finish()
    assert got(house) == once(*TEN[:2])


def test_a_batch_can_be_stopped_and_sends_nothing_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "AHEAD", 4)
    session, colleague = house.member("supervisor"), house.member("service")
    give_addresses(house, *TEN)
    batch_id = everybody(house, session)
    house.rounds.go_on()
    assert said(house.invitations.stop, colleague, batch_id) == "out_of_turn"
    house.invitations.stop(session, batch_id)
    assert said(house.invitations.stop, session, batch_id) == "out_of_turn"
    house.deliver()
    house.chores.finish()
    assert got(house) == once(*TEN[:4])
    assert house.invitations.batch(session, batch_id).is_stopped


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_an_adviser_writes_to_their_own_customers_alone(house: House) -> None:
    give_addresses(house, *TEN)
    advise(house, "uk-1", *TEN[:3])
    advise(house, "uk-2", *TEN[3:5])
    adviser = house.member("adviser", adviser="uk-1")
    order(house, adviser, marks=[house.mark(adviser, one) for one in (TEN[0], TEN[3])])
    house.chores.finish()
    assert got(house) == once(TEN[0])
    order(house, adviser, f"{FORM}-2", view=View(ALL, "uk-2"))
    house.chores.finish()
    assert got(house) == once(*TEN[:3])


def test_only_supervisors_and_advisers_write_to_everybody_at_once(house: House) -> None:
    clerk = house.member()
    give_addresses(house, *TEN)
    assert said(everybody, house, clerk) == "customers.supervisor"
    assert said(order, house, clerk, marks=[]) == "customers.empty"
    assert said(order, house, clerk, marks=["forged"]) == "out_of_turn"
    assert said(order, house, clerk, marks=[house.mark(house.member(), TEN[0])]) == "out_of_turn"
    assert said(order, house, clerk, marks=[house.mark(clerk, TEN[0])]) == "ok"


def test_choosing_more_and_more_is_no_way_to_write_to_everybody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_CHOSEN_A_DAY", 3)
    clerk, boss = house.member(), house.member("supervisor")
    give_addresses(house, *TEN)
    marks = [house.mark(clerk, one) for one in TEN]
    assert said(order, house, clerk, FORM, marks=marks[:2]) == "ok"
    assert said(order, house, clerk, FORM, marks=marks[:2]) == "ok"  # a double click
    assert said(order, house, clerk, f"{FORM}2", marks=marks[2:4]) == "customers.too_many"
    assert said(order, house, clerk, f"{FORM}3", marks=marks[2:3]) == "ok"
    assert said(order, house, boss, f"{FORM}4", marks=[house.mark(boss, one) for one in TEN]) == "ok"
    house.clock.advance(days=1)
    again = house.member()
    assert said(order, house, again, f"{FORM}5", marks=[house.mark(again, one) for one in TEN[:3]]) == "ok"


def test_a_batch_of_who_has_left_is_over(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "AHEAD", 2)
    session = house.member("supervisor")
    give_addresses(house, *TEN)
    everybody(house, session)
    house.rounds.go_on()
    house.staff.disable(email_addresses.parse(session.member.email).key)
    house.deliver()
    assert house.rounds.go_on() == 0
    assert sum(got(house).values()) == 2


def test_a_batch_is_there_for_who_ordered_it_and_for_supervisors(house: House) -> None:
    clerk, other, boss = house.member(), house.member(), house.member("supervisor")
    give_addresses(house, TEN[0])
    batch_id = invite(house, clerk, TEN[0])
    for seen in (clerk, boss):
        assert house.invitations.batch(seen, batch_id).sent == 1
        assert [one.id for one in house.invitations.recent(seen)] == [batch_id]
    assert said(house.invitations.batch, other, batch_id) == "out_of_turn"
    assert house.invitations.recent(other) == []


def test_who_has_signed_out_orders_nothing(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, TEN[0])
    house.clock.advance(hours=house.profile.sign_in.hours)
    assert said(everybody, house, session) == "out_of_turn"


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
def test_the_deadline_is_a_day_within_a_year(house: House, text: str, answer: str) -> None:
    assert said(house.invitations.end_of, text) == answer


def test_everything_ordered_and_sent_is_in_the_trail(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, *TEN[:2])
    invite(house, session, *TEN[:2])
    trail = [(row.action, row.kutid) for row in house.rows(audit) if row.actor == session.member.id]
    assert trail == [("invitations_ordered", None), ("invited", TEN[0].kutid), ("invited", TEN[1].kutid)]


# --- Reminders -------------------------------------------------------------------------------------------------------


def test_whoever_has_not_registered_is_reminded_once_before_the_deadline(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, ANNA, ESZTER)
    invite(house, session, ANNA, ESZTER, days=20)
    house.registered(ANNA)
    remind = house.profile.invitations.remind_days
    house.clock.advance(days=20 - remind - 1)
    house.chores.finish()
    assert got(house, "reminder") == Counter()
    house.clock.advance(days=1)
    answers = at_once([house.rounds.go_on] * 4)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    for _ in range(remind + 3):
        house.chores.finish()
        house.deliver()
        house.clock.advance(days=1)
    assert got(house, "reminder") == once(ESZTER)
    (row,) = (row for row in house.rows(audit) if row.action == "reminded")
    assert (row.actor, row.kutid) == ("system", ESZTER.kutid)


def test_the_reminder_has_the_same_link(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, ESZTER)
    invite(house, session, ESZTER, days=20)
    house.clock.advance(days=15)
    house.chores.finish()
    first, second = house.letters("email")
    assert first.link == second.link
    assert first.subject != second.subject


def test_nobody_is_reminded_who_was_invited_within_that_time(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, ESZTER)
    invite(house, session, ESZTER, days=3)
    for _ in range(5):
        house.clock.advance(days=1)
        house.chores.finish()
    assert got(house, "reminder") == Counter()


def test_a_reminder_by_hand_leaves_once_a_day_and_takes_the_place_of_one_that_is_near(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, *TEN[:3])
    invite(house, session, *TEN[:2], days=20)

    def remind(form: str) -> None:
        session = house.member("supervisor")
        marks = [house.mark(session, one) for one in TEN[:3]]
        house.invitations.order(session, f"{FORM}-{form}", "reminder", marks=marks)
        house.chores.finish()

    remind("a")
    assert got(house, "reminder") == Counter()  # they have just been invited
    house.clock.advance(days=10)
    remind("b")
    remind("c")
    assert got(house, "reminder") == once(*TEN[:2])
    # Due in three days by itself: it has left by hand.
    house.clock.advance(days=5)
    house.chores.finish()
    assert got(house, "reminder") == once(*TEN[:2])
    house.invitations.order(house.member("supervisor"), f"{FORM}-d", "reminder", view=View(INVITED))
    house.chores.finish()
    assert got(house, "reminder") == once(*TEN[:2], *TEN[:2])
    house.clock.advance(days=10)
    remind("e")
    assert got(house, "reminder") == once(*TEN[:2], *TEN[:2])  # the deadline is over


def test_who_has_declined_gets_nothing_more_and_staff_see_it(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, *TEN[:2])
    invite(house, session, *TEN[:2], days=20)
    house.deliver()
    links = {row.kutid: row.link_id for row in house.rows(invitations)}
    assert (house.invitations.has_declined(links[TEN[0].kutid]), house.invitations.has_declined("x")) == (False, None)
    assert [house.invitations.decline(link) for link in (links[TEN[0].kutid], links[TEN[0].kutid], "x")] == [
        True, True, False,
    ]  # fmt: skip
    declined_at = house.clock.now()
    (row,) = (row for row in house.rows(audit) if row.action == "invitations_declined")
    assert (row.kutid, row.actor) == (TEN[0].kutid, "customer")
    house.clock.advance(days=15)
    house.chores.finish()  # the reminder that leaves by itself
    house.clock.advance(days=2)
    session = house.member("supervisor")
    marks = [house.mark(session, one) for one in TEN[:2]]
    house.invitations.order(session, f"{FORM}-reminder", "reminder", marks=marks)
    house.chores.finish()
    assert got(house, "reminder") == once(TEN[1], TEN[1])
    house.clock.advance(days=30)
    session = house.member("supervisor")
    assert house.unregistered.count_reached(session, View(OVERDUE), "invitation") == 1
    invite(house, session, *TEN[:2], form=f"{FORM}-again")
    assert got(house) == once(*TEN[:2], TEN[1])
    lines = house.unregistered.page(session, View(ALL)).lines
    assert {line.hit.kutid: line.declined_at for line in lines if line.invited_at} == {
        TEN[0].kutid: declined_at, TEN[1].kutid: None,
    }  # fmt: skip


def test_a_mail_that_waits_when_it_is_declined_does_not_leave(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, TEN[0])
    invite(house, session, TEN[0])
    (row,) = house.rows(invitations)
    house.invitations.decline(row.link_id)
    house.chores.finish()
    assert got(house) == Counter()


def test_a_reminder_that_is_killed_leaves_once(house: House, victims: Victims) -> None:
    session = house.member("supervisor")
    give_addresses(house, ESZTER)
    invite(house, session, ESZTER, days=20)
    house.deliver()
    house.clock.advance(days=15)
    statements = 0
    while victims.take(house, "rounds", "go_on", statements=statements) == "killed":
        statements += 1
    house.chores.finish()
    assert got(house, "reminder") == once(ESZTER)


def test_what_must_be_named_is_asked_for(house: House) -> None:
    session = house.member("supervisor")
    deadline_at = house.invitations.end_of(day(house, 3))
    for form, kind, due in (("x", "invitation", deadline_at), (FORM, "letter", None), (FORM, "invitation", None)):
        assert said(house.invitations.order, session, form, kind, view=View(), deadline_at=due) == "out_of_turn"
    reminder = {"view": View(INVITED), "deadline_at": deadline_at}
    assert said(house.invitations.order, session, FORM, "reminder", **reminder) == "out_of_turn"
