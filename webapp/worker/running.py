"""How the processes of belepo run and end: what works beside the main thread, and the signals that stop it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

_PATIENCE_SECONDS = 30.0
"""How long the threads may take to stop: a hanging database would hold them for ever."""


def at_signals(deeds: Mapping[signal.Signals, Callable[..., object]]) -> None:
    """Do from now on, in a thread of its own, what belongs to each signal.

    To be called before other threads are begun: they, and processes that are started, leave these signals alone. The
    system hands a signal to any thread of a process, and only in the main one does Python wake a wait without an end
    for it; and there a handler could wait for the lock of an event that its own thread is holding.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, deeds)

    def wait() -> None:
        while True:
            deeds[signal.Signals(signal.sigwait(deeds))]()

    threading.Thread(target=wait, name="signals", daemon=True).start()


@contextmanager
def beside(stop: threading.Event, works: Mapping[str, Callable[[threading.Event], None]]) -> Iterator[None]:
    """Let works run in threads by these names until the caller is through or fails; then stop them, and wait."""
    threads = [threading.Thread(target=work, args=(stop,), name=name, daemon=True) for name, work in works.items()]
    try:
        for thread in threads:
            thread.start()
        yield
    finally:
        stop.set()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
