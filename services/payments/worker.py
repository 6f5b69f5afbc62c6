"""Asks the provider what became of the attempts, until it says something final (P49)."""

import logging
import threading
from datetime import timedelta

from sqlalchemy import select, update

from services.base import Base
from services.gateways.payments import PaymentProvider, ProviderUnavailable
from services.pauses import Pause
from services.payments.settling import Settling
from services.store.tables.payments import payments

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
_AT_ONCE = 20
_LEASE = timedelta(minutes=1)
"""How long an attempt is one worker's: who dies while asking leaves it to the others after this time."""


class PaymentWorker:
    """Goes on asking; several workers share it."""

    def __init__(self, base: Base, settling: Settling, provider: PaymentProvider | None) -> None:
        self._store = base.store
        self._clock = base.clock
        self._settling = settling
        self._provider = provider

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what fails is tried again."""
        pause = Pause(_PAUSE_SECONDS)
        while self._provider is not None and not stop.wait(pause.seconds):
            try:
                self.ask_due()
                pause.reset()
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                pause.grow()
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("payments failed, will be tried again: %s", type(error).__name__)

    def ask_due(self) -> int:
        """Ask about the attempts that are due now, and return how many those were."""
        if self._provider is None:
            return 0
        asked = 0
        due = (
            select(payments.c.id, payments.c.ask_at, payments.c.provider_id)
            .where(payments.c.ask_at <= self._clock.now())
            .order_by(payments.c.ask_at)
            .limit(_AT_ONCE)
        )
        with self._store.read() as connection:
            found = connection.execute(due).all()
        for row in found:
            lease = (
                update(payments)
                .where(payments.c.id == row.id, payments.c.ask_at == row.ask_at)
                .values(ask_at=self._clock.now() + _LEASE)
            )
            with self._store.write() as connection:
                is_mine = bool(connection.execute(lease).rowcount)
            if is_mine:
                asked += 1
                self._ask(self._provider, row.id, row.provider_id)
        return asked

    def _ask(self, provider: PaymentProvider, attempt_id: str, provider_id: str | None) -> None:
        try:
            state = provider.state(attempt_id, provider_id)
        except ProviderUnavailable as error:
            _log.warning("the payment provider does not answer: %s", error)
            with self._store.write() as connection:
                self._settling.ask_again(connection, attempt_id, self._clock.now())
        else:
            self._settling.settle(attempt_id, state)
