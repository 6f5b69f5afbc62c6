"""The process is killed, at named points and in full flow, and nothing is lost or sent a third time."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.messages.outbox import Outbox
from services.store.engine import Store
from services.store.tables import metadata
from tests.unit.services.messages.mailroom import base_of
from webapp.demo.clock import DemoClock

WORKER = """
import os, sys, threading
from pathlib import Path
from services import profiles
from services.base import Base
from services.keys import Keys
from webapp.demo.clock import DemoClock
from services.links import Links
from services.messages.composer import Composer
from services.messages.delivery import Delivery
from services.messages.sms_budget import SmsBudget
from services.messages.senders.folder import FolderSender
from services.store.engine import Store
from webapp.worker.mailed_pages import mailed_pages

folder = Path(sys.argv[1])
clock = DemoClock(folder / "clock.json")
store = Store(f"sqlite:///{folder / 'belepo.sqlite'}")

class Told(FolderSender):
    def send(self, *message):
        super().send(*message)
        os.write(1, b"sent\\n")

sender = Told(folder / "out", clock)
profile = profiles.load("mygenerali")
composer = Composer(profile, Links(("k" * 40,), "https://x.hu"), mailed_pages())
sms_budget = SmsBudget(Base(store, clock, profile, Keys(("k" * 40,))))
worker = Delivery(store, clock, composer, {"sms": sender}, lambda *_: None, sms_budget=sms_budget)
if sys.argv[2] == "once":
    while worker.deliver_due():
        pass
else:
    worker.run(threading.Event())
"""


class World:
    """A folder with a database, a clock and the files that were sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = DemoClock(folder / "clock.json")
        self.store = Store(f"sqlite:///{folder / 'belepo.sqlite'}")
        metadata.create_all(self.store.engine)
        self.outbox = Outbox(base_of(self.store, self.clock))

    def put(self, count: int) -> None:
        with self.store.write() as connection:
            for number in range(count):
                self.outbox.put(
                    connection,
                    kind="sms",
                    recipient=f"+3620100{number:04}",
                    message="code",
                    language="hu",
                    topic=f"code:{number}",
                    expires_at=self.clock.now() + timedelta(minutes=30),
                    facts={"code": "4827"},
                )

    def start(self, mode: str, crash_at: str = "") -> subprocess.Popen[str]:
        self.clock.advance(timedelta(seconds=10))  # whatever the dead held, its lease is over
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, str(self.folder), mode],
            env={**os.environ, "BELEPO_CRASH_AT": crash_at, "PYTHONPATH": os.getcwd()},
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill_after(self, messages: int) -> None:
        with self.start("run") as process:
            try:
                for _ in range(messages):
                    assert process.stdout is not None
                    assert process.stdout.readline() == "sent\n"
            finally:
                process.kill()

    def run(self, crash_at: str = "") -> int:
        with self.start("once", crash_at) as process:
            process.communicate(timeout=60)
        return process.returncode

    def sent(self) -> Counter[str]:
        out = self.folder / "out"
        files = out.iterdir() if out.exists() else []
        return Counter({file.name: file.read_text().count("Message-ID:") for file in files})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("crashes", [["delivery.claimed"] * 4, ["delivery.leaving"]])
def test_killed_before_a_message_has_left_the_next_one_sends_it(world: World, crashes: list[str]) -> None:
    world.put(1)
    for crash in crashes:
        assert world.run(crash) == -signal.SIGKILL
        assert not sum(world.sent().values())
    assert world.run() == 0
    assert world.sent() == {"+36201000000": 1}
    assert world.outbox.counts()["sent"] == 1


def test_killed_before_it_noted_a_message_as_sent_it_is_sent_twice_and_no_more(world: World) -> None:
    world.put(1)
    assert world.run("delivery.sent") == -signal.SIGKILL
    assert world.run("delivery.sent") == -signal.SIGKILL
    assert world.run() == 0
    assert world.sent() == {"+36201000000": 2}
    assert world.outbox.counts()["given_up"] == 1


@pytest.mark.parametrize("after", [(1, 1, 1), (3, 17, 8, 25)])
def test_killed_in_full_flow_again_and_again(world: World, after: tuple[int, ...]) -> None:
    world.put(80)
    for messages in after:
        world.kill_after(messages)
    assert world.run() == 0
    sent = world.sent()
    assert len(sent) == 80
    assert set(sent.values()) <= {1, 2}
    assert world.outbox.counts()["waiting"] == 0
