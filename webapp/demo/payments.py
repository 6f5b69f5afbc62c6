"""The way to the demonstration's payment provider: asked over HTTP where it is a process of its own (P49)."""

import hmac
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextvars import Context
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, url_for

from services import randomness
from services.gateways.http import Answer, NoAnswer, ask
from services.gateways.payments import (
    Notification,
    PaymentOrder,
    ProviderState,
    ProviderUnavailable,
    StartedPayment,
)
from webapp.demo.faults import DemoFaults
from webapp.demo.minta_pay.books import Books
from webapp.demo.minta_pay.program import Provider, make_program, signature_of
from webapp.settings import Settings

BOOKS = "payments"
"""The name of the provider's books among the demonstration's files."""
_LOOK_SECONDS, _PATIENCE_SECONDS = 0.2, 5.0


class DemoProvider:
    """Asks the provider: the process that `demo_provider` names, or its program within this process."""

    name = "Minta Pay"

    origin = None
    """Its pages are at our address."""

    demanded = None

    def __init__(self, settings: Settings, faults: DemoFaults) -> None:
        self._settings = settings
        self._faults = faults
        self._address, self._secret = address_and_secret(settings.demo_provider)
        self.insurer: Flask | None = None
        """The application that a provider within this process calls."""

    # --- The insurer's side -----------------------------------------------------------------------------------

    def start(self, order: PaymentOrder) -> StartedPayment:
        """Begin a payment, once for an attempt. Raises ProviderUnavailable."""
        wanted = {
            "attempt": order.attempt, "invoice": order.reference, "amount": order.amount, "currency": order.currency,
            # Its page is at the insurer's own address, by whatever name the browser knows that.
            "back_to": urlsplit(order.back_to).path, "call_to": url_for("payment_hints.notification"),
        }  # fmt: skip
        self._say("POST", "/orders", wanted)
        return StartedPayment(url_for("demo_payments.provider", path=order.attempt))

    def state(self, attempt: str, provider_id: str | None = None) -> ProviderState:
        """Return the state of a payment; `expired` for one that was never begun. Raises ProviderUnavailable."""
        state: ProviderState = self._say("GET", f"/orders/{attempt}")["state"]
        return state

    def cancel(self, attempt: str, provider_id: str | None = None) -> ProviderState:
        """Cancel a payment that is not final, and return its state. Raises ProviderUnavailable."""
        state: ProviderState = self._say("POST", f"/orders/{attempt}/cancel")["state"]
        return state

    def read(self, body: bytes, signature: str, now: datetime) -> Notification | None:
        """Return what a call of the provider's says; None for one that it did not sign."""
        if not hmac.compare_digest(signature_of(body, self._secret).encode(), signature.encode()):
            return None
        return Notification(str(json.loads(body)["attempt"]), b"{}", {})

    def probe(self) -> None:
        """Ask whether it is there. Raises ProviderUnavailable."""
        self._say("GET", "/orders/health")

    # --- The testers' side ------------------------------------------------------------------------------------

    def become(self, attempt: str, state: str) -> None:
        """Have a payment become what testers want, without a call."""
        self.ask("POST", f"/commands/{attempt}", f"state={state}&callback=0".encode())

    def all(self) -> list[dict[str, Any]]:
        """Return the payments, oldest first."""
        found: list[dict[str, Any]] = json.loads(self.ask("GET", "/commands").body)
        return found

    def forget(self) -> None:
        """Empty the books."""
        self.ask("DELETE", "/commands")

    # --- The process ------------------------------------------------------------------------------------------

    def beside(self, listener: socket.socket, insurer: str) -> Callable[[threading.Event], None]:
        """Return what keeps a process of the provider's at a listening socket until an event is set.

        `insurer` is the origin at which the insurer's server answers on this machine.
        """
        return partial(_keep_running, listener, insurer)

    # --- The way to it ----------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        content_type: str = "application/x-www-form-urlencoded",
        **more: str,
    ) -> Answer:
        """Ask the provider, with further headers by their names in lower case. Raises ProviderUnavailable."""
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": content_type}
        headers |= {name.replace("_", "-"): text for name, text in more.items()}
        if self._address is None:
            # In a context of its own: the request that asks is another application's.
            return Context().run(self._within, method, path, body, headers)
        try:
            return ask(method, f"{self._address}{path}", headers=headers, body=body)
        except NoAnswer as error:
            raise ProviderUnavailable(f"the demonstration's provider: {error}") from None

    def _say(self, method: str, path: str, wanted: dict[str, Any] | None = None) -> dict[str, Any]:
        body = None if wanted is None else json.dumps(wanted).encode()
        answer = self.ask(method, path, body, content_type="application/json")
        if answer.status != 200:
            raise ProviderUnavailable(f"the demonstration's provider answers {answer.status}")
        said: dict[str, Any] = json.loads(answer.body)
        return said

    def _within(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        answer = self._program.test_client().open(path, method=method, data=body, headers=headers)
        return Answer(answer.status_code, dict(answer.headers), answer.data)

    @cached_property
    def _program(self) -> Flask:
        def call(path: str, body: bytes, headers: dict[str, str]) -> None:
            if self.insurer is not None:
                self.insurer.test_client().post(path, data=body, headers=headers)

        books = Books(self._settings.demo_file(BOOKS).with_suffix(".sqlite"))
        return make_program(Provider(books, self._faults, self._secret, call))


def address_and_secret(url: str) -> tuple[str | None, str]:
    """Return what ``http://SECRET@host:port`` says; no address and a new secret without one."""
    parts = urlsplit(url)
    if not url or not parts.username:
        return None, randomness.secret()
    return f"{parts.scheme}://{parts.hostname}:{parts.port}", parts.username


def _keep_running(listener: socket.socket, insurer: str, stop: threading.Event) -> None:
    """Keep a process of the provider's at `listener` until `stop`; one that ends by itself gets a successor.

    The socket stays open between the two, so that requests wait instead of failing.
    """
    descriptor = listener.fileno()
    command = [sys.executable, "-m", "webapp.demo.minta_pay", str(descriptor), insurer]
    while not stop.is_set():
        # Its standard input ends with this process, however this ends.
        with subprocess.Popen(  # noqa: S603 (our own program)
            command, stdin=subprocess.PIPE, pass_fds=[descriptor]
        ) as process:
            try:
                while process.poll() is None and not stop.wait(_LOOK_SECONDS):
                    pass
            finally:
                process.terminate()
                try:
                    process.wait(_PATIENCE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
        stop.wait(_LOOK_SECONDS)
