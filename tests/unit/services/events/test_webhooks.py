"""Webhooks on both databases: signed, in order, at least once, repeated, given up and called again (P42)."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from services import events
from services.base import Base
from services.events import delivery
from services.events.calls import CallFailed
from services.events.group import EventServices, build_events
from services.events.webhooks import MOST, Webhook
from services.keys import Keys
from services.limits.group import build_limits
from services.refusal import OutOfTurn
from services.retention import Tidying
from services.store.engine import Store
from services.store.tables.events import webhook_failures, webhooks
from tests.world.clock import HandClock
from tests.world.outcomes import at_once, only_answers, outcome_of
from tests.world.world import base_of

URL, OTHER = "https://insurer.example/events", "https://archive.example/events"


class Endpoints:
    """The world outside: what each endpoint was sent, and what it says."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, str], bytes]] = []
        self.says: dict[str, str] = {}
        self.meanwhile: Callable[[], object] | None = None
        """What happens once while one is called."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        self.calls.append((url, headers, body))
        if happens := self.meanwhile:
            self.meanwhile = None
            happens()
        if reason := self.says.get(url):
            raise CallFailed(reason)

    def got(self, url: str = URL) -> list[int]:
        """Return the documents that an endpoint was told of, in order."""
        return [json.loads(body)["data"]["document"] for to, _, body in self.calls if to == url]


class Insurer:
    """The services around one database, and the endpoints that they call."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = HandClock()
        self.base: Base = base_of(store, self.clock)
        self.outside = Endpoints()
        self.services: EventServices = build_events(self.base, self.outside)
        self.webhooks, self.delivery = self.services.webhooks, self.services.delivery

    def add(self, *patterns: str, url: str = URL) -> tuple[str, str]:
        return self.webhooks.add(url, patterns or ("*",))

    def happens(self, *documents: int, kind: str = "document.opened") -> None:
        with self.store.write() as connection:
            for number in documents:
                events.note(connection, kind, self.clock.now(), document=number)

    def work(self) -> int:
        """Call whatever is due now, and return how many calls were taken."""
        return sum(self.delivery.deliver(webhook_id) for webhook_id in self.delivery.due())

    def listed(self) -> Webhook:
        (found,) = self.webhooks.all()
        return found


@pytest.fixture
def insurer(store: Store) -> Insurer:
    return Insurer(store)


# --- Adding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://insurer.example/events",
        "ftp://insurer.example/",
        "insurer.example",
        "https://",
        "https://user:secret@insurer.example/",
        "https://insurer.example/a b",
        "https://insurer.example/#part",
        "https://insurer.example:99999/",
        "https://[::1/",
        "https://insurer.example/\r\nX: y",
        f"https://insurer.example/{'x' * 2000}",
    ],
)
def test_an_address_that_is_no_endpoint_is_refused(insurer: Insurer, url: str) -> None:
    assert outcome_of(insurer.webhooks.add, url, ["*"]) == "webhook.url"
    assert insurer.webhooks.all() == []


@pytest.mark.parametrize("url", [URL, "http://localhost:8080/", "http://127.0.0.1/x", "http://[::1]:9/"])
def test_https_and_this_machine_are_endpoints(insurer: Insurer, url: str) -> None:
    insurer.add(url=url)
    assert insurer.listed().url == url


@pytest.mark.parametrize("patterns", [[], ["letter.*"], ["document.*", "nonsense"]])
def test_patterns_name_types_of_event(insurer: Insurer, patterns: list[str]) -> None:
    assert outcome_of(insurer.webhooks.add, URL, patterns) == "webhook.events"


def test_there_are_not_too_many(insurer: Insurer) -> None:
    for _ in range(MOST):
        insurer.add()
    assert outcome_of(insurer.add) == "webhook.too_many"


def test_the_secret_is_not_in_the_database(insurer: Insurer) -> None:
    _, secret = insurer.add()
    with insurer.store.read() as connection:
        row = str(connection.execute(select(webhooks)).all())
    assert secret not in row
    assert secret.removeprefix("whsec_") not in row


# --- Calling -----------------------------------------------------------------------------------------------------


