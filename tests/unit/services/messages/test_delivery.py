"""Every message leaves at least once and at most twice, in its turn, and never when it is dead."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from services import profiles
from services.messages import delivery
from services.messages.composer import Composer
from services.messages.delivery import Delivery
from services.messages.senders import PermanentFailure, TemporaryFailure
from services.messages.sms_budget import SmsBudget
from services.store.engine import Store
from services.store.tables.messages import outbox as table
from tests.unit.services.messages.mailroom import DiscreetLog, Mailbox, base_of
from tests.world.clock import HandClock

PROFILE = profiles.load("mygenerali")


@pytest.fixture
def new_delivery(store: Store, clock: HandClock, composer: Composer, mailbox: Mailbox) -> Callable[..., Delivery]:
    def note(_connection: Connection, topic: str, may_have_arrived: bool) -> None:
        mailbox.undelivered.append(topic)
        mailbox.may_have_arrived.append(may_have_arrived)

    def make(**options: Any) -> Delivery:
        senders = {"email": mailbox, "sms": mailbox}
        used = options.pop("store", store)
        return Delivery(used, clock, composer, senders, note, sms_budget=SmsBudget(base_of(used, clock)), **options)

    return make


@contextmanager
def running(worker: Delivery) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        worker.wake()
        thread.join(15)
        assert not thread.is_alive()


def states(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(table.c.state).order_by(table.c.created_at)).scalars())


def fail(failure: Exception) -> Callable[[str], None]:
    def then(_recipient: str) -> None:
        raise failure

    return then


def test_a_message_is_sent_once_and_then_forgotten(store, new_delivery, mailbox, put_code) -> None:
    message_id = put_code()
    worker = new_delivery()
    assert worker.deliver_due() == 1
    assert worker.deliver_due() == 0
    assert mailbox.got == [("+36201234567", message_id)]
    with store.read() as connection:
        row = connection.execute(select(table)).one()
    assert (row.state, row.facts, row.attempts, mailbox.undelivered) == ("sent", {}, 1, [])
    assert row.sent_at is not None


def test_a_refused_message_is_tried_again_after_growing_waits_and_is_sent_in_the_end(
    clock, new_delivery, mailbox, put_mail, outbox
) -> None:
    put_mail()
    worker = new_delivery()
    mailbox.then = fail(TemporaryFailure("the mail server answered 451"))
    assert worker.deliver_due() == 1
    for wait in (5, 20, 60, 300, 900, 900):
        clock.advance(wait - 1)
        assert worker.deliver_due() == 0
        clock.advance(1)
        assert worker.deliver_due() == 1
    mailbox.then = lambda recipient: None
    clock.advance(900)
    assert worker.deliver_due() == 1
    assert len(mailbox.got) == 1
    assert outbox.counts()["sent"] == 1


def test_an_sms_is_given_up_after_some_minutes_and_that_is_told(clock, new_delivery, mailbox, put_code, outbox) -> None:
    put_code()
    worker = new_delivery()
    mailbox.then = fail(TemporaryFailure("the SMS gateway answered 503"))
    for wait in (2, 10, 30, 60, 60):
        assert worker.deliver_due() == 1
        assert mailbox.undelivered == []
        clock.advance(wait)
    assert worker.deliver_due() == 1
    assert (mailbox.undelivered, mailbox.may_have_arrived) == (["code:1"], [False])
    clock.advance(60)
    assert worker.deliver_due() == 0
    (lost,) = outbox.given_up()
    assert (lost.recipient, lost.error) == ("+36 20 ••• ••67", "the SMS gateway answered 503")


def test_a_final_refusal_ends_a_message_at_once(new_delivery, mailbox, put_mail, outbox) -> None:
    put_mail()
    mailbox.then = fail(PermanentFailure("the mail server refused the recipient: 550 5.1.1"))
    new_delivery().deliver_due()
    assert outbox.counts()["given_up"] == 1
    assert mailbox.undelivered == ["mail:1"]
    assert outbox.given_up()[0].recipient == "k•••a@example.hu"


def test_a_gateway_that_breaks_off_gets_a_message_at_most_twice(clock, new_delivery, mailbox, put_code, store) -> None:
    put_code()
    worker = new_delivery()
    for failure, state in (
        (TemporaryFailure("gone", may_have_arrived=True), "doubtful"),
        (TemporaryFailure("refused"), "doubtful"),
        (ValueError("a sender's fault; its text may hold 4827"), "given_up"),
    ):
        mailbox.then = fail(failure)
        assert worker.deliver_due() == 1
        assert states(store) == [state]
        clock.advance(60)
    assert worker.deliver_due() == 0
    assert (mailbox.undelivered, mailbox.may_have_arrived) == (["code:1"], [True])


def test_a_message_that_broke_off_once_may_have_arrived_however_it_ends(
    clock, new_delivery, mailbox, put_code, store
) -> None:
    worker = new_delivery()
    for ending, state in ((2, "given_up"), (30, "expired")):
        put_code(f"code:{ending}", minutes=0.5)
        mailbox.then = fail(TemporaryFailure("gone", may_have_arrived=True))
        assert worker.deliver_due() == 1
        clock.advance(ending)
        mailbox.then = fail(PermanentFailure("refused for good"))
        worker.deliver_due()
        assert states(store)[-1] == state
    assert mailbox.may_have_arrived == [True, True]


def test_a_message_whose_code_has_died_is_never_sent(clock, new_delivery, mailbox, put_code, store) -> None:
    put_code(minutes=30)
    clock.advance(30 * 60)
    assert new_delivery().deliver_due() == 0
    assert (mailbox.tried, states(store), mailbox.undelivered) == (0, ["expired"], ["code:1"])
    assert mailbox.may_have_arrived == [False]


def test_no_try_is_planned_for_when_the_link_will_have_died(clock, new_delivery, mailbox, put_mail, store) -> None:
    put_mail(minutes=0.05)
    mailbox.then = fail(TemporaryFailure("refused"))
    assert new_delivery().deliver_due() == 1
    assert states(store) == ["given_up"]


def test_a_message_that_dies_while_the_gateway_is_called_is_not_handed_over(
    clock, store, mailbox, put_code, new_delivery
) -> None:
    mailbox.first = lambda recipient: clock.advance(30 * 60)
    put_code()
    worker = new_delivery()
    assert worker.deliver_due() == 1
    assert worker.deliver_due() == 0
    assert (mailbox.got, states(store), mailbox.undelivered) == ([], ["expired"], ["code:1"])


def test_a_replaced_message_is_not_sent(store, outbox, new_delivery, mailbox, put_code) -> None:
    put_code()
    with store.write() as connection:
        outbox.replace(connection, "code:1")
    assert new_delivery().deliver_due() == 0
    assert mailbox.tried == 0


def test_a_message_replaced_while_the_gateway_is_called_is_not_handed_over(
    store, outbox, new_delivery, mailbox, put_code
) -> None:
    def replace(_recipient: str) -> None:
        with store.write() as connection:
            outbox.replace(connection, "code:1")

    mailbox.first = replace
    put_code()
    new_delivery().deliver_due()
    assert (mailbox.got, states(store), mailbox.undelivered) == ([], ["replaced"], [])


def test_a_message_replaced_while_it_leaves_stays_replaced(store, outbox, new_delivery, mailbox, put_code) -> None:
    def replace(_recipient: str) -> None:
        with store.write() as connection:
            outbox.replace(connection, "code:1")
        raise TemporaryFailure("refused")

    mailbox.then = replace
    put_code()
    new_delivery().deliver_due()
    assert (states(store), mailbox.undelivered) == (["replaced"], [])


def test_the_messages_of_a_topic_leave_in_their_order(clock, new_delivery, mailbox, put_mail) -> None:
    first = put_mail()
    clock.advance(1)
    second = put_mail()
    worker = new_delivery()
    mailbox.then = fail(TemporaryFailure("refused"))
    assert worker.deliver_due() == 1
    mailbox.then = lambda recipient: None
    assert worker.deliver_due() == 0
    clock.advance(5)
    assert worker.deliver_due() == 1
    assert worker.deliver_due() == 1
    assert [message_id for _, message_id in mailbox.got] == [first, second]


def test_a_message_that_cannot_be_composed_was_surely_not_sent(store, outbox, clock, new_delivery, mailbox) -> None:
    with store.write() as connection:
        outbox.put(
            connection,
            kind="sms",
            recipient="+36201234567",
            message="no_such_text",
            language="hu",
            topic="x",
            expires_at=clock.now().replace(hour=23),
            facts={"code": "4827"},
        )
    assert new_delivery().deliver_due() == 1
    assert (mailbox.tried, states(store)) == (0, ["waiting"])


def test_a_sending_that_hangs_is_cut_off_and_holds_up_no_other(
    new_delivery, mailbox, put_code, store, discreet_log: DiscreetLog
) -> None:
    release = threading.Event()

    def hang(recipient: str) -> None:
        if recipient == "+36301112233":
            release.wait(30)

    mailbox.then = hang
    put_code("code:slow", recipient="+36301112233")
    for number in range(20):
        put_code(f"code:{number}")
    worker = new_delivery(deadline_seconds=2)
    with running(worker):
        mailbox.wait_until(lambda: len(mailbox.got) == 20)
        discreet_log.wait_for("sent sms code", times=20)
        discreet_log.wait_for("no answer in time")
        assert sorted(states(store)) == ["doubtful", *["sent"] * 20]
        release.set()
        mailbox.wait_until(lambda: len(mailbox.got) == 21)
        discreet_log.wait_for("sent sms code", times=21)
    assert set(states(store)) == {"sent"}  # it came through after all, and is not repeated
    assert len(mailbox.got) == 21


def test_several_workers_send_each_message_once(store, new_delivery, mailbox, put_code, clock) -> None:
    ids = {put_code(f"code:{number}") for number in range(60)}
    with running(new_delivery()), running(new_delivery()), running(new_delivery()):
        mailbox.wait_until(lambda: len(mailbox.got) >= 60, 30)
    assert sorted(message_id for _, message_id in mailbox.got) == sorted(ids)
    assert set(states(store)) == {"sent"}


def test_a_message_wakes_the_worker_at_once(monkeypatch, new_delivery, mailbox, put_code) -> None:
    monkeypatch.setattr(delivery, "POLL_SECONDS", 60.0)
    put_code("code:1")
    worker = new_delivery()
    with running(worker):
        mailbox.wait_until(lambda: len(mailbox.got) == 1)
        put_code("code:2")
        mailbox.wait_until(lambda: len(mailbox.got) == 2)


def test_a_process_that_died_leaves_its_messages_to_the_next_for_one_more_time(
    clock, new_delivery, mailbox, put_code, store
) -> None:
    put_code()
    left, end = threading.Semaphore(0), threading.Event()

    def die(_recipient: str) -> None:
        left.release()
        assert end.wait(30)  # what is dead does nothing more; it comes back when all is over

    mailbox.then = die
    with ThreadPoolExecutor(2) as processes:
        for state in ("sending", "repeating"):
            processes.submit(new_delivery().deliver_due)
            assert left.acquire(timeout=30)
            assert states(store) == [state]
            assert new_delivery().deliver_due() == 0  # the lease holds
            clock.advance(delivery.LEASE.total_seconds())
        assert new_delivery().deliver_due() == 0
        assert (mailbox.tried, states(store), mailbox.undelivered) == (2, ["given_up"], ["code:1"])
        assert mailbox.may_have_arrived == [True]
        end.set()


class Died(BaseException):
    """A process is killed here."""


def test_a_process_that_dies_before_it_hands_a_message_over_costs_no_try(
    clock, new_delivery, mailbox, put_code, store
) -> None:
    def die(name: str) -> None:
        if name == "delivery.claimed":
            raise Died

    put_code()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "reach", die)
        for _ in range(4):
            with pytest.raises(Died):
                new_delivery().deliver_due()
            assert states(store) == ["waiting"]
            clock.advance(delivery.LEASE.total_seconds())
    assert new_delivery().deliver_due() == 1
    assert len(mailbox.got) == 1


def test_a_gateway_that_hangs_when_it_is_called_does_not_make_a_message_doubtful(
    new_delivery, mailbox, put_code, store, discreet_log: DiscreetLog
) -> None:
    release = threading.Event()
    mailbox.first = lambda recipient: release.wait(30) and None
    put_code()
    worker = new_delivery(deadline_seconds=0.2)
    assert worker.deliver_due() == 1
    assert states(store) == ["waiting"]
    release.set()
    for thread in threading.enumerate():
        if thread.name == "delivery":
            thread.join(10)
    assert mailbox.got == []  # its time is up, so it is not handed over late


class FlakyStore:
    """A store whose database can be taken away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.wakes = store.wakes
        self.is_gone = False
        self.refused = threading.Event()

    @contextmanager
    def _open(self, way: Any) -> Iterator[Connection]:
        if self.is_gone:
            self.refused.set()
            raise OperationalError("SELECT", {"facts": "4827"}, Exception("the database is gone"))
        with way() as connection:
            yield connection

    def read(self) -> Any:
        return self._open(self._store.read)

    def write(self) -> Any:
        return self._open(self._store.write)


