"""Who has not registered: the lists, page by page, and who sees whom, on both databases."""

import pytest
from sqlalchemy import event, insert, update

from services.staff import StaffSession
from services.store.tables.audit import audit
from services.store.tables.register import contact_changes, customers, policies
from services.worklists import View
from services.worklists import unregistered as listing
from services.worklists.lists import ALL, INVITED, NO_ADDRESS, NOT_INVITED, OVERDUE
from tests.unit.services.worklists.lists import FORM, advise, give_addresses, invite
from tests.world.cast import ANNA, CROWD, ESZTER, ILONA, MINTA, PETER
from tests.world.outcomes import outcome_of
from tests.world.world import World


def kutids(world: World, session: StaffSession, listed: str = ALL, adviser: str | None = None) -> list[str]:
    """Return a whole list, page after page."""
    found, place = [], ""
    while True:
        page = world.unregistered.page(session, View(listed, adviser), place)
        found += [line.hit.kutid for line in page.lines]
        if page.more is None:
            return found
        place = page.more


def test_whoever_can_register_and_has_not_is_in_the_list_in_the_order_of_their_numbers(world: World) -> None:
    world.registered(ANNA)
    session = world.member("supervisor")
    found = kutids(world, session)
    everybody = {row.kutid for row in world.rows(customers)}
    assert found == sorted(everybody - {ANNA.kutid, PETER.kutid})


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("listed", [ALL, INVITED])
def test_pages_show_everybody_once_whatever_their_size(
    world: World, monkeypatch: pytest.MonkeyPatch, size: int, listed: str
) -> None:
    monkeypatch.setattr(listing, "PAGE", size)
    session = world.member("supervisor")
    give_addresses(world, *CROWD[:5])
    # Two deadlines, so that the order by them and by the number within them both count.
    invite(world, session, *CROWD[:2], days=30)
    invite(world, session, *CROWD[2:5], days=10, form=f"{FORM}-2")
    expected = {
        ALL: sorted({row.kutid for row in world.rows(customers)} - {PETER.kutid}),
        INVITED: [one.kutid for one in (*CROWD[2:5], *CROWD[:2])],
    }
    assert kutids(world, session, listed) == expected[listed]


def test_each_list_has_its_own(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, *CROWD[:4])
    invite(world, session, CROWD[0], days=3)
    invite(world, session, CROWD[1], days=30, form=f"{FORM}-2")
    world.clock.advance(days=10)
    assert kutids(world, session, OVERDUE) == [CROWD[0].kutid]
    assert kutids(world, session, INVITED) == [CROWD[1].kutid]
    assert kutids(world, session, NOT_INVITED) == [CROWD[2].kutid, CROWD[3].kutid]
    to_call = kutids(world, session, NO_ADDRESS)
    assert ILONA.kutid in to_call
    assert not {one.kutid for one in CROWD[:4]} & set(to_call)
    assert world.unregistered.count(session, View(NOT_INVITED)) == 2
    assert kutids(world, session, "no such list") == kutids(world, session, ALL)


def test_an_address_that_staff_recorded_counts_at_once(world: World) -> None:
    session = world.member("supervisor")
    assert ILONA.kutid in kutids(world, session, NO_ADDRESS)
    learnt = {"kutid": ILONA.kutid, "kind": "email", "before": "", "after": "ilona@example.hu", "actor": "staff:x"}
    with world.store.write() as connection:
        connection.execute(insert(contact_changes).values(**learnt, at=world.clock.now()))
    assert ILONA.kutid not in kutids(world, session, NO_ADDRESS)
    invite(world, session, ILONA)
    assert world.told("invitation", "ilona@example.hu") == 1


def test_an_adviser_has_their_own_customers_in_every_list(world: World) -> None:
    give_addresses(world, ANNA, ESZTER)
    advise(world, "uk-1", ANNA, MINTA)
    advise(world, "uk-2", ESZTER)
    adviser, supervisor = world.member("adviser", adviser="uk-1"), world.member("supervisor")
    assert kutids(world, adviser) == [ANNA.kutid, MINTA.kutid]
    # Whomever they ask for.
    assert kutids(world, adviser, adviser="uk-2") == [ANNA.kutid, MINTA.kutid]
    assert kutids(world, adviser, NO_ADDRESS) == [MINTA.kutid]
    assert kutids(world, supervisor, adviser="uk-2") == [ESZTER.kutid]
    invite(world, supervisor, ANNA, ESZTER)
    assert kutids(world, adviser, INVITED) == [ANNA.kutid]
    assert world.unregistered.advisers(adviser) == []
    named = world.unregistered.advisers(supervisor)
    assert [name for _, name in named] == ["Kiss Orsolya", "uk-2"]
    assert world.unregistered.adviser(supervisor, named[1][0]) == "uk-2"
    assert world.unregistered.adviser(world.member(), named[1][0]) is None
    # An adviser whom the register gives nobody has nobody.
    assert kutids(world, world.member("adviser", adviser="uk-3")) == []


