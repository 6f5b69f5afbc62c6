"""Data to be put right: found in the register and in what customers try, closed with a note, until it comes anew."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from services.register.importing import RegisterImport
from services.register.policyholders import SecondDatum
from services.staff import StaffSession
from services.store.tables.audit import audit
from services.store.tables.register import contact_changes, customer_accounts, customers, phones
from services.store.tables.worklists import quality_cases
from services.worklists import quality as listing
from services.worklists import scan
from tests.unit.services.worklists.lists import advise
from tests.world.cast import ANNA, CROWD, ESZTER, GABOR, ILONA, LASZLO, MINTA, PETER, Customer
from tests.world.outcomes import at_once, outcome_of
from tests.world.victims import Victims
from tests.world.world import World

NOTE = "Felhívtuk, nem kér mobilszámot"


def bring(world: World, folder: Path, **texts: str) -> None:
    """Import files, and have the register looked through."""
    files = {}
    for kind, text in texts.items():
        files[kind] = folder / f"{kind}.csv"
        files[kind].write_text(text, "utf-8")
    RegisterImport(
        world.store, world.clock, world.profile, make_hash=lambda text: text, is_password=lambda text, hashed: False
    ).run(files)
    world.worklist_worker.finish()


def phones_file(*rows: tuple[Customer, str]) -> str:
    lines = [f"{person.kutid};{person.policy_number};{number}" for person, number in rows]
    return "\n".join(["kutid;policy_number;phone", *lines, ""])


@pytest.fixture
def swept(world: World, tmp_path: Path) -> World:
    """The cast's register, looked through after an import."""
    bring(world, tmp_path, phones=phones_file((ANNA, ANNA.mobile)))
    return world


def cases(world: World, session: StaffSession | None = None, kind: str = "", **named: Any) -> set[tuple[str, str]]:
    """Return who is in the list, and why."""
    found, place = set(), ""
    session = session or world.member()
    while True:
        page = world.quality_cases.page(session, kind, place, **named)
        found |= {(line.hit.kutid, line.kind) for line in page.lines}
        if page.more is None:
            return found
        place = page.more


def case_of(world: World, person: Customer, kind: str) -> Any:
    return next(row for row in world.rows(quality_cases) if (row.kutid, row.kind) == (person.kutid, kind))


def close(world: World, person: Customer, kind: str, session: StaffSession | None = None) -> bool:
    return world.quality_cases.close(session or world.member(), case_of(world, person, kind).id, NOTE)


def fail(world: World, person: Customer, times: int) -> None:
    for _ in range(times):
        wrong = SecondDatum(date(1999, 1, 1))
        assert (
            outcome_of(world.registrations.identification.identify, person.policy_number, wrong, "hu")
            == "identify.mismatch"
        )


# --- The register ---------------------------------------------------------------------------------------------


def test_what_the_register_lacks_is_found_after_an_import(swept: World) -> None:
    found = cases(swept)
    assert (ILONA.kutid, "landline") in found
    assert (LASZLO.kutid, "no_phone") in found
    assert (GABOR.kutid, "tax_cut") in found
    assert not [one for one in found if one[0] in (ANNA.kutid, MINTA.kutid, ESZTER.kutid, PETER.kutid)]


def test_a_number_of_several_customers_is_a_case_of_each(swept: World, tmp_path: Path) -> None:
    several = CROWD[:4]
    bring(swept, tmp_path, phones=phones_file(*((one, "+36201111111") for one in several[:3])))
    assert cases(swept, kind="shared_phone") == set()
    bring(swept, tmp_path, phones=phones_file(*((one, "+36201111111") for one in several)))
    assert cases(swept, kind="shared_phone") == {(one.kutid, "shared_phone") for one in several}


