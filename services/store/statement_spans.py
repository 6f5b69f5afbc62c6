"""Follows each statement from its start to its end, for traces."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, ExceptionContext, event

_ENDING = "belepo ending"


def follow(engine: Engine, begin: Callable[[str], Callable[[], object]]) -> None:
    """Call `begin` with the words of each statement that starts, and what it returns once the statement has ended.

    The words have places in place of values.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def start(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _is_many: bool) -> None:
        context.execution_options = {**context.execution_options, _ENDING: begin(statement)}

    @event.listens_for(engine, "after_cursor_execute")
    def end(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _is_many: bool) -> None:
        context.execution_options[_ENDING]()

    @event.listens_for(engine, "handle_error")
    def fail(error: ExceptionContext) -> None:
        options = error.execution_context.execution_options if error.execution_context else {}
        if _ENDING in options:
            options[_ENDING]()
