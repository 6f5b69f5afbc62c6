"""Finding customers and recording how they were identified, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from services.references import References
from services.refusal import OutOfTurn
from services.staff import StaffSession
from services.staff.cases import IDENTIFIED_FOR
from services.store.tables.audit import audit
from services.store.tables.register import advisers, customers
from services.store.tables.staff import staff_cases
from tests.world.cast import ANNA, CROWD, ESZTER, GABOR, ILONA, ILONAS_LANDLINE, LASZLO, MINTA, Customer
from tests.world.outcomes import outcome_of
from tests.world.world import World


def found(world: World, text: str, session: StaffSession | None = None) -> str:
    """Search and return whom it found, or the answer."""
    session = session or world.member()
    answer = outcome_of(world.search.search, session, text)
    if answer != "ok":
        return answer
    kutids = {row.kutid for row in world.rows(staff_cases) if row.session_id == session.id}
    return kutids.pop() if kutids else "several"


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("940000005", ILONA),
        ("9400-00005", ILONA),
        (" 10000004 ", ILONA),
        ("Nagy Ilona 1948-07-22", ILONA),
        ("nagy ilona 1948. 7. 22.", ILONA),
        ("1948.07.22. Ilona", ILONA),
        ("Nagy Ilona, 1948. július 22.", ILONA),
        ("Nagy Ilona 1948 júl. 22", ILONA),
        ("22 July 1948 Nagy Ilona", ILONA),
        ("nagy ilona 22.7.1948", ILONA),
        ("06 1 234 5678", ILONA),
        (ILONAS_LANDLINE, ILONA),
        ("06 20 123 4567", ANNA),
        ("Kovacs Anna 1985-03-14", ANNA),
        # Titles, words about birth, and the endings of a day.
        ("dr. Nagy Ilona 1948-07-22", ILONA),
        ("özv. Nagy Ilona szül. 1948.07.22.", ILONA),
        ("Nagy Ilona, született 1948. július 22-én", ILONA),
        ("Nagy Ilona 1948. július 22.-én", ILONA),
        ("Nagy Ilona 1948.07.22-i", ILONA),
        ("Nagy Ilona, born 22nd July 1948", ILONA),
        ("Mgr. Nagy Ilona, nar. 22.7.1948", ILONA),
        ("Nagy\u200b Ilona 1948\u201107\u201122.", ILONA),
        ("940000005.", ILONA),
    ],
)
def test_a_customer_is_found_by_whatever_they_say(world: World, text: str, person: Customer) -> None:
    assert found(world, text) == person.kutid


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Łukasz Đorđević", "Lukasz Dordevic"),
        ("Lukasz Dordevic", "łukasz đorđević"),
        ("Søren Œhlen", "soren oehlen"),
        ("Groß Ilona", "Gross Ilona"),
        ("Dr. Nagy Ilona", "Nagy Ilona"),
        ("Nagy Istvánné Kiss Ilona", "Nagy Istvánné szül. Kiss Ilona"),
        ("Born Ilona", "Born"),
    ],
)
def test_names_are_found_without_their_marks(world: World, name: str, typed: str) -> None:
    with world.store.write() as connection:
        connection.execute(update(customers).where(customers.c.kutid == ILONA.kutid).values(name=name))
    assert found(world, f"{typed} 1948-07-22") == ILONA.kutid


def test_a_customer_is_found_by_the_address_of_the_account_or_of_a_registration(world: World) -> None:
    world.registered(ANNA)
    world.mailed(ESZTER)
    assert found(world, "Anna@Example.hu") == ANNA.kutid
    assert found(world, ESZTER.email) == ESZTER.kutid


@pytest.mark.parametrize("spelling", ["{}", "{} ", "lower", "without"])
def test_a_customer_is_found_by_the_code_that_they_read_out(world: World, spelling: str) -> None:
    code = References(world.base).issue("no_mobile", kutid=LASZLO.kutid)
    text = {"lower": code.lower(), "without": code.replace("-", " ")}.get(spelling, spelling.format(code))
    assert found(world, text) == LASZLO.kutid


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "search.empty"),
        ("  ", "search.empty"),
        ("940999999", "search.none"),
        ("1948-07-22", "search.none"),
        ("Nagy Ilona 1948-07-23", "search.none"),
        ("Nagy Ilona", "search.name_alone"),
        ("Nagy Ilona 1948", "search.name_alone"),
        ("Nagy Ilona 1948-02-31", "search.none"),
        ("nobody@example.hu", "search.none"),
        ("%", "search.none"),
        ("x" * 5000, "search.name_alone"),
        ("ilona@@example", "search.none"),
    ],
)
def test_whom_nobody_knows_is_not_found(world: World, text: str, answer: str) -> None:
    assert found(world, text) == answer


def test_several_are_listed_masked_and_too_many_are_not(world: World) -> None:
    session = world.member()
    assert found(world, "Próba 1990-01-01", session) == "search.too_many"
    with world.store.write() as connection:
        connection.execute(insert(advisers), [{"kutid": one.kutid, "adviser": "uk-1"} for one in CROWD[:3]])
    adviser = world.member("adviser", adviser="uk-1")
    assert world.search.search(adviser, "Próba 1990-01-01") is None
    adviser = world.as_it_stands(adviser)
    hits = world.search.found(adviser)
    assert hits is not None
    assert [hit.name for hit in hits] == ["P••• 1•••"] * 3
    assert [hit.policy_number for hit in hits] == ["9401•••01", "9401•••02", "9401•••03"]
    case_id = world.search.open(adviser, hits[1].mark)
    assert world.cases.case(adviser, case_id).kutid == CROWD[1].kutid


def test_every_look_is_in_the_trail_once_and_without_personal_data(world: World) -> None:
    session = world.member()
    case_id = world.search.search(session, "Nagy Ilona 1948-07-22")
    assert world.search.search(session, ILONA.policy_number) == case_id
    assert world.deeds(session) == ["searched", "viewed", "searched"]
    world.cases.identify(session, case_id, "callback")
    rows = [row for row in world.rows(audit) if row.actor == session.member.id]
    assert [(row.action, row.kutid, row.facts) for row in rows] == [
        ("searched", None, {"found": "1"}),
        ("viewed", ILONA.kutid, {}),
        ("searched", None, {"found": "1"}),
        ("identified", ILONA.kutid, {"method": "callback"}),
    ]


def test_data_are_shown_only_while_the_conversation_may_last(world: World) -> None:
    session = world.member()
    case_id = world.search.search(session, ILONA.policy_number)
    assert not world.cases.case(session, case_id).is_identified
    assert [hit.name for hit in world.search.recent(session)] == ["N••• I•••"]
    for method in ("", "by the voice"):
        assert outcome_of(world.cases.identify, session, case_id, method) == "identified_by.empty"
    world.cases.identify(session, case_id, "branch")
    assert world.cases.case(session, case_id).is_identified
    assert [hit.name for hit in world.search.recent(session)] == [ILONA.name]
    world.clock.advance(seconds=IDENTIFIED_FOR / timedelta(seconds=1))
    assert not world.cases.case(session, case_id).is_identified
    assert [hit.name for hit in world.search.recent(session)] == ["N••• I•••"]
    # Whoever calls again is looked at anew.
    assert world.search.search(session, ILONA.policy_number) != case_id


def test_a_case_is_there_for_its_own_session_alone(world: World) -> None:
    session, colleague = world.member(), world.member()
    case_id = world.case(session, ILONA)
    assert outcome_of(world.cases.case, colleague, case_id) == "out_of_turn"
    assert outcome_of(world.cases.identify, colleague, case_id, "call") == "out_of_turn"
    assert outcome_of(world.stuck_registrations.mail_again, colleague, case_id) == "out_of_turn"
    assert outcome_of(world.cases.case, session, "no such case") == "out_of_turn"
    world.clock.advance(hours=world.profile.sign_in.hours)
    assert outcome_of(world.cases.case, session, case_id) == "out_of_turn"


def test_an_adviser_has_their_own_customers_and_no_others(world: World) -> None:
    with world.store.write() as connection:
        given = {ANNA: "uk-1", MINTA: "uk-1", ESZTER: "uk-2", GABOR: None}
        connection.execute(insert(advisers), [{"kutid": p.kutid, "adviser": code} for p, code in given.items()])
    adviser = world.member("adviser", adviser="uk-1")
    assert [hit.name for hit in world.search.own(adviser)] == ["K••• A•••", "M••• K••• K•••"]
    assert world.search.own(world.member()) == []
    own = world.case(adviser, ANNA)
    for stranger in (ESZTER, GABOR, ILONA):
        assert outcome_of(world.search.search, adviser, stranger.policy_number) == "search.none"
    assert outcome_of(world.search.search, adviser, "940999999") == "search.none"
    # A mark of another session opens nothing, nor does one's own once the customer has gone to another adviser.
    service = world.member()
    world.search.search(service, ESZTER.policy_number)
    (hit,) = world.search.recent(service)
    with pytest.raises(OutOfTurn):
        world.search.open(adviser, hit.mark)
    (mine,) = world.search.recent(adviser)
    assert world.search.open(adviser, mine.mark) == own
    with world.store.write() as connection:
        connection.execute(advisers.update().where(advisers.c.kutid == ANNA.kutid).values(adviser="uk-2"))
    assert outcome_of(world.cases.case, adviser, own) == "out_of_turn"
    assert outcome_of(world.account_help.ask_for_reset, adviser, own) == "out_of_turn"
    assert world.search.recent(adviser) == []
    with pytest.raises(OutOfTurn):
        world.search.open(adviser, mine.mark)