def test_pieces_of_any_size_find_the_same(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PIECE", 2)
    shared = [(one, "+36201111111") for one in CROWD[:5]]
    bring(world, tmp_path, phones=phones_file(*shared))
    small = {(row.kutid, row.kind) for row in world.rows(quality_cases)}
    monkeypatch.setattr(scan, "PIECE", 1000)
    with world.store.write() as connection:
        connection.execute(quality_cases.delete())
    bring(world, tmp_path, phones=phones_file(*shared))
    assert {(row.kutid, row.kind) for row in world.rows(quality_cases)} == small
    assert len(small) >= 8


def test_the_register_is_looked_through_once_an_import(swept: World) -> None:
    assert not swept.scan.go_on()
    before = swept.rows(quality_cases)
    swept.worklist_worker.finish()
    assert swept.rows(quality_cases) == before


def test_what_new_data_put_right_is_no_case_any_more(swept: World, tmp_path: Path) -> None:
    bring(swept, tmp_path, phones=phones_file((ILONA, "06 20 999 8877")))
    assert not [kind for kutid, kind in cases(swept) if kutid == ILONA.kutid]
    assert not [row for row in swept.rows(quality_cases) if row.kutid == ILONA.kutid]


def test_a_closed_case_stays_closed_however_often_the_same_data_come(swept: World, tmp_path: Path) -> None:
    session = swept.member()
    assert close(swept, ILONA, "landline", session)
    bring(swept, tmp_path, phones=phones_file((ANNA, ANNA.mobile)))
    assert (ILONA.kutid, "landline") not in cases(swept)
    assert cases(swept, closed=True) == {(ILONA.kutid, "landline")}
    (line,) = swept.quality_cases.page(session, closed=True).lines
    assert (line.closed_by, line.closed_at, line.note) == ("Kiss Orsolya", swept.clock.now(), NOTE)


@pytest.mark.parametrize("between", ["other data", "right data"])
def test_a_closed_case_opens_again_when_it_comes_anew(swept: World, tmp_path: Path, between: str) -> None:
    close(swept, ILONA, "landline")
    if between == "other data":
        bring(swept, tmp_path, phones=phones_file((ILONA, "06 1 765 4321")))
    else:
        bring(swept, tmp_path, phones=phones_file((ILONA, "06 20 999 8877")))
        assert (ILONA.kutid, "landline") not in cases(swept)
        bring(swept, tmp_path, phones=phones_file((ILONA, "06 1 234 5678")))
    assert (ILONA.kutid, "landline") in cases(swept)
    (line,) = swept.quality_cases.page(swept.member(), "landline").lines
    assert (line.closed_at, line.closed_by, line.note) == (None, "Kiss Orsolya", NOTE)


def test_a_mobile_that_staff_recorded_puts_it_right_at_once(swept: World) -> None:
    learnt = {"kutid": ILONA.kutid, "kind": "mobile", "before": "", "after": "+36209998877", "actor": "staff:x"}
    with swept.store.write() as connection:
        connection.execute(insert(contact_changes).values(**learnt, at=swept.clock.now()))
    assert (ILONA.kutid, "landline") not in cases(swept)


def test_several_workers_and_one_that_is_killed_find_each_case_once(
    world: World, tmp_path: Path, victims: Victims
) -> None:
    bring(world, tmp_path, phones=phones_file((ANNA, ANNA.mobile)))
    whole = {(row.kutid, row.kind, row.evidence) for row in world.rows(quality_cases)}
    with world.store.write() as connection:
        connection.execute(quality_cases.delete())
        connection.exec_driver_sql("UPDATE quality_sweep SET done = 0, position = ''")
    assert victims.take(world, "scan", "go_on", crash_at="scan.looked") == "killed"
    answers = at_once([world.scan.go_on] * 4)
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    world.worklist_worker.finish()
    assert {(row.kutid, row.kind, row.evidence) for row in world.rows(quality_cases)} == whole


# --- Tries ----------------------------------------------------------------------------------------------------


def test_several_wrong_tries_at_a_number_that_exists_are_a_case(world: World) -> None:
    fail(world, ESZTER, scan.SEVERAL - 1)
    world.worklist_worker.finish()
    assert cases(world) == set()
    fail(world, ESZTER, 1)
    outcome_of(world.registrations.identification.identify, "940999999", SecondDatum(date(1999, 1, 1)), "hu")
    fail(world, PETER, 4)  # whose contract is cancelled
    world.worklist_worker.finish()
    assert cases(world) == {(ESZTER.kutid, "failed")}


def test_who_succeeds_in_the_end_is_no_case(world: World) -> None:
    fail(world, ESZTER, scan.SEVERAL)
    world.identified(ESZTER)
    world.worklist_worker.finish()
    assert cases(world) == set()
    fail(world, ANNA, scan.SEVERAL)
    world.worklist_worker.finish()
    assert cases(world) == {(ANNA.kutid, "failed")}
    world.registered(ANNA)
    assert cases(world) == set()


def test_a_closed_case_of_tries_opens_again_by_a_new_try_alone(world: World) -> None:
    fail(world, ESZTER, scan.SEVERAL)
    world.worklist_worker.finish()
    world.clock.advance(minutes=1)
    assert close(world, ESZTER, "failed")
    world.worklist_worker.finish()
    assert cases(world) == set()
    world.clock.advance(minutes=1)
    fail(world, ESZTER, 1)
    world.worklist_worker.finish()
    assert cases(world) == {(ESZTER.kutid, "failed")}


def test_who_comes_with_an_old_customer_account_number_is_a_case(world: World) -> None:
    account = {"account_number": "7000001", "kutid": ANNA.kutid, "old_number": "OLD0001", "manager": "customer"}
    with world.store.write() as connection:
        connection.execute(insert(customer_accounts).values(account))
    answer = outcome_of(world.registrations.identification.identify, "OLD0001", ANNA.knows, "hu", "account_number")
    assert answer == "account_number.old"
    world.worklist_worker.finish()
    assert cases(world) == {(ANNA.kutid, "old_account")}


# --- Closing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "answer"),
    [
        ("", "note.empty"),
        (" ", "note.empty"),
        ("x" * 201, "note.too_long"),
        ("anna@example.hu", "note.personal"),
        ("új szám: 06 20 123 4567", "note.personal"),
        (NOTE, "ok"),
    ],
)
def test_a_note_is_needed_and_holds_nothing_personal(swept: World, note: str, answer: str) -> None:
    case_id = case_of(swept, ILONA, "landline").id
    assert outcome_of(swept.quality_cases.close, swept.member(), case_id, note) == answer


