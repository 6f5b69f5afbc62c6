"""The demonstration's payment provider is a process of its own beside the server (P49)."""

import os
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.unit.webapp.portal.conftest import PAYER
from tests.unit.webapp.portal.test_invoice_pages import DUE, lines, opened
from tests.world.far import FarSite, until
from tests.world.site import Secrets, Visitor


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarSite]:
    """A server with an account of the payer's."""
    site = FarSite(tmp_path_factory.mktemp("provider"), Secrets())
    site.open_account(PAYER)
    yield site
    site.end()


@pytest.fixture
def payer(served: FarSite) -> Visitor:
    """The payer at the provider's page."""
    visitor = served.visitor()
    visitor.sign_in(PAYER.email)
    address = f"{opened(visitor, DUE).path}/fizetes"
    visitor.open(address)
    if not visitor.seen.has_button("resume"):
        visitor.send("pay", way="card")
    else:
        visitor.act("resume")
    assert visitor.step == "demo-payment"
    return visitor


def test_it_answers_the_server_alone(served: FarSite, payer: Visitor) -> None:
    port = next(one.laddr.port for one in served.provider().net_connections() if one.status == psutil.CONN_LISTEN)
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    for headers in ({}, {"Authorization": "Bearer something"}):
        connection.request("GET", "/commands", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 403
    connection.close()


def test_its_look_comes_by_the_one_address(served: FarSite, payer: Visitor) -> None:
    links = [link["href"] for link in payer.seen.root.all("link")]
    answers = [payer.client.get(link) for link in links]
    assert [(one.status_code, one.mimetype) for one in answers] == [(200, "image/svg+xml"), (200, "text/css")]


def test_a_call_that_it_did_not_sign_is_refused(served: FarSite, payer: Visitor) -> None:
    body = b'{"attempt": "%s"}' % payer.seen.path.rpartition("/")[2].encode()
    for signature in ("", "0" * 64, "é"):
        answer = payer.client.post("/fizetes/ertesites", data=body, headers={"Signature": signature})
        assert answer.status_code == 403


def test_after_a_death_another_takes_its_place_and_the_payment_goes_on(served: FarSite, payer: Visitor) -> None:
    old = served.provider()
    old.kill()
    until(lambda: not psutil.pid_exists(old.pid) or old.status() == psutil.STATUS_ZOMBIE)
    form = payer.seen.form("demo-payment")
    page = payer.follow(payer.client.post(form["action"], data={"action": "pay"}))
    assert page.path.startswith("/fizetes/")
    assert served.provider().pid != old.pid
    until(lambda: dict(lines(payer.open("/szamlak")))[DUE] == "paid")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_server(tmp_path: Path, how: signal.Signals) -> None:
    site = FarSite(tmp_path, Secrets())
    try:
        provider = site.provider()
        os.kill(site.server.process.pid, how)
        provider.wait(20)
    finally:
        site.end()
