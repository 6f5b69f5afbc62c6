"""Serves the built files of the front end, and the pages behind them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.datastructures import Headers
from whitenoise import WhiteNoise

from webapp.http import security
from webapp.http.assets import BUILT
from webapp.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def set_up(app: Flask, settings: Settings) -> None:
    """Answer what is asked of `/static/` before the application sees it."""
    wanted = security.standing(settings)
    files = _Files(
        app.wsgi_app,
        root=BUILT,
        prefix="static/",
        # Every file is named by a hash of its content.
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=lambda headers, _path, _url: security.add_missing(headers, wanted),
    )
    files.wanted = wanted
    app.wsgi_app = files  # type: ignore[method-assign]


class _Files(WhiteNoise):
    """WhiteNoise, whose answers without a file (304, 405, 416) bear the headers of every answer too.

    Those of a file itself are put together once, at the start, by `add_headers_function`; WhiteNoise has no setting for
    the others.
    """

    wanted: Mapping[str, str]

    def serve(self, static_file: Any, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer with the file, or with why not."""

        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            if not status.startswith("2"):
                given = Headers(headers)
                security.add_missing(given, self.wanted)
                headers = given.to_wsgi_list()
            return start_response(status, headers)

        answer: Iterable[bytes] = super().serve(static_file, environ, start)
        return answer