def test_calls_are_signed_and_say_what_happened(insurer: Insurer, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = insurer.add()
    insurer.happens(7)
    assert insurer.work() == 1
    ((_, headers, body),) = insurer.outside.calls
    # The verifier compares with the machine's clock; this clock is moved by hand.
    monkeypatch.setattr(Verifier, "_Webhook__verify_timestamp", lambda _, stamp: insurer.clock.now())
    assert headers["webhook-timestamp"] == str(int(insurer.clock.now().timestamp()))
    assert Verifier(secret).verify(body, dict(headers)) == {
        "type": "document.opened",
        "timestamp": insurer.clock.now().isoformat().replace("+00:00", "Z"),
        "id": 1,
        "data": {"document": 7},
    }


def test_events_come_in_order_and_once(insurer: Insurer) -> None:
    insurer.add()
    insurer.happens(1, 2, 3)
    assert insurer.work() == 3
    assert insurer.work() == 0
    insurer.happens(4)
    assert insurer.work() == 1
    assert insurer.outside.got() == [1, 2, 3, 4]


def test_only_events_that_were_asked_for_and_happen_later(insurer: Insurer) -> None:
    insurer.happens(1)
    insurer.add("file.*", "document.bounced")
    insurer.happens(2)
    insurer.happens(3, kind="file.ready")
    insurer.happens(4, kind="document.bounced")
    insurer.happens(5, kind="request.sent")
    assert insurer.work() == 2
    assert insurer.outside.got() == [3, 4]
    assert insurer.listed().waiting == 0
    # What it did not ask for is passed once.
    assert insurer.delivery.due() == []


def test_a_failure_is_repeated_with_growing_waits_under_the_same_id(insurer: Insurer) -> None:
    insurer.add()
    insurer.happens(1, 2)
    insurer.outside.says[URL] = "HTTP 500"
    waits = []
    for _ in range(9):
        assert insurer.work() == 0
        assert insurer.delivery.due() == []
        waits.append(insurer.listed().next_at - insurer.clock.now())
        insurer.clock.advance(waits[-1].total_seconds())
    assert waits[:3] == [timedelta(seconds=seconds) for seconds in (5, 15, 45)]
    assert waits == sorted(waits)
    assert waits[-2:] == [timedelta(hours=1)] * 2
    assert {headers["webhook-id"] for _, headers, _ in insurer.outside.calls} == {"event_1"}
    assert (insurer.listed().error, insurer.listed().waiting) == ("HTTP 500", 2)
    insurer.outside.says.clear()
    assert insurer.work() == 2
    assert insurer.outside.got()[-2:] == [1, 2]
    assert (insurer.listed().error, insurer.listed().failing_since) == (None, None)


def test_waits_begin_again_after_a_success(insurer: Insurer) -> None:
    insurer.add()
    insurer.outside.says[URL] = "HTTP 500"
    insurer.happens(1)
    for _ in range(3):
        insurer.work()
        insurer.clock.advance(minutes=5)
    insurer.outside.says.clear()
    assert insurer.work() == 1
    insurer.outside.says[URL] = "HTTP 500"
    insurer.happens(2)
    insurer.work()
    assert insurer.listed().next_at - insurer.clock.now() == delivery.FIRST_WAIT


def test_one_that_fails_holds_no_other_up(insurer: Insurer) -> None:
    insurer.add()
    insurer.add(url=OTHER)
    insurer.outside.says[URL] = "no answer"
    insurer.happens(1, 2)
    assert insurer.work() == 2
    assert insurer.outside.got(OTHER) == [1, 2]


def test_one_that_is_slow_holds_no_other_up(insurer: Insurer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_PAUSE_SECONDS", 0.01)
    insurer.add()
    insurer.add(url=OTHER)
    insurer.happens(1)
    stop, answers, arrived, hangs = (threading.Event() for _ in range(4))

    def post(url: str, _headers: Mapping[str, str], _body: bytes) -> None:
        if url == OTHER:
            arrived.set()
        else:
            hangs.set()
            answers.wait(20)

    monkeypatch.setattr(insurer.outside, "post", post)
    worker = threading.Thread(target=insurer.delivery.run, args=(stop,))
    worker.start()
    assert hangs.wait(20)
    assert arrived.wait(20)
    stop.set()
    answers.set()
    worker.join()
    assert [one.waiting for one in insurer.webhooks.all()] == [0, 0]


def test_workers_at_once_share_the_work(insurer: Insurer) -> None:
    webhook_id, _ = insurer.add()
    insurer.happens(*range(20))
    only_answers(at_once([partial(insurer.delivery.deliver, webhook_id)] * 6))
    while insurer.work():
        pass
    assert insurer.outside.got() == list(range(20))


def test_a_worker_that_dies_leaves_the_endpoint_to_the_others(insurer: Insurer) -> None:
    insurer.add()
    insurer.happens(1)

    def dies() -> None:
        raise SystemExit

    insurer.outside.meanwhile = dies
    with pytest.raises(SystemExit):
        insurer.work()
    assert insurer.delivery.due() == []
    insurer.clock.advance(minutes=1)
    assert insurer.work() == 1
    assert insurer.outside.got() == [1, 1]


def test_a_worker_that_was_slower_than_its_lease_changes_nothing(insurer: Insurer) -> None:
    insurer.add()
    insurer.happens(1, 2)

    def another_takes_over() -> None:
        insurer.clock.advance(minutes=2)
        assert insurer.work() == 2
        insurer.happens(3)

    insurer.outside.meanwhile = another_takes_over
    insurer.work()
    assert insurer.outside.got() == [1, 1, 2]
    assert insurer.work() == 1


# --- Giving up, and again ----------------------------------------------------------------------------------------


def give_up(insurer: Insurer) -> str:
    """Let an endpoint fail for three days, and return its id."""
    webhook_id, _ = insurer.add()
    insurer.outside.says[URL] = "HTTP 503"
    insurer.happens(1, 2)
    insurer.work()
    insurer.clock.advance(days=3)
    insurer.happens(3)
    insurer.work()
    return webhook_id


def test_what_is_too_old_is_given_up_and_newer_events_go_on(insurer: Insurer) -> None:
    give_up(insurer)
    assert (insurer.listed().given_up, insurer.listed().waiting) == (2, 1)
    insurer.outside.says.clear()
    insurer.clock.advance(hours=1)
    assert insurer.work() == 1
    assert insurer.outside.got()[-1] == 3
    assert insurer.listed().given_up == 2


def test_an_old_event_is_not_given_up_at_the_first_failure(insurer: Insurer) -> None:
    insurer.add()
    insurer.happens(1)
    insurer.clock.advance(days=10)
    insurer.outside.says[URL] = "HTTP 503"
    insurer.work()
    assert (insurer.listed().given_up, insurer.listed().waiting) == (0, 1)


def test_retry_calls_for_what_was_given_up_and_then_for_the_rest(insurer: Insurer) -> None:
    webhook_id = give_up(insurer)
    insurer.outside.says.clear()
    assert insurer.webhooks.retry(webhook_id) == 2
    assert insurer.work() == 3
    assert insurer.outside.got()[-3:] == [1, 2, 3]
    assert (insurer.listed().given_up, insurer.listed().waiting) == (0, 0)


def test_an_event_that_was_erased_meanwhile_is_not_waited_for(insurer: Insurer) -> None:
    webhook_id = give_up(insurer)
    insurer.outside.says.clear()
    insurer.clock.advance(days=363)
    assert insurer.work() == 1
    allowances = build_limits(insurer.base).allowances
    assert {one.kind: one.count for one in Tidying(insurer.base, allowances).tidy()}["events"] == 2
    assert insurer.webhooks.retry(webhook_id) == 2
    assert insurer.delivery.due() == []


def test_what_fails_once_more_stays_given_up(insurer: Insurer) -> None:
    webhook_id = give_up(insurer)
    calls = len(insurer.outside.calls)
    insurer.webhooks.retry(webhook_id)
    assert insurer.work() == 0
    assert len(insurer.outside.calls) == calls + 1
    assert insurer.listed().given_up == 2


def test_it_can_be_called_again_from_any_number(insurer: Insurer) -> None:
    webhook_id, _ = insurer.add()
    insurer.happens(1, 2, 3)
    insurer.work()
    insurer.webhooks.retry(webhook_id, after=1)
    insurer.work()
    assert insurer.outside.got() == [1, 2, 3, 2, 3]
    assert outcome_of(insurer.webhooks.retry, webhook_id, after=4) == "webhook.after"


def test_a_removed_endpoint_is_called_no_more(insurer: Insurer) -> None:
    webhook_id = give_up(insurer)
    insurer.webhooks.remove(webhook_id)
    assert insurer.webhooks.all() == []
    with insurer.store.read() as connection:
        assert connection.execute(select(webhook_failures)).all() == []
    insurer.clock.advance(days=1)
    assert insurer.work() == 0
    for verb in (insurer.webhooks.remove, insurer.webhooks.retry):
        with pytest.raises(OutOfTurn):
            verb(webhook_id)


def test_one_that_is_removed_while_it_is_called_stays_removed(insurer: Insurer) -> None:
    webhook_id, _ = insurer.add()
    insurer.happens(1)
    insurer.outside.meanwhile = lambda: insurer.webhooks.remove(webhook_id)
    insurer.work()
    assert insurer.webhooks.all() == []


def test_a_secret_whose_key_is_gone_is_a_failure(insurer: Insurer) -> None:
    insurer.add()
    insurer.happens(1)
    other = replace(insurer.base, keys=Keys(("another key of these tests, of 32 signs",)))
    services = build_events(other, insurer.outside)
    (webhook_id,) = services.delivery.due()
    assert services.delivery.deliver(webhook_id) == 0
    assert insurer.outside.calls == []
    assert "key" in (insurer.listed().error or "")


def test_the_backlog_counts_all_endpoints(insurer: Insurer) -> None:
    insurer.add()
    insurer.add(url=OTHER)
    insurer.happens(1)
    insurer.clock.advance(minutes=1)
    backlog = insurer.webhooks.backlog()
    assert (backlog.waiting, backlog.age_seconds, backlog.given_up) == (2, 60, 0)
