"""A served site: visitors ask `belepo serve` over HTTP, as browsers do, and a look into its database is left."""

import time
from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from tests.world.served import Server
from tests.world.site import Secrets, Site
from webapp.application import create_app
from webapp.settings import load

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_OF_CONNECTION = ("connection", "transfer-encoding", "content-length", "server", "date")
_PATIENCE_SECONDS, _LOOK_SECONDS = 20.0, 0.05


class FarApp:
    """The application of a server, as the test client of one in this process would see it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def test_client(self) -> Client:
        """Return a browser with cookies of its own."""
        return Client(self._hand_on)

    def _hand_on(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {name: text for name, text in request.headers.items() if name.lower() != "host"}
            connection.request(request.method, environ["REQUEST_URI"], request.get_data(), headers)
            answer = connection.getresponse()
            kept = [(name, text) for name, text in answer.getheaders() if name.lower() not in _OF_CONNECTION]
            return Response(answer.read(), answer.status, kept)(environ, start_response)
        finally:
            connection.close()


class FarSite(Site):
    """A site whose pages a process of its own serves, and which this process helps to set up."""

    def __init__(self, folder: Path, secrets: Secrets, **settings: str) -> None:
        """Start `belepo serve` with these settings, by their names without BELEPO_, in capitals."""
        self.server = Server(folder, **settings)
        given: dict[str, Any] = {name.lower(): text for name, text in settings.items()}
        ours = create_app(load(demo=True, data_dir=str(folder), port=self.server.port, bcrypt_rounds=4, **given))
        super().__init__(ours, secrets)
        self.app = FarApp(self.server.port)  # type: ignore[assignment]
        self.wait_for_morning()

    def end(self) -> None:
        """Stop the server."""
        self.server.end()
        self.parts.store.close()

    def provider(self) -> psutil.Process:
        """Return the process of the payment provider, once there is one."""
        return until(self._provider)

    def _provider(self) -> psutil.Process | None:
        children = psutil.Process(self.server.process.pid).children()
        return next((one for one in children if "webapp.demo.minta_pay" in one.cmdline()), None)


def until(look: Callable[[], Any]) -> Any:
    """Return what `look` finds, as soon as it finds something: another process works meanwhile."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(_LOOK_SECONDS)
    return found