def test_of_two_who_close_a_case_at_once_one_has_closed_it(swept: World) -> None:
    members = [swept.member(name=f"Munkatárs {number}") for number in range(4)]
    answers = at_once([lambda one=one: close(swept, ILONA, "landline", one) for one in members])
    assert sorted(answers) == [False, False, False, True]
    closed_by = case_of(swept, ILONA, "landline").closed_by
    assert closed_by == members[answers.index(True)].member.id
    trail = [row for row in swept.rows(audit) if row.action == "case_closed"]
    assert [(row.actor, row.kutid, row.facts) for row in trail] == [(closed_by, ILONA.kutid, {"what": "landline"})]


def test_an_adviser_sees_and_closes_the_cases_of_their_own_customers_alone(swept: World) -> None:
    advise(swept, "uk-1", ILONA)
    advise(swept, "uk-2", LASZLO)
    adviser = swept.member("adviser", adviser="uk-1")
    assert cases(swept, adviser) == {(ILONA.kutid, "landline")}
    assert cases(swept, adviser, adviser="uk-2") == {(ILONA.kutid, "landline")}
    assert cases(swept, swept.member(), adviser="uk-2") == {(LASZLO.kutid, "no_phone")}
    for stranger in (LASZLO, GABOR):
        kind = next(row.kind for row in swept.rows(quality_cases) if row.kutid == stranger.kutid)
        assert outcome_of(close, swept, stranger, kind, adviser) == "out_of_turn"
        assert case_of(swept, stranger, kind).closed_at is None
    assert outcome_of(swept.quality_cases.close, adviser, "no such case", NOTE) == "out_of_turn"
    assert close(swept, ILONA, "landline", adviser)


def test_who_has_signed_out_closes_nothing(swept: World) -> None:
    session = swept.member()
    swept.clock.advance(hours=swept.profile.sign_in.hours)
    assert outcome_of(swept.quality_cases.close, session, case_of(swept, ILONA, "landline").id, NOTE) == "out_of_turn"


@pytest.mark.parametrize("size", [1, 2, 100])
def test_pages_show_every_case_once(swept: World, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    whole = cases(swept)
    monkeypatch.setattr(listing, "PAGE", size)
    assert cases(swept) == whole
    assert {kind for _, kind in cases(swept, kind="tax_cut")} == {"tax_cut"}
    assert len(whole) == 3


def test_names_are_masked(swept: World) -> None:
    (line,) = swept.quality_cases.page(swept.member(), "landline").lines
    assert line.hit.name == "N••• I•••"


def test_a_policy_holder_without_a_policy_in_force_is_no_case(world: World, tmp_path: Path) -> None:
    with world.store.write() as connection:
        connection.execute(phones.delete().where(phones.c.kutid == PETER.kutid))
        connection.execute(update(customers).where(customers.c.kutid == PETER.kutid).values(tax_number="12345676"))
    bring(world, tmp_path, phones=phones_file((ANNA, ANNA.mobile)))
    assert not [kind for kutid, kind in cases(world) if kutid == PETER.kutid]
