"""What the doctor says of messages that do not leave."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

from services.messages.composer import Composed, Composer
from services.messages.delivery import Delivery
from services.messages.outbox import Outbox
from services.messages.senders import TemporaryFailure
from tests.world.site import Site
from webapp.cli.doctor import Finding, examine
from webapp.worker.mailed_pages import mailed_pages

ANSWER = "the mail server answered 454 4.7.0"


class RefusingServer:
    """A mail server that takes nothing."""

    def send(self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None]) -> None:
        raise TemporaryFailure(ANSWER)


def finding(site: Site) -> Finding | None:
    return next((one for one in examine(site.parts.settings) if one.subject == "delivery"), None)


def put(site: Site, *, minutes_ago: int) -> None:
    parts = site.parts
    then = parts.clock.now() - timedelta(minutes=minutes_ago, seconds=1)
    with parts.store.write() as connection:
        Outbox(replace(parts.base, clock=Mock(now=lambda: then))).put(
            connection, kind="email", recipient="valaki@example.hu", message="registered", language="hu", topic="t",
            expires_at=then + timedelta(days=1), facts={},
        )  # fmt: skip


def test_a_server_that_refuses_is_named_with_its_answer_and_the_age_of_the_oldest_message(site: Site) -> None:
    parts = site.parts
    put(site, minutes_ago=7)
    senders = {"email": RefusingServer()}
    composer = Composer(parts.profile, parts.links, mailed_pages())
    Delivery(
        parts.store, parts.clock, composer, senders, lambda *_: None, sms_budget=parts.messages.sms_budget
    ).deliver_due()
    found = finding(site)
    assert found is not None
    assert found.is_bad
    assert ANSWER in found.state
    assert "7 minutes" in found.state
    assert "worker" not in found.advice


def test_what_nobody_has_tried_to_send_asks_for_the_worker(site: Site) -> None:
    put(site, minutes_ago=1)
    assert finding(site) is None
    put(site, minutes_ago=3)
    found = finding(site)
    assert found is not None
    assert "3 minutes" in found.state
    assert "belepo worker" in found.advice
