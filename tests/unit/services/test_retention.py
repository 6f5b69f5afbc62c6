"""What is over is erased after its time, and nothing else; stopped, killed, or beside whatever goes on."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select, update

from services import retention
from services.references import References
from services.retention import Tidying
from services.store.engine import Store
from services.store.tables import metadata
from services.store.tables.accounts import account_changes, password_resets, sessions
from services.store.tables.audit import audit
from services.store.tables.clients import api_answers
from services.store.tables.codes import one_time_codes
from services.store.tables.limits import allowances, sign_in_tries
from services.store.tables.messages import demo_messages, outbox
from services.store.tables.references import reference_codes
from services.store.tables.register import contact_changes
from services.store.tables.registrations import registrations
from services.store.tables.staff import staff_cases
from services.store.tables.worklists import batches, invitations, quality_cases
from tests import ROOT
from tests.world.cast import ANNA, CROWD, ESZTER
from tests.world.clock import HandClock
from tests.world.outcomes import at_once, said
from tests.world.world import PROFILE, House

MOMENT = timedelta(milliseconds=1)
DAY = timedelta(days=1)
KEPT = PROFILE.retention


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)


def tidying(house: House) -> Tidying:
    return Tidying(house.base, house.allowances)


def tidy(house: House) -> dict[str, int]:
    """Tidy, and return how many of each kind were erased."""
    return counts(tidying(house).tidy())


def counts(tidied: list[retention.Tidied]) -> dict[str, int]:
    return {one.kind: one.count for one in tidied if one.count}


def put(house: House, table: Table, **values: Any) -> None:
    with house.store.write() as connection:
        connection.execute(insert(table).values(values))


def old_registrations(house: House, count: int) -> None:
    """Leave so many registrations behind that are to be erased."""
    for person in CROWD[:count]:
        house.identified(person)
    house.clock.advance(days=KEPT.registrations_days, hours=1)


# --- What is over ----------------------------------------------------------------------------------------------


def message(house: House, at: datetime, state: str = "sent") -> dict[str, Any]:
    return {
        "id": f"m {state}", "kind": "email", "recipient": "a@example.hu", "message": "confirm", "language": "hu",
        "facts": {}, "topic": "t", "created_at": at, "due_at": at, "expires_at": at, "state": state, "attempts": 1,
    }  # fmt: skip


def session(house: House, at: datetime, account_id: str, **values: Any) -> dict[str, Any]:
    return {
        "id": "s", "account_id": account_id, "token_hash": "t", "device_hash": "d", "device": "Firefox",
        "created_at": at, "seen_at": at, "ends_at": at, **values,
    }  # fmt: skip


def registered(house: House) -> str:
    """Register, and return the account's id."""
    house.registered(ANNA)
    return str(house.accounts()[0].id)


ROWS: dict[str, tuple[timedelta, Callable[[House, datetime], tuple[Table, dict[str, Any]]]]] = {
    "reference_codes": (
        KEPT.registrations,
        lambda house, at: (reference_codes, {"code": "AAA-AAA", "kind": "link_expired", "created_at": at}),
    ),
    "allowances": (DAY, lambda house, at: (allowances, {"key": "k", "used": 1, "ends_at": at})),
    "sign_in_tries": (
        DAY,
        lambda house, at: (sign_in_tries, {"key": "k", "failures": 1, "wait_until": at, "ends_at": at}),
    ),
    "password_resets": (
        DAY,
        lambda house, at: (
            password_resets,
            {"account_id": registered(house), "link_id": "l", "created_at": at, "expires_at": at},
        ),
    ),
    "account_changes": (
        DAY,
        lambda house, at: (
            account_changes,
            {
                "account_id": registered(house), "kind": "email", "id": "c", "value": "b@example.hu",
                "value_key": "b@example.hu", "created_at": at, "expires_at": at,
            },
        ),
    ),
    "messages": (KEPT.messages, lambda house, at: (outbox, message(house, at))),
    "demo_messages": (
        KEPT.messages,
        lambda house, at: (
            demo_messages,
            {
                "id": "m", "kind": "email", "recipient": "a@example.hu", "subject": "s", "text": "t", "html": "",
                "links": [], "created_at": at,
            },
        ),
    ),
    "sessions": (KEPT.sessions, lambda house, at: (sessions, session(house, at, registered(house)))),
    "staff_cases": (
        KEPT.registrations,
        lambda house, at: (
            staff_cases, {"id": "c", "session_id": house.member().id, "kutid": ANNA.kutid, "opened_at": at},
        ),
    ),
    "invitations": (
        KEPT.worklists,
        lambda house, at: (
            invitations,
            {"kutid": ANNA.kutid, "link_id": "l", "batch_id": "b", "invited_at": at, "deadline_at": at},
        ),
    ),
    "invitation_batches": (
        KEPT.worklists,
        lambda house, at: (
            batches,
            {
                "id": "b", "kind": "invitation", "actor": house.member().member.id, "created_at": at, "position": "",
                "sent": 0, "skipped": 0, "ended_at": at,
            },
        ),
    ),
    "quality_cases": (
        KEPT.worklists,
        lambda house, at: (
            quality_cases,
            {"id": "q", "kutid": ANNA.kutid, "kind": "landline", "found_at": at, "closed_at": at},
        ),
    ),
    "api_answers": (
        DAY,
        lambda house, at: (api_answers, {"id": "a", "asked": "b", "turn": "t", "begun_at": at}),
    ),
    "contact_changes": (
        KEPT.audit,
        lambda house, at: (
            contact_changes,
            {
                "kutid": ANNA.kutid, "kind": "mobile", "before": "", "after": "+36209998877", "actor": "staff:x",
                "at": at, "settled_at": at,
            },
        ),
    ),
    "audit": (
        KEPT.audit,
        lambda house, at: (
            audit,
            {"at": at, "actor": "customer", "action": "email_changed", "kutid": ANNA.kutid, "facts": {}},
        ),
    ),
}  # fmt: skip


