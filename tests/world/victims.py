"""A process whose children call one verb of a service each, and are killed on the way."""

import base64
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests import ROOT
from tests.world.clock import HandClock
from tests.world.world import World

VICTIM = """
import base64, os, pickle, signal, sys
from operator import attrgetter
from sqlalchemy import event
from tests.world.outcomes import outcome_of
from tests.world.world import World
from services.passwords.rules import is_common
from services.store.engine import Store

is_common("")  # loads the list once

def live(order):
    os.environ["BELEPO_CRASH_AT"] = order["crash_at"]
    store = Store(order["database"])
    left = order["statements"]

    def count(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(store.engine, "before_cursor_execute", count)
    event.listen(store.engine, "commit", count)
    world = World(store)
    world.clock.advance(seconds=order["seconds"])
    if order["letters_in"]:
        world.keep_letters_in(order["letters_in"])
    verb = attrgetter(f"{order['service']}.{order['verb']}")(world)
    return outcome_of(verb, *order["arguments"], **order["named"])

for line in sys.stdin:
    order = pickle.loads(base64.b64decode(line))
    told, telling = os.pipe()
    child = os.fork()  # everything is imported once; each victim has connections of its own
    if child == 0:
        os.write(telling, live(order).encode())
        os._exit(0)
    os.close(telling)
    _, status = os.waitpid(child, 0)
    print(os.read(told, 100).decode() or ("killed" if os.WIFSIGNALED(status) else "broken"), flush=True)
    os.close(told)
"""


class Victims:
    """Starts once, because that takes long."""

    def __init__(self) -> None:
        self.start = HandClock().now()
        self.process = subprocess.Popen(
            [sys.executable, "-c", VICTIM],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def take(
        self,
        world: World,
        service: str,
        verb: str,
        *arguments: Any,
        statements: int = 1000,
        crash_at: str = "",
        letters_in: Path | None = None,
        **named: Any,
    ) -> str:
        """Have a child call the verb, and die after so many statements; return its answer or ``killed``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "service": service,
            "verb": verb,
            "arguments": arguments,
            "named": named,
            "letters_in": letters_in,
            "statements": statements,
            "crash_at": crash_at,
            "database": world.store.url.render_as_string(hide_password=False),
            "seconds": (world.clock.now() - self.start).total_seconds(),
        }
        self.process.stdin.write(base64.b64encode(pickle.dumps(order)).decode() + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def registering(self, world: World, service: str) -> Any:
        """Return `take` for the verbs of one of a registration's services."""
        return partial(self.take, world, f"registrations.{service}")

    def close(self) -> None:
        """Let the process end."""
        with self.process:
            self.process.communicate(timeout=30)
