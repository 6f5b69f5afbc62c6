"""The application for browsers that cannot switch their scripts off by a setting.

Firefox hangs under automation with its scripts switched off. A request that carries the test-only header is answered
with a sandbox instead, in which the browser itself runs no script. (A sandbox stops `autofocus` too.)
"""

from collections.abc import Callable, Iterable
from typing import Any

from tests.e2e.sandbox_header import HEADER
from webapp.cli.served import front
from webapp.cli.served import pages as application

_SANDBOX = "sandbox allow-forms allow-same-origin allow-top-navigation allow-popups allow-downloads"


def _sandboxed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the application does, with the sandbox where it is asked for."""
    if f"HTTP_{HEADER.upper().replace('-', '_')}" not in environ:
        return application(environ, start_response)

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("Content-Security-Policy", _SANDBOX)], *rest)

    return application(environ, start)


app = front(_sandboxed)
