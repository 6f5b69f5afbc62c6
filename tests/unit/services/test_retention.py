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
from services.store.tables.grants import nudges
from services.store.tables.limits import allowances, sign_in_tries
from services.store.tables.messages import demo_messages, outbox
from services.store.tables.payments import bank_entries
from services.store.tables.references import reference_codes
from services.store.tables.register import contact_changes
from services.store.tables.registrations import registrations
from services.store.tables.requests import request_drafts, request_events, requests
from services.store.tables.staff import staff_cases
from services.store.tables.worklists import batches, invitations, quality_cases
from tests import ROOT
from tests.world.cast import ANNA, CROWD, ESZTER
from tests.world.clock import HandClock
from tests.world.outcomes import at_once, outcome_of
from tests.world.world import PROFILE, World

MOMENT = timedelta(milliseconds=1)
DAY = timedelta(days=1)
KEPT = PROFILE.retention


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)


def tidying(world: World) -> Tidying:
    return Tidying(world.base, world.allowances)


def tidy(world: World) -> dict[str, int]:
    """Tidy, and return how many of each kind were erased."""
    return counts(tidying(world).tidy())


def counts(tidied: list[retention.Erased]) -> dict[str, int]:
    return {one.kind: one.count for one in tidied if one.count}


def put(world: World, table: Table, **values: Any) -> None:
    with world.store.write() as connection:
        connection.execute(insert(table).values(values))


def old_registrations(world: World, count: int) -> None:
    """Leave so many registrations behind that are to be erased."""
    for person in CROWD[:count]:
        world.identified(person)
    world.clock.advance(days=KEPT.registrations_days, hours=1)


# --- What is over ----------------------------------------------------------------------------------------------


def message(world: World, at: datetime, state: str = "sent") -> dict[str, Any]:
    return {
        "id": f"m {state}", "kind": "email", "recipient": "a@example.hu", "message": "confirm", "language": "hu",
        "facts": {}, "topic": "t", "created_at": at, "due_at": at, "expires_at": at, "state": state, "attempts": 1,
    }  # fmt: skip


def session(world: World, at: datetime, account_id: str, **values: Any) -> dict[str, Any]:
    return {
        "id": "s", "account_id": account_id, "token_hash": "t", "device_hash": "d", "device": "Firefox",
        "created_at": at, "seen_at": at, "ends_at": at, **values,
    }  # fmt: skip


def request(at: datetime, **values: Any) -> dict[str, Any]:
    return {
        "id": "r", "reference": "U-AAAAAA", "kutid": ANNA.kutid, "kind": "green-card", "state": "closed",
        "answers": {}, "sent_at": at, "promised_on": at.date(), "changed_at": at, **values,
    }  # fmt: skip


def registered(world: World) -> str:
    """Register, and return the account's id."""
    world.registered(ANNA)
    return str(world.accounts()[0].id)