def test_names_stay_masked_until_it_is_recorded_how_the_customer_was_identified(world: World) -> None:
    session = world.member()
    (line,) = (one for one in world.unregistered.page(session, View()).lines if one.hit.kutid == ANNA.kutid)
    assert (line.hit.name, line.hit.policy_number) == ("K••• A•••", "9400•••01")
    case_id = world.unregistered.open(session, line.mark)
    world.cases.identify(session, case_id, "call")
    (line,) = (one for one in world.unregistered.page(session, View()).lines if one.hit.kutid == ANNA.kutid)
    assert line.hit.name == ANNA.name


def test_a_mark_opens_a_customer_in_its_own_session_alone_and_tells_nothing(world: World) -> None:
    advise(world, "uk-1", ANNA)
    session, adviser = world.member(), world.member("adviser", adviser="uk-1")
    mark = world.mark(session, ESZTER)
    assert ESZTER.kutid not in mark
    assert world.cases.case(session, world.unregistered.open(session, mark)).kutid == ESZTER.kutid
    assert outcome_of(world.unregistered.open, world.member(), mark) == "out_of_turn"
    for forged in ("", "x", mark[:-2], "é" * 30, "A" * 5000):
        assert outcome_of(world.unregistered.open, session, forged) == "out_of_turn"
    # Nor does a mark of their own session open another adviser's customer.
    assert outcome_of(world.unregistered.open, adviser, world.mark(adviser, ESZTER)) == "out_of_turn"
    assert outcome_of(world.unregistered.open, adviser, world.mark(adviser, ANNA)) == "ok"


def test_every_page_that_was_shown_is_in_the_trail(world: World) -> None:
    session = world.member()
    world.unregistered.page(session, View(NO_ADDRESS))
    (row,) = (row for row in world.rows(audit) if row.actor == session.member.id)
    assert (row.action, row.kutid, row.facts["what"]) == ("listed", None, NO_ADDRESS)


def test_a_page_reads_by_the_index_and_never_sorts_everybody(world: World) -> None:
    """Where the planner would sort a million customers, or look at all of them, it says so."""
    asked: list[tuple[str, object]] = []
    give_addresses(world, *CROWD[:3])
    advise(world, "uk-1", *CROWD)
    session = world.member("supervisor")
    place = world.unregistered.page(session, View())
    assert place.lines

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "LIMIT" in statement and "customers" in statement and "ORDER BY" in statement:
            asked.append((statement, parameters))

    event.listen(world.store.engine, "before_cursor_execute", note)
    try:
        for listed in (ALL, NOT_INVITED, NO_ADDRESS, INVITED, OVERDUE):
            for adviser in (None, "uk-1"):
                world.unregistered.page(session, View(listed, adviser))
    finally:
        event.remove(world.store.engine, "before_cursor_execute", note)
    lists = [(statement, parameters) for statement, parameters in asked if "SELECT coalesce" not in statement[:20]]
    assert len(lists) >= 10
    if not world.store.is_sqlite:
        return  # PostgreSQL plans by how many rows there are, and here there are few
    with world.store.read() as connection:
        for statement, parameters in lists:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            is_of_adviser_by_deadline = "advisers" in statement and "deadline_at" in statement
            if not is_of_adviser_by_deadline:  # of one adviser's customers alone
                assert not [row for row in plan if "TEMP B-TREE FOR ORDER BY" in row[-1]], statement


def test_who_has_no_live_policy_any_more_is_in_no_list(world: World) -> None:
    session = world.member("supervisor")
    give_addresses(world, ESZTER)
    invite(world, session, ESZTER)
    with world.store.write() as connection:
        connection.execute(update(policies).where(policies.c.kutid == ESZTER.kutid).values(status="cancelled"))
    for listed in (ALL, INVITED, NOT_INVITED, NO_ADDRESS):
        assert ESZTER.kutid not in kutids(world, session, listed)