def test_a_worker_outlives_its_database_and_sends_nothing_twice(
    store, new_delivery, mailbox, put_code, discreet_log: DiscreetLog
) -> None:
    flaky = FlakyStore(store)

    def take_the_database_away(_recipient: str) -> None:
        flaky.is_gone = True

    mailbox.then = take_the_database_away
    put_code()
    with running(new_delivery(store=flaky)):
        mailbox.wait_until(lambda: len(mailbox.got) == 1)
        assert flaky.refused.wait(10)
        mailbox.then = lambda recipient: None
        flaky.is_gone = False
        put_code("code:2")
        mailbox.wait_until(lambda: len(mailbox.got) == 2)
    assert states(store) == ["sent", "sent"]
    assert any("delivery pauses" in line for line in discreet_log.lines)


def test_what_is_done_about_an_undelivered_message_is_one_with_its_end(
    store, clock, composer, mailbox, put_code
) -> None:
    def undelivered(connection: Connection, _topic: str, _may_have_arrived: bool) -> None:
        raise OperationalError("UPDATE", {}, Exception("locked"))

    mailbox.then = fail(PermanentFailure("refused"))
    put_code()
    worker = Delivery(
        store, clock, composer, {"sms": mailbox}, undelivered, sms_budget=SmsBudget(base_of(store, clock))
    )
    with pytest.raises(OperationalError):
        worker.deliver_due()
    assert states(store) == ["sending"]  # until its lease is over and that is tried again