ROWS: dict[str, tuple[timedelta, Callable[[World, datetime], tuple[Table, dict[str, Any]]]]] = {
    "reference_codes": (
        KEPT.registrations,
        lambda world, at: (reference_codes, {"code": "AAA-AAA", "kind": "link_expired", "created_at": at}),
    ),
    "allowances": (DAY, lambda world, at: (allowances, {"key": "k", "used": 1, "ends_at": at})),
    "sign_in_tries": (
        DAY,
        lambda world, at: (sign_in_tries, {"key": "k", "failures": 1, "wait_until": at, "ends_at": at}),
    ),
    "password_resets": (
        DAY,
        lambda world, at: (
            password_resets,
            {"account_id": registered(world), "link_id": "l", "created_at": at, "expires_at": at},
        ),
    ),
    "account_changes": (
        DAY,
        lambda world, at: (
            account_changes,
            {
                "account_id": registered(world), "kind": "email", "id": "c", "value": "b@example.hu",
                "value_key": "b@example.hu", "created_at": at, "expires_at": at,
            },
        ),
    ),
    "messages": (KEPT.messages, lambda world, at: (outbox, message(world, at))),
    "demo_messages": (
        KEPT.messages,
        lambda world, at: (
            demo_messages,
            {
                "id": "m", "kind": "email", "recipient": "a@example.hu", "subject": "s", "text": "t", "html": "",
                "links": [], "created_at": at,
            },
        ),
    ),
    "sessions": (KEPT.sessions, lambda world, at: (sessions, session(world, at, registered(world)))),
    "staff_cases": (
        KEPT.registrations,
        lambda world, at: (
            staff_cases, {"id": "c", "session_id": world.member().id, "kutid": ANNA.kutid, "opened_at": at},
        ),
    ),
    "invitations": (
        KEPT.worklists,
        lambda world, at: (
            invitations,
            {"kutid": ANNA.kutid, "link_id": "l", "batch_id": "b", "invited_at": at, "deadline_at": at},
        ),
    ),
    "invitation_batches": (
        KEPT.worklists,
        lambda world, at: (
            batches,
            {
                "id": "b", "kind": "invitation", "actor": world.member().member.id, "created_at": at, "position": "",
                "sent": 0, "skipped": 0, "ended_at": at,
            },
        ),
    ),
    "quality_cases": (
        KEPT.worklists,
        lambda world, at: (
            quality_cases,
            {"id": "q", "kutid": ANNA.kutid, "kind": "landline", "found_at": at, "closed_at": at},
        ),
    ),
    "nudges": (
        KEPT.worklists,
        lambda world, at: (
            nudges,
            {"id": "n", "kutid": ANNA.kutid, "day": at.date(), "at": at, "staff_id": "staff:x"},
        ),
    ),
    "api_answers": (
        DAY,
        lambda world, at: (api_answers, {"id": "a", "asked": "b", "turn": "t", "begun_at": at}),
    ),
    "contact_changes": (
        KEPT.audit,
        lambda world, at: (
            contact_changes,
            {
                "kutid": ANNA.kutid, "kind": "mobile", "before": "", "after": "+36209998877", "actor": "staff:x",
                "at": at, "settled_at": at,
            },
        ),
    ),
    "request_drafts": (
        PROFILE.request_rules.draft,
        lambda world, at: (
            request_drafts,
            {
                "id": "r", "kutid": ANNA.kutid, "kind": "green-card", "answers": {}, "version": 0, "begun_at": at,
                "saved_at": at,
            },
        ),
    ),
    "transfers": (
        timedelta(days=KEPT.transfers_days),
        lambda world, at: (
            bank_entries,
            {
                "id": "b", "key": "k", "booked_on": at.date(), "amount": 1, "currency": "HUF", "text": "?",
                "payer": "Példa Pál", "noted_at": at, "sent_back_at": at,
            },
        ),
    ),
    "requests": (PROFILE.request_rules.kept, lambda world, at: (requests, request(at, ended_at=at))),
    "audit": (
        KEPT.audit,
        lambda world, at: (
            audit,
            {"at": at, "actor": "customer", "action": "email_changed", "kutid": ANNA.kutid, "facts": {}},
        ),
    ),
}  # fmt: skip


def test_what_only_staff_know_of_a_customer_stays_until_the_register_has_it(world: World) -> None:
    table, values = ROWS["contact_changes"][1](world, world.clock.now())
    put(world, table, **{**values, "settled_at": None})
    world.clock.moment += 2 * KEPT.audit
    assert "contact_changes" not in tidy(world)


def test_a_case_that_is_closed_and_still_so_keeps_its_row_and_loses_its_note(world: World) -> None:
    at = world.clock.now()
    case = {"id": "q", "kutid": ANNA.kutid, "kind": "landline", "evidence": "x", "found_at": at}
    put(world, quality_cases, **case, closed_at=at, closed_by="staff:x", note="Felhívtuk")
    world.clock.moment += KEPT.worklists - MOMENT
    assert tidy(world) == {}
    world.clock.moment += MOMENT
    assert tidy(world) == {"quality_notes": 1}
    (row,) = world.rows(quality_cases)
    assert (row.note, row.closed_at) == (None, at)


