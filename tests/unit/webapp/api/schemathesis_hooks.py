"""What `schemathesis run` cannot know: whom there is, the codes they were sent, and that a request is a new one."""

import json
import os
import re
from collections import defaultdict
from itertools import count
from typing import Any
from urllib.request import urlopen

import schemathesis

SERVER = os.environ["BELEPO_TESTED"]
_numbers = count(101)
_requests = defaultdict[str, Any](lambda: count(1))
"""How often each operation was asked. One count of all would leave it to chance which of them are about somebody."""
_begun: list[str] = []
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
    number = next(_requests[name])
    _repeat_nothing(case, number)
    if name in _ABOUT_NOBODY or case.meta.phase.name.value not in ("fuzzing", "stateful"):
        return
    if name == "checkCode":
        if _begun and number % 3:
            case.path_parameters = {"registration_id": _begun[-1]}
            case.body = {"code": _newest_code()}
    elif number % 2:
        return
    elif isinstance(case.body, dict) and "customer" in case.body:
        who = 101 + next(_numbers) % 400
        case.body["customer"] = {"by": "policy_number", "number": f"940100{who}"}
        if "email" in case.body:
            case.body |= {"email": f"ugyfel{who}@example.hu", "mobile": f"+36201000{who}"}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember a registration that was begun: the newest code is for it."""
    if case.operation.definition.raw.get("operationId") == "startRegistration" and response.status_code == 201:
        _begun.append(response.json()["id"])


def _repeat_nothing(case: Any, number: int) -> None:
    if case.headers and "Idempotency-Key" in case.headers:
        name = case.operation.definition.raw.get("operationId")
        case.headers["Idempotency-Key"] = f'"{name}-{number}"'


def _newest_code() -> str:
    with urlopen(f"{SERVER}/dev/messages.json?kind=sms", timeout=10) as answer:
        sent = json.load(answer)
    return str(re.findall(r": (\d+)\.", sent[-1]["text"])[0]) if sent else "0000"