def test_a_fault_in_what_is_done_about_one_message_stops_no_other(store, clock, composer, mailbox, put_code) -> None:
    def undelivered(_connection: Connection, _topic: str, _may_have_arrived: bool) -> None:
        raise KeyError("4827")

    put_code("code:1", minutes=-1)
    put_code("code:2")
    Delivery(
        store, clock, composer, {"sms": mailbox}, undelivered, sms_budget=SmsBudget(base_of(store, clock))
    ).deliver_due()
    assert sorted(states(store)) == ["expired", "sent"]


def test_the_order_of_gateway_faults_never_leads_to_a_third_copy(
    clock, new_delivery, mailbox, put_code, outbox
) -> None:
    chance = random.Random(7)
    copies: dict[str, int] = {}

    def fault(recipient: str) -> None:
        kind = chance.choice(("arrived, no answer", "refused", "lost, no answer", "fine"))
        if kind in ("arrived, no answer", "fine"):
            copies[recipient] = copies.get(recipient, 0) + 1
        if kind == "refused":
            raise TemporaryFailure("refused")
        if kind != "fine":
            raise TemporaryFailure("no answer", may_have_arrived=True)

    mailbox.then = fault
    for number in range(40):
        put_code(f"code:{number}", recipient=f"+362012345{number:02}", minutes=300)
    worker = new_delivery()
    while outbox.counts()["waiting"]:
        worker.deliver_due()
        clock.advance(10)
    assert max(copies.values()) == 2
