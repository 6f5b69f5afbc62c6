"""What `schemathesis run` cannot know: whom there is, the codes they were sent, and that a request is a new one."""

import json
import os
import re
from itertools import count
from typing import Any
from urllib.request import urlopen

import schemathesis

SERVER = os.environ["BELEPO_TESTED"]
_numbers = count(101)
_requests = count(1)
_others = count(1)
_ABOUT_NOBODY = {
    "readEvents", "readRequest", "readRequestFile", "takeRequest", "askAboutRequest", "answerRequest", "closeRequest",
}  # fmt: skip
"""Operations whose bodies name no customer."""


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let good requests be about somebody: every second one, so that unknown customers are asked for too."""
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    name = case.operation.definition.raw.get("operationId")
    if name in _ABOUT_NOBODY:
        _repeat_nothing(case, next(_others))
        return
    number = next(_requests)
    _repeat_nothing(case, number)
    if case.meta.phase.name.value not in ("fuzzing", "stateful") or (number % 2 and name != "checkCode"):
        return
    if name == "checkCode" and number % 3:
        case.body = {"code": _newest_code()}
    elif isinstance(case.body, dict) and "customer" in case.body:
        who = 101 + next(_numbers) % 400
        case.body["customer"] = {"by": "policy_number", "number": f"940100{who}"}
        if "email" in case.body:
            case.body |= {"email": f"ugyfel{who}@example.hu", "mobile": f"+36201000{who}"}


def _repeat_nothing(case: Any, number: int) -> None:
    if case.headers and "Idempotency-Key" in case.headers:
        name = case.operation.definition.raw.get("operationId")
        case.headers["Idempotency-Key"] = f'"{name}-{number}"'


def _newest_code() -> str:
    with urlopen(f"{SERVER}/dev/messages.json?kind=sms", timeout=10) as answer:
        sent = json.load(answer)
    return str(re.findall(r": (\d+)\.", sent[-1]["text"])[0]) if sent else "0000"