def test_what_only_staff_know_of_a_customer_stays_until_the_register_has_it(house: House) -> None:
    table, values = ROWS["contact_changes"][1](house, house.clock.now())
    put(house, table, **{**values, "settled_at": None})
    house.clock.moment += 2 * KEPT.audit
    assert "contact_changes" not in tidy(house)


def test_a_case_that_is_closed_and_still_so_keeps_its_row_and_loses_its_note(house: House) -> None:
    at = house.clock.now()
    case = {"id": "q", "kutid": ANNA.kutid, "kind": "landline", "evidence": "x", "found_at": at}
    put(house, quality_cases, **case, closed_at=at, closed_by="staff:x", note="Felhívtuk")
    house.clock.moment += KEPT.worklists - MOMENT
    assert tidy(house) == {}
    house.clock.moment += MOMENT
    assert tidy(house) == {"quality_notes": 1}
    (row,) = house.rows(quality_cases)
    assert (row.note, row.closed_at) == (None, at)


def test_open_cases_and_batches_stay(house: House) -> None:
    at = house.clock.now()
    for kind in ("failed", "landline"):
        put(house, quality_cases, id=kind, kutid=ANNA.kutid, kind=kind, evidence="x", found_at=at)
    batch = {"id": "b", "kind": "invitation", "actor": house.member().member.id, "created_at": at, "position": ""}
    put(house, batches, **batch, sent=0, skipped=0)
    house.clock.moment += 3 * KEPT.worklists
    assert not {"quality_cases", "quality_notes", "invitation_batches"} & set(tidy(house))


def test_a_session_of_staff_goes_after_its_time_with_its_cases(house: House) -> None:
    session = house.member()
    house.clock.moment += KEPT.sessions - MOMENT
    put(house, staff_cases, id="c", session_id=session.id, kutid=ANNA.kutid, opened_at=house.clock.moment)
    house.clock.moment += MOMENT
    assert tidy(house) == {}
    house.clock.moment += KEPT.registrations
    assert tidy(house) == {"staff_cases": 1, "staff_sessions": 1}


@pytest.mark.parametrize("kind", ROWS)
def test_each_kind_is_erased_after_its_time_and_not_a_moment_earlier(house: House, kind: str) -> None:
    kept_for, make = ROWS[kind]
    table, values = make(house, house.clock.now())
    put(house, table, **values)
    house.clock.moment += kept_for - MOMENT
    assert kind not in tidy(house)
    house.clock.moment += MOMENT
    assert tidy(house)[kind] == 1
    assert tidy(house) == {}


def test_a_registration_is_erased_after_its_time_complete_or_not(house: House) -> None:
    visit = house.mailed(ESZTER)
    done = house.registered(ANNA)
    house.clock.moment = max(house.see(visit).expires_at, house.see(done).expires_at) + KEPT.registrations - MOMENT
    tidy(house)
    assert house.see(done).is_complete
    house.clock.moment += MOMENT
    assert tidy(house)["registrations"] >= 1
    assert house.count(registrations) == 0
    (account,) = house.accounts()
    assert (account.email, account.mobile, account.terms_version) == (ANNA.email, ANNA.mobile, "2026-1")


def test_whose_registration_was_erased_can_begin_again_unless_there_is_the_account(house: House) -> None:
    house.mailed(ESZTER)
    house.registered(ANNA)
    house.clock.advance(days=9)
    tidy(house)
    assert (
        said(house.registrations.identification.identify, ANNA.policy_number, ANNA.knows, "hu") == "already_registered"
    )
    house.registered(ESZTER)
    assert len(house.accounts()) == 2