def test_an_open_request_stays_and_one_that_ended_goes_with_what_happened_to_it(world: World) -> None:
    at = world.clock.now()
    put(world, requests, **request(at))
    put(world, request_events, id="e", request_id="r", place=0, type="sent", at=at, actor="customer")
    world.clock.moment += 2 * PROFILE.request_rules.kept
    assert "requests" not in tidy(world)
    with world.store.write() as connection:
        connection.execute(update(requests).values(ended_at=at))
    assert tidy(world)["requests"] == 1
    assert world.rows(request_events) == []


def test_a_transfer_that_waits_for_somebody_stays(world: World) -> None:
    moment = world.clock.now()
    row = {"key": "k", "booked_on": moment.date(), "amount": 1, "currency": "HUF", "text": "?", "payer": "Példa Pál"}
    put(world, bank_entries, id="b", noted_at=moment, **row)
    world.clock.moment += 2 * timedelta(days=KEPT.transfers_days)
    assert "transfers" not in tidy(world)


def test_open_cases_and_batches_stay(world: World) -> None:
    at = world.clock.now()
    for kind in ("failed", "landline"):
        put(world, quality_cases, id=kind, kutid=ANNA.kutid, kind=kind, evidence="x", found_at=at)
    batch = {"id": "b", "kind": "invitation", "actor": world.member().member.id, "created_at": at, "position": ""}
    put(world, batches, **batch, sent=0, skipped=0)
    world.clock.moment += 3 * KEPT.worklists
    assert not {"quality_cases", "quality_notes", "invitation_batches"} & set(tidy(world))


def test_a_session_of_staff_goes_after_its_time_with_its_cases(world: World) -> None:
    session = world.member()
    world.clock.moment += KEPT.sessions - MOMENT
    put(world, staff_cases, id="c", session_id=session.id, kutid=ANNA.kutid, opened_at=world.clock.moment)
    world.clock.moment += MOMENT
    assert tidy(world) == {}
    world.clock.moment += KEPT.registrations
    assert tidy(world) == {"staff_cases": 1, "staff_sessions": 1}


@pytest.mark.parametrize("kind", ROWS)
def test_each_kind_is_erased_after_its_time_and_not_a_moment_earlier(world: World, kind: str) -> None:
    kept_for, make = ROWS[kind]
    table, values = make(world, world.clock.now())
    put(world, table, **values)
    world.clock.moment += kept_for - MOMENT
    assert kind not in tidy(world)
    world.clock.moment += MOMENT
    assert tidy(world)[kind] == 1
    assert tidy(world) == {}


def test_a_registration_is_erased_after_its_time_complete_or_not(world: World) -> None:
    access = world.mailed(ESZTER)
    done = world.registered(ANNA)
    world.clock.moment = max(world.see(access).expires_at, world.see(done).expires_at) + KEPT.registrations - MOMENT
    tidy(world)
    assert world.see(done).is_complete
    world.clock.moment += MOMENT
    assert tidy(world)["registrations"] >= 1
    assert world.count(registrations) == 0
    (account,) = world.accounts()
    assert (account.email, account.mobile, account.terms_version) == (ANNA.email, ANNA.mobile, "2026-1")


def test_whose_registration_was_erased_can_begin_again_unless_there_is_the_account(world: World) -> None:
    world.mailed(ESZTER)
    world.registered(ANNA)
    world.clock.advance(days=9)
    tidy(world)
    assert (
        outcome_of(world.registrations.identification.identify, ANNA.policy_number, ANNA.knows, "hu")
        == "already_registered"
    )
    world.registered(ESZTER)
    assert len(world.accounts()) == 2


def test_a_link_says_what_became_of_its_registration(world: World) -> None:
    replaced = world.linked(ESZTER)
    world.clock.advance(minutes=1)
    world.registrations.emails.resend_email(replaced)
    done = world.registered(ANNA)
    assert world.registrations.records.why_dead(replaced) == "link_unknown"
    world.clock.advance(days=9)
    tidy(world)
    for access, kind in ((replaced, "link_expired"), (done, "link_completed")):
        assert world.registrations.records.find(access) is None
        assert world.registrations.records.why_dead(access) == kind


