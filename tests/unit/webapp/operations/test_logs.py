"""What the log says of requests, in one form everywhere, and what it never says."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.world.cast import ANNA, PASSWORD
from tests.world.site import Site
from webapp.operations import logs
from webapp.settings import load

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([A-Z]+) (\d+) ([\w:.-]+) ([\w.]+) (.*)")
_ID = re.compile(r"[\w-]{22}")


@pytest.fixture
def read(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Log as JSON from here on; return what has been logged since."""
    logs.set_up(load(demo=True, log_format="json", log_level="info"))
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logs.set_up(load(demo=True))


def _requests(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if "route" in line]


def test_a_line_has_time_level_process_and_request(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(load(demo=True, log_level="info"))
    mine = logging.getLogger().handlers[-1]  # not by the logger: the tests' own handler raises at a line break
    mine.handle(logging.LogRecord("services.messages", logging.INFO, "", 0, "sent %s", ("two\r\nlines",), None))
    assert not logging.getLogger("services.messages").isEnabledFor(logging.DEBUG)
    (line,) = capsys.readouterr().err.splitlines()
    assert (found := _LINE.fullmatch(line))
    assert found.group(2, 4, 5, 6) == ("INFO", "-", "services.messages", "sent two\\r\\nlines")


def test_a_request_is_logged_by_its_route_without_query_or_values(site: Site, read: Any) -> None:
    client = site.app.test_client()
    answer = client.get("/regisztracioveglegesites?token=a-secret-of-the-link")
    client.get("/szerzodesek/an-id-of-somebody")
    client.get("/no/such/address")
    lines = read()
    first, second, third = _requests(lines)
    assert (first["method"], first["route"], first["status"]) == ("GET", "/regisztracioveglegesites", 404)
    assert isinstance(first["milliseconds"], int)
    assert _ID.fullmatch(first["request"])
    assert answer.headers["X-Request-ID"] == first["request"] != second["request"]
    assert (second["route"], third["route"]) == ("/szerzodesek/<contract_id>", "unknown")
    assert not [line for line in lines if re.search("a-secret|somebody|such/address", json.dumps(line))]


def test_a_failed_sign_in_is_named_and_nobody_is(site: Site, read: Any) -> None:
    visitor = site.visitor()
    visitor.open("/belepes")
    visitor.send(email="somebody@example.hu", password="not the right one")
    text = "\n".join(map(json.dumps, lines := read()))
    assert _requests(lines)[-1]["refused"] == "login.failed"
    assert _requests(lines)[-1]["status"] == 422
    assert "somebody" not in text
    assert "not the right" not in text


def test_a_dead_ends_reference_leads_to_its_request(site: Site, read: Any) -> None:
    answer = site.app.test_client().get("/regisztracioveglegesites?token=unknown", headers={"Accept-Language": "en"})
    (dead_end,) = [line for line in read() if "dead end" in line["message"]]
    assert dead_end["message"].rpartition("=")[2] in answer.text
    assert dead_end["request"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(("proxies", "is_believed"), [(0, False), (1, True)])
def test_an_id_is_believed_of_a_trusted_proxy_alone(make_site: Any, proxies: int, is_believed: bool) -> None:
    client = make_site(trusted_proxies=proxies).app.test_client()
    answer = client.get("/", headers={"X-Request-ID": "0af7651916cd43dd8448eb211c80319c"})
    assert (answer.headers["X-Request-ID"] == "0af7651916cd43dd8448eb211c80319c") is is_believed
    for forged in ("short", "with a space in it", "x" * 65, "árvíztűrő-azonosító"):
        assert _ID.fullmatch(client.get("/", headers={"X-Request-ID": forged}).headers["X-Request-ID"])


def test_a_mail_bears_the_id_of_the_request_that_caused_it(site: Site, read: Any) -> None:
    visitor = site.visitor()
    visitor.open("/regisztracio")
    visitor.identify(ANNA)
    visitor.give_email(ANNA.email)
    (posted,) = {line["request"] for line in _requests(read())[-2:] if line["method"] == "POST"}
    (message,) = [row for row in site.rows("outbox") if row.recipient == ANNA.email]
    assert message.request_id == posted
    site.messages(ANNA.email)  # which delivers them
    (sent,) = [line for line in read() if line["message"].startswith("sent email")]
    assert sent["request"] == posted
    assert PASSWORD not in json.dumps(sent)
