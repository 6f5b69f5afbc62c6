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
from tests.world.outcomes import said
from tests.world.world import House


def kutids(house: House, session: StaffSession, listed: str = ALL, adviser: str | None = None) -> list[str]:
    """Return a whole list, page after page."""
    found, place = [], ""
    while True:
        page = house.unregistered.page(session, View(listed, adviser), place)
        found += [line.hit.kutid for line in page.lines]
        if page.more is None:
            return found
        place = page.more


def test_whoever_can_register_and_has_not_is_in_the_list_in_the_order_of_their_numbers(house: House) -> None:
    house.registered(ANNA)
    session = house.member("supervisor")
    found = kutids(house, session)
    everybody = {row.kutid for row in house.rows(customers)}
    assert found == sorted(everybody - {ANNA.kutid, PETER.kutid})


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("listed", [ALL, INVITED])
def test_pages_show_everybody_once_whatever_their_size(
    house: House, monkeypatch: pytest.MonkeyPatch, size: int, listed: str
) -> None:
    monkeypatch.setattr(listing, "PAGE", size)
    session = house.member("supervisor")
    give_addresses(house, *CROWD[:5])
    # Two deadlines, so that the order by them and by the number within them both count.
    invite(house, session, *CROWD[:2], days=30)
    invite(house, session, *CROWD[2:5], days=10, form=f"{FORM}-2")
    expected = {
        ALL: sorted({row.kutid for row in house.rows(customers)} - {PETER.kutid}),
        INVITED: [one.kutid for one in (*CROWD[2:5], *CROWD[:2])],
    }
    assert kutids(house, session, listed) == expected[listed]


def test_each_list_has_its_own(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, *CROWD[:4])
    invite(house, session, CROWD[0], days=3)
    invite(house, session, CROWD[1], days=30, form=f"{FORM}-2")
    house.clock.advance(days=10)
    assert kutids(house, session, OVERDUE) == [CROWD[0].kutid]
    assert kutids(house, session, INVITED) == [CROWD[1].kutid]
    assert kutids(house, session, NOT_INVITED) == [CROWD[2].kutid, CROWD[3].kutid]
    to_call = kutids(house, session, NO_ADDRESS)
    assert ILONA.kutid in to_call
    assert not {one.kutid for one in CROWD[:4]} & set(to_call)
    assert house.unregistered.count(session, View(NOT_INVITED)) == 2
    assert kutids(house, session, "no such list") == kutids(house, session, ALL)


def test_an_address_that_staff_recorded_counts_at_once(house: House) -> None:
    session = house.member("supervisor")
    assert ILONA.kutid in kutids(house, session, NO_ADDRESS)
    learnt = {"kutid": ILONA.kutid, "kind": "email", "before": "", "after": "ilona@example.hu", "actor": "staff:x"}
    with house.store.write() as connection:
        connection.execute(insert(contact_changes).values(**learnt, at=house.clock.now()))
    assert ILONA.kutid not in kutids(house, session, NO_ADDRESS)
    invite(house, session, ILONA)
    assert house.told("invitation", "ilona@example.hu") == 1


def test_an_adviser_has_their_own_customers_in_every_list(house: House) -> None:
    give_addresses(house, ANNA, ESZTER)
    advise(house, "uk-1", ANNA, MINTA)
    advise(house, "uk-2", ESZTER)
    adviser, supervisor = house.member("adviser", adviser="uk-1"), house.member("supervisor")
    assert kutids(house, adviser) == [ANNA.kutid, MINTA.kutid]
    # Whomever they ask for.
    assert kutids(house, adviser, adviser="uk-2") == [ANNA.kutid, MINTA.kutid]
    assert kutids(house, adviser, NO_ADDRESS) == [MINTA.kutid]
    assert kutids(house, supervisor, adviser="uk-2") == [ESZTER.kutid]
    invite(house, supervisor, ANNA, ESZTER)
    assert kutids(house, adviser, INVITED) == [ANNA.kutid]
    assert house.unregistered.advisers(adviser) == []
    named = house.unregistered.advisers(supervisor)
    assert [name for _, name in named] == ["Kiss Orsolya", "uk-2"]
    assert house.unregistered.adviser(supervisor, named[1][0]) == "uk-2"
    assert house.unregistered.adviser(house.member(), named[1][0]) is None
    # An adviser whom the register gives nobody has nobody.
    assert kutids(house, house.member("adviser", adviser="uk-3")) == []