def test_codes_are_forgotten_after_their_budget_and_never_within(world: World) -> None:
    access = world.sent_code(ANNA)
    longest = max(DAY, world.profile.registration.longest)
    world.clock.moment = world.see(access).code.budget_ends_at + longest - MOMENT
    tidy(world)
    assert world.count(one_time_codes) == 1
    world.clock.moment += MOMENT
    assert tidy(world)["one_time_codes"] == 1


def test_messages_that_may_still_leave_are_never_erased(world: World) -> None:
    states = ("waiting", "sending", "doubtful", "repeating", "sent", "replaced", "expired", "given_up")
    for state in states:
        put(world, outbox, **message(world, world.clock.now(), state))
    world.clock.advance(days=36525)
    assert tidy(world)["messages"] == 4
    with world.store.read() as connection:
        assert set(connection.execute(select(outbox.c.state)).scalars()) == set(states[:4])


def test_what_was_typed_before_a_sign_in_goes_with_its_session(world: World) -> None:
    at, account_id = world.clock.now(), registered(world)
    put(world, sessions, **session(world, at, account_id, kept={"email": "b@example.hu"}))
    put(world, sessions, **session(world, at, account_id, id="other", token_hash="other", kept=None))
    world.clock.moment += DAY - MOMENT
    assert "typed_before_sign_in" not in tidy(world)
    world.clock.moment += MOMENT
    assert tidy(world)["typed_before_sign_in"] == 1
    with world.store.read() as connection:
        assert list(connection.execute(select(sessions.c.kept)).scalars()) == [None, None]


def test_what_is_in_use_stays(world: World) -> None:
    person = CROWD[0]
    access = world.sent_code(person)
    world.registered(ANNA)
    References(world.base).issue("link_expired", kutid=ANNA.kutid)
    before = everything(world.store)
    assert tidy(world) == {}
    assert everything(world.store) == before
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(person.mobile)) == "ok"


def everything(store: Store) -> dict[str, list[Any]]:
    with store.read() as connection:
        return {
            table.name: sorted(connection.execute(select(table)).all(), key=repr) for table in metadata.sorted_tables
        }


def test_counting_erases_nothing_and_counts_what_tidying_erases(world: World) -> None:
    world.registered(ANNA)
    world.deliver()
    old_registrations(world, 3)
    world.clock.advance(days=40)
    before = everything(world.store)
    counted = tidying(world).count()
    assert everything(world.store) == before
    assert counts(counted)["registrations"] == 4
    assert counts(counted)["messages"] == 3
    assert tidying(world).tidy() == counted
    assert counts(tidying(world).count()) == {}


# --- A little at a time ----------------------------------------------------------------------------------------


class StopsAtOnce(threading.Event):
    """Is set at the first pause."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_a_transaction_erases_no_more_than_a_batch_and_the_rest_comes_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    old_registrations(world, 8)
    assert counts(tidying(world).tidy(StopsAtOnce())) == {"registrations": 3}
    assert world.count(registrations) == 5
    assert tidy(world)["registrations"] == 5


def test_once_an_hour_one_of_many_tidies(world: World) -> None:
    old_registrations(world, 5)
    begun = world.clock.now()
    assert tidying(world).last_begun() is None
    for _ in range(2):
        answers = at_once([tidying(world).tidy_if_due] * 8)
        assert sum(answer is not None for answer in answers) == 1, answers
        assert tidying(world).last_begun() == world.clock.now()
        world.clock.advance(hours=1)
    assert world.clock.now() - begun == 2 * retention.EVERY
    world.clock.moment -= MOMENT
    assert tidying(world).tidy_if_due() is None
    assert world.count(registrations) == 0


def test_that_a_clock_was_far_ahead_once_does_not_stop_it(world: World) -> None:
    right = world.clock.now()
    world.clock.advance(days=3650)
    tidying(world).tidy_if_due()
    world.clock.moment = right
    assert tidying(world).tidy_if_due() is not None
    assert tidying(world).tidy_if_due() is None


VICTIM = """
import sys
from tests.world.world import World
from services import retention
from services.retention import Tidying
from services.store.engine import Store