def test_a_link_says_what_became_of_its_registration(house: House) -> None:
    replaced = house.linked(ESZTER)
    house.clock.advance(minutes=1)
    house.registrations.emails.resend_email(replaced)
    done = house.registered(ANNA)
    assert house.registrations.records.why_dead(replaced) == "link_unknown"
    house.clock.advance(days=9)
    tidy(house)
    for visit, kind in ((replaced, "link_expired"), (done, "link_completed")):
        assert house.registrations.records.find(visit) is None
        assert house.registrations.records.why_dead(visit) == kind


def test_codes_are_forgotten_after_their_budget_and_never_within(house: House) -> None:
    visit = house.sent_code(ANNA)
    longest = max(DAY, house.profile.registration.longest)
    house.clock.moment = house.see(visit).code.budget_ends_at + longest - MOMENT
    tidy(house)
    assert house.count(one_time_codes) == 1
    house.clock.moment += MOMENT
    assert tidy(house)["one_time_codes"] == 1


def test_messages_that_may_still_leave_are_never_erased(house: House) -> None:
    states = ("waiting", "sending", "doubtful", "repeating", "sent", "replaced", "expired", "given_up")
    for state in states:
        put(house, outbox, **message(house, house.clock.now(), state))
    house.clock.advance(days=36525)
    assert tidy(house)["messages"] == 4
    with house.store.read() as connection:
        assert set(connection.execute(select(outbox.c.state)).scalars()) == set(states[:4])


def test_what_was_typed_before_a_sign_in_goes_with_its_session(house: House) -> None:
    at, account_id = house.clock.now(), registered(house)
    put(house, sessions, **session(house, at, account_id, kept={"email": "b@example.hu"}))
    put(house, sessions, **session(house, at, account_id, id="other", token_hash="other", kept=None))
    house.clock.moment += DAY - MOMENT
    assert "typed_before_sign_in" not in tidy(house)
    house.clock.moment += MOMENT
    assert tidy(house)["typed_before_sign_in"] == 1
    with house.store.read() as connection:
        assert list(connection.execute(select(sessions.c.kept)).scalars()) == [None, None]


def test_what_is_in_use_stays(house: House) -> None:
    person = CROWD[0]
    visit = house.sent_code(person)
    house.registered(ANNA)
    References(house.base).issue("link_expired", kutid=ANNA.kutid)
    before = everything(house.store)
    assert tidy(house) == {}
    assert everything(house.store) == before
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(person.mobile)) == "ok"


def everything(store: Store) -> dict[str, list[Any]]:
    with store.read() as connection:
        return {
            table.name: sorted(connection.execute(select(table)).all(), key=repr) for table in metadata.sorted_tables
        }


def test_counting_erases_nothing_and_counts_what_tidying_erases(house: House) -> None:
    house.registered(ANNA)
    house.deliver()
    old_registrations(house, 3)
    house.clock.advance(days=40)
    before = everything(house.store)
    counted = tidying(house).count()
    assert everything(house.store) == before
    assert counts(counted)["registrations"] == 4
    assert counts(counted)["messages"] == 3
    assert tidying(house).tidy() == counted
    assert counts(tidying(house).count()) == {}


# --- A little at a time ----------------------------------------------------------------------------------------


class StopsAtOnce(threading.Event):
    """Is set at the first pause."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_a_transaction_erases_no_more_than_a_batch_and_the_rest_comes_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    old_registrations(house, 8)
    assert counts(tidying(house).tidy(StopsAtOnce())) == {"registrations": 3}
    assert house.count(registrations) == 5
    assert tidy(house)["registrations"] == 5


def test_once_an_hour_one_of_many_tidies(house: House) -> None:
    old_registrations(house, 5)
    begun = house.clock.now()
    assert tidying(house).last_begun() is None
    for _ in range(2):
        answers = at_once([tidying(house).tidy_if_due] * 8)
        assert sum(answer is not None for answer in answers) == 1, answers
        assert tidying(house).last_begun() == house.clock.now()
        house.clock.advance(hours=1)
    assert house.clock.now() - begun == 2 * retention.EVERY
    house.clock.moment -= MOMENT
    assert tidying(house).tidy_if_due() is None
    assert house.count(registrations) == 0


def test_that_a_clock_was_far_ahead_once_does_not_stop_it(house: House) -> None:
    right = house.clock.now()
    house.clock.advance(days=3650)
    tidying(house).tidy_if_due()
    house.clock.moment = right
    assert tidying(house).tidy_if_due() is not None
    assert tidying(house).tidy_if_due() is None


VICTIM = """
import sys
from tests.world.world import House
from services import retention
from services.retention import Tidying
from services.store.engine import Store

