"""What the tests of the messages share."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from services import profiles
from services.links import Links
from services.messages.composer import Composer
from services.messages.outbox import Outbox
from services.store.engine import Store
from tests.unit.services.messages.mailroom import SECRETS, DiscreetLog, Mailbox, base_of
from tests.world.clock import HandClock
from webapp.worker.mailed_pages import mailed_pages


@pytest.fixture(autouse=True)
def discreet_log() -> Iterator[DiscreetLog]:
    handler = DiscreetLog()
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)
    assert not [line for line in handler.lines if any(secret in line for secret in SECRETS)]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def outbox(store: Store, clock: HandClock) -> Outbox:
    return Outbox(base_of(store, clock))


@pytest.fixture(scope="session")
def composer() -> Composer:
    return Composer(profiles.load("mygenerali"), Links(("k" * 40,), "https://ugyfel.example.hu:8443"), mailed_pages())


@pytest.fixture
def put_code(store: Store, outbox: Outbox, clock: HandClock) -> Callable[..., str]:
    """Put one SMS with a code into the outbox, by default one that lives half an hour."""

    def put(topic: str = "code:1", minutes: float = 30, recipient: str = "+36201234567") -> str:
        with store.write() as connection:
            return outbox.put(
                connection,
                kind="sms",
                recipient=recipient,
                message="code",
                language="hu",
                topic=topic,
                expires_at=clock.now() + timedelta(minutes=minutes),
                facts={"code": "4827"},
            )

    return put


@pytest.fixture
def put_mail(store: Store, outbox: Outbox, clock: HandClock) -> Callable[..., str]:
    """Put one mail with a link into the outbox, by default one that lives an hour."""

    def put(topic: str = "mail:1", minutes: float = 60, recipient: str = "kovacs.anna@example.hu") -> str:
        with store.write() as connection:
            return outbox.put(
                connection,
                kind="email",
                recipient=recipient,
                message="confirm",
                language="hu",
                topic=topic,
                expires_at=clock.now() + timedelta(minutes=minutes),
                facts={"link_id": "Zx4tq9LmV2kR8wYb3NcE6h"},
            )

    return put