retention.BATCH = 3
world = World(Store(sys.argv[1]))
world.clock.advance(seconds=float(sys.argv[2]))
Tidying(world.base, world.allowances).tidy_if_due()
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
    world: World, point: str, left: int
) -> None:
    old_registrations(world, 8)
    url = world.store.url.render_as_string(hide_password=False)
    seconds = (world.clock.now() - HandClock().now()).total_seconds()
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, url, str(seconds)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "BELEPO_CRASH_AT": point},
        check=False,
        timeout=60,
    )
    assert victim.returncode == -signal.SIGKILL
    assert world.count(registrations) == left
    assert tidying(world).tidy_if_due() is None
    world.clock.advance(hours=1)
    assert counts(tidying(world).tidy_if_due() or [])["registrations"] == left


# --- Beside others ---------------------------------------------------------------------------------------------


def test_customers_register_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    old_registrations(world, 20)
    customers = CROWD[20:30]
    erased, *accesses = at_once([partial(tidy, world), *(partial(world.mailed, person) for person in customers)])
    assert erased["registrations"] == 20
    assert [world.see(access).email for access in accesses] == [person.email for person in customers]
    assert world.count(registrations) == len(customers)


def test_a_count_that_begins_anew_while_it_is_erased_is_kept(world: World) -> None:
    key = world.allowances.key("test", "somebody")

    def take() -> datetime | None:
        with world.store.write() as connection:
            return world.allowances.take(connection, key, limit=1, quiet=timedelta(hours=1), now=world.clock.now())

    for _ in range(15):
        answers = at_once([take, lambda: tidy(world), take, lambda: tidy(world), take])
        assert [answers[number] for number in (0, 2, 4)].count(None) == 1, answers
        world.clock.advance(days=2)


def test_a_row_that_somebody_holds_is_not_waited_for(postgresql_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """So tidying can be in no deadlock. (SQLite has but one writer.)"""
    monkeypatch.setattr(retention, "BATCH", 2)
    held = allowances
    world = World(postgresql_store)
    for key in ("a", "b", "c", "d", "e"):
        put(world, held, key=key, used=1, ends_at=world.clock.now())
    world.clock.advance(days=2)
    with postgresql_store.write() as connection:
        connection.execute(update(held).where(held.c.key == "b").values(used=2))
        first = tidy(world)["allowances"]
    assert first >= 1
    assert first + tidy(world)["allowances"] == 5


class Renewing:
    """A store in which somebody begins every count anew, just before a writer has its turn."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.read = world.store.read

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self.world.store.write() as connection:
            later = self.world.clock.now() + timedelta(hours=1)
            connection.execute(update(allowances).values(ends_at=later))
        with self.world.store.write() as connection:
            yield connection


def test_a_row_that_was_begun_anew_since_it_was_found_stays(world: World) -> None:
    put(world, allowances, key="a", used=1, ends_at=world.clock.now())
    world.clock.advance(days=2)
    store: Any = Renewing(world)
    assert counts(Tidying(replace(world.base, store=store), world.allowances).tidy()) == {}
    assert world.count(allowances) == 1


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
    world = World(store)
    stop = threading.Event()
    thread = threading.Thread(target=tidying(world).run, args=(stop,))
    thread.start()
    try:
        assert failed.event.wait(30)
        with store.write() as connection:
            metadata.create_all(connection)
        put(world, allowances, key="a", used=1, ends_at=world.clock.now() - 2 * DAY)
        world.clock.advance(hours=1)  # it may have begun before there was anything to erase
        assert erased.event.wait(30)
    finally:
        stop.set()
        thread.join(30)
        log.removeHandler(failed)
        log.removeHandler(erased)
    assert not thread.is_alive()
    store.close()