def test_names_stay_masked_until_it_is_recorded_how_the_customer_was_identified(house: House) -> None:
    session = house.member()
    (line,) = (one for one in house.unregistered.page(session, View()).lines if one.hit.kutid == ANNA.kutid)
    assert (line.hit.name, line.hit.policy_number) == ("K••• A•••", "9400•••01")
    case_id = house.unregistered.open(session, line.mark)
    house.cases.identify(session, case_id, "call")
    (line,) = (one for one in house.unregistered.page(session, View()).lines if one.hit.kutid == ANNA.kutid)
    assert line.hit.name == ANNA.name


def test_a_mark_opens_a_customer_in_its_own_session_alone_and_tells_nothing(house: House) -> None:
    advise(house, "uk-1", ANNA)
    session, adviser = house.member(), house.member("adviser", adviser="uk-1")
    mark = house.mark(session, ESZTER)
    assert ESZTER.kutid not in mark
    assert house.cases.case(session, house.unregistered.open(session, mark)).kutid == ESZTER.kutid
    assert said(house.unregistered.open, house.member(), mark) == "out_of_turn"
    for forged in ("", "x", mark[:-2], "é" * 30, "A" * 5000):
        assert said(house.unregistered.open, session, forged) == "out_of_turn"
    # Nor does a mark of their own session open another adviser's customer.
    assert said(house.unregistered.open, adviser, house.mark(adviser, ESZTER)) == "out_of_turn"
    assert said(house.unregistered.open, adviser, house.mark(adviser, ANNA)) == "ok"


def test_every_page_that_was_shown_is_in_the_trail(house: House) -> None:
    session = house.member()
    house.unregistered.page(session, View(NO_ADDRESS))
    (row,) = (row for row in house.rows(audit) if row.actor == session.member.id)
    assert (row.action, row.kutid, row.facts["what"]) == ("listed", None, NO_ADDRESS)


def test_a_page_reads_by_the_index_and_never_sorts_everybody(house: House) -> None:
    """Where the planner would sort a million customers, or look at all of them, it says so."""
    asked: list[tuple[str, object]] = []
    give_addresses(house, *CROWD[:3])
    advise(house, "uk-1", *CROWD)
    session = house.member("supervisor")
    place = house.unregistered.page(session, View())
    assert place.lines

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "LIMIT" in statement and "customers" in statement and "ORDER BY" in statement:
            asked.append((statement, parameters))

    event.listen(house.store.engine, "before_cursor_execute", note)
    try:
        for listed in (ALL, NOT_INVITED, NO_ADDRESS, INVITED, OVERDUE):
            for adviser in (None, "uk-1"):
                house.unregistered.page(session, View(listed, adviser))
    finally:
        event.remove(house.store.engine, "before_cursor_execute", note)
    lists = [(statement, parameters) for statement, parameters in asked if "SELECT coalesce" not in statement[:20]]
    assert len(lists) >= 10
    if not house.store.is_sqlite:
        return  # PostgreSQL plans by how many rows there are, and here there are few
    with house.store.read() as connection:
        for statement, parameters in lists:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            is_of_adviser_by_deadline = "advisers" in statement and "deadline_at" in statement
            if not is_of_adviser_by_deadline:  # of one adviser's customers alone
                assert not [row for row in plan if "TEMP B-TREE FOR ORDER BY" in row[-1]], statement


def test_who_has_no_live_policy_any_more_is_in_no_list(house: House) -> None:
    session = house.member("supervisor")
    give_addresses(house, ESZTER)
    invite(house, session, ESZTER)
    with house.store.write() as connection:
        connection.execute(update(policies).where(policies.c.kutid == ESZTER.kutid).values(status="cancelled"))
    for listed in (ALL, INVITED, NOT_INVITED, NO_ADDRESS):
        assert ESZTER.kutid not in kutids(house, session, listed)
