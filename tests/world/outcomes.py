"""What came of calling a service: once, or many times at once."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.accounts import DeadLink, SignedOut
from services.refusal import DeadEnd, OutOfTurn, Refusal

_REFUSALS = (Refusal, DeadEnd, OutOfTurn, SignedOut, DeadLink)


def outcome_of(function: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """Return ``ok``, or the name of what the call raised."""
    try:
        function(*arguments, **named)
    except Refusal as refusal:
        return f"{refusal.field}.{refusal.reason}"
    except DeadEnd as dead_end:
        return dead_end.kind
    except OutOfTurn:
        return "out_of_turn"
    except SignedOut:
        return "signed_out"
    except DeadLink:
        return "dead_link"
    return "ok"


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same moment, each in a thread; return their answers, exceptions included."""
    gate = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        gate.wait(30)
        try:
            return one()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def only_answers(found: list[Any]) -> list[Any]:
    """Fail where a thread met another exception than a service's own refusals."""
    assert [one for one in found if isinstance(one, Exception) and not isinstance(one, _REFUSALS)] == []
    return found


def wrong_code(right: str) -> str:
    """Return another code of the same length."""
    return f"{(int(right) + 1) % 10 ** len(right):0{len(right)}}"
