"""What a process that serves pages does beside them: it writes down the figures, and looks at the SMS budget."""

import atexit
import os
import threading

from webapp.parts import Parts

_PATIENCE_SECONDS = 5.0


def keep(parts: Parts) -> None:
    """Begin, and end with the process: what was counted until then is written. A forked child begins by itself."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def begin() -> None:
        threads[:] = [
            threading.Thread(target=run, args=(stop,), name=name, daemon=True)
            for name, run in (("figures", parts.figures.funnel.run), ("sms-budget", parts.messages.sms_budget.run))
        ]
        for thread in threads:
            thread.start()

    def end() -> None:
        stop.set()
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)

    begin()
    os.register_at_fork(after_in_child=begin)
    atexit.register(end)
