"""What a page shows of a code that was sent by SMS."""

from dataclasses import dataclass

from services.codes.one_time_codes import CodeState
from webapp.parts import current_parts
from webapp.ui.formats import clock_time, first_minute, time_left


@dataclass(frozen=True)
class CodeShown:
    """A code as templates show it; times are words, and only `wait` counts seconds."""

    length: int
    typed: int
    """How many of its last digits are enough."""
    tries_total: int
    codes_left: int
    usable: bool = False
    until: str | None = None
    tries: int = 0
    delivery_failed: bool = False
    elsewhere: bool = False
    again: str | None = None
    """When the next code can be asked for."""
    wait: int = 0
    """How many seconds that is from now."""


def code_shown(state: CodeState | None, *, otherwise_left: int = 1) -> CodeShown:
    """Return what a page shows of the newest code.

    Without one, none can be typed in and the next can be asked for at once; `otherwise_left` is how many are left then.
    """
    now, rules = current_parts().clock.now(), current_parts().profile.one_time_code
    if state is None:
        return CodeShown(rules.length, rules.typed, rules.tries, otherwise_left)
    return CodeShown(
        length=rules.length,
        typed=rules.typed,
        tries_total=rules.tries,
        codes_left=state.codes_left(now),
        usable=state.is_usable(now),
        until=clock_time(state.expires_at),
        tries=state.tries_left,
        delivery_failed=state.is_undelivered,
        elsewhere=state.is_elsewhere,
        again=clock_time(first_minute(state.again_at)),
        wait=time_left(state.again_at),
    )