retention.BATCH = 3
house = House(Store(sys.argv[1]))
house.clock.advance(seconds=float(sys.argv[2]))
Tidying(house.base, house.allowances).tidy_if_due()
"""


@pytest.mark.parametrize(
    ("point", "left"),
    [
        ("retention.begun", 8),
        ("retention.erasing.registrations", 8),
        ("retention.erased.registrations", 5),
    ],
)
def test_killed_on_the_way_whole_batches_are_gone_and_the_rest_goes_within_the_hour(
    house: House, point: str, left: int
) -> None:
    old_registrations(house, 8)
    url = house.store.url.render_as_string(hide_password=False)
    seconds = (house.clock.now() - HandClock().now()).total_seconds()
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, url, str(seconds)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "BELEPO_CRASH_AT": point},
        check=False,
        timeout=60,
    )
    assert victim.returncode == -signal.SIGKILL
    assert house.count(registrations) == left
    assert tidying(house).tidy_if_due() is None
    house.clock.advance(hours=1)
    assert counts(tidying(house).tidy_if_due() or [])["registrations"] == left


# --- Beside others ---------------------------------------------------------------------------------------------


def test_customers_register_meanwhile(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    old_registrations(house, 20)
    customers = CROWD[20:30]
    erased, *visits = at_once([partial(tidy, house), *(partial(house.mailed, person) for person in customers)])
    assert erased["registrations"] == 20
    assert [house.see(visit).email for visit in visits] == [person.email for person in customers]
    assert house.count(registrations) == len(customers)


def test_a_count_that_begins_anew_while_it_is_erased_is_kept(house: House) -> None:
    key = house.allowances.key("test", "somebody")

    def take() -> datetime | None:
        with house.store.write() as connection:
            return house.allowances.take(connection, key, limit=1, quiet=timedelta(hours=1), now=house.clock.now())

    for _ in range(15):
        answers = at_once([take, lambda: tidy(house), take, lambda: tidy(house), take])
        assert [answers[number] for number in (0, 2, 4)].count(None) == 1, answers
        house.clock.advance(days=2)


def test_a_row_that_somebody_holds_is_not_waited_for(postgresql_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """So tidying can be in no deadlock. (SQLite has but one writer.)"""
    monkeypatch.setattr(retention, "BATCH", 2)
    held = allowances
    house = House(postgresql_store)
    for key in ("a", "b", "c", "d", "e"):
        put(house, held, key=key, used=1, ends_at=house.clock.now())
    house.clock.advance(days=2)
    with postgresql_store.write() as connection:
        connection.execute(update(held).where(held.c.key == "b").values(used=2))
        first = tidy(house)["allowances"]
    assert first >= 1
    assert first + tidy(house)["allowances"] == 5


class Renewing:
    """A store in which somebody begins every count anew, just before a writer has its turn."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.read = house.store.read

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self.house.store.write() as connection:
            later = self.house.clock.now() + timedelta(hours=1)
            connection.execute(update(allowances).values(ends_at=later))
        with self.house.store.write() as connection:
            yield connection


def test_a_row_that_was_begun_anew_since_it_was_found_stays(house: House) -> None:
    put(house, allowances, key="a", used=1, ends_at=house.clock.now())
    house.clock.advance(days=2)
    store: Any = Renewing(house)
    assert counts(Tidying(replace(house.base, store=store), house.allowances).tidy()) == {}
    assert house.count(allowances) == 1


class Told(logging.Handler):
    """Sets an event at the first line that begins with some words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(self.words):
            self.event.set()


def test_it_outlives_an_outage_of_the_database_and_stops_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_LOOK_SECONDS", 0.01)
    log = logging.getLogger("services.retention")
    log.setLevel(logging.INFO)
    failed, erased = Told("tidying failed, will be tried again: OperationalError"), Told("erased 1 allowances")
    log.addHandler(failed)
    log.addHandler(erased)
    store = Store(f"sqlite:///{tmp_path / 'belepo.sqlite3'}")
    house = House(store)
    stop = threading.Event()
    thread = threading.Thread(target=tidying(house).run, args=(stop,))
    thread.start()
    try:
        assert failed.event.wait(30)
        with store.write() as connection:
            metadata.create_all(connection)
        put(house, allowances, key="a", used=1, ends_at=house.clock.now() - 2 * DAY)
        house.clock.advance(hours=1)  # it may have begun before there was anything to erase
        assert erased.event.wait(30)
    finally:
        stop.set()
        thread.join(30)
        log.removeHandler(failed)
        log.removeHandler(erased)
    assert not thread.is_alive()
    store.close()
