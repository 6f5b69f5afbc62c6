"""Who may send a large body, by the headers of the request."""

import pytest
from werkzeug.test import EnvironBuilder

from tests.unit.webapp.portal.test_claims_without_account import begin
from tests.world.colleague import ADVISER, Colleague, colleague
from tests.world.site import Site, Visitor
from webapp.cli.admission import may_send

DOCUMENTS, FILES = "/api/v1/documents", "/ugyintezes/uj/claim-motor/fajlok"


def asks(site: Site, path: str, headers: dict[str, str]) -> bool:
    """Ask by the headers alone; reading the body would fail."""
    environ = EnvironBuilder(path=path, method="POST", headers=headers).get_environ()
    del environ["wsgi.input"]
    return may_send(site.app, environ)


def test_a_client_with_a_key_that_is_good(site: Site) -> None:
    client, key = site.parts.clients.api_keys.add("G3", ["documents"])
    assert asks(site, DOCUMENTS, {"Authorization": f"Bearer {key}"})
    site.parts.clients.api_keys.revoke(client.id)
    assert not asks(site, DOCUMENTS, {"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer belepo_X", "Basic YTpi"])
def test_nobody_else_sends_a_letter(site: Site, authorization: str) -> None:
    assert not asks(site, DOCUMENTS, {"Authorization": authorization})


def test_a_customer_who_is_signed_in(site: Site) -> None:
    site.open_account()
    visitor = site.visitor()
    assert not asks(site, FILES, _cookies(visitor))
    visitor.sign_in()
    assert asks(site, FILES, _cookies(visitor))
    saved = _cookies(visitor)
    visitor.sign_out()
    assert not asks(site, FILES, saved)


def test_somebody_who_has_begun_a_claim(site: Site) -> None:
    address = "/karbejelentes/claim-motor/fajlok"
    stranger, claimant = site.visitor(), site.visitor()
    stranger.open("/karbejelentes/claim-motor")
    begin(site, claimant)
    assert not asks(site, address, _cookies(stranger))
    assert asks(site, address, _cookies(claimant))
    assert not asks(site, FILES, _cookies(claimant))


def test_an_intermediary(site: Site) -> None:
    address = "/partner/ugyfel/1/kezelt/uj/claim-motor/fajlok"
    assert asks(site, address, _cookies(colleague(site, ADVISER)))
    assert not asks(site, address, _cookies(site.visitor()))


@pytest.mark.parametrize("host", ["[", "a:x"])
def test_a_host_that_there_is_not(site: Site, host: str) -> None:
    assert not asks(site, FILES, {"Host": host})


def test_while_the_database_is_away_the_application_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> bool:
        raise OSError

    monkeypatch.setattr(site.parts.clients.api_keys, "is_known", fail)
    assert asks(site, DOCUMENTS, {"Authorization": "Bearer one"})


def _cookies(visitor: Visitor | Colleague) -> dict[str, str]:
    cookies = {name: visitor.client.get_cookie(name) for name in ("session", "device")}
    return {"Cookie": "; ".join(f"{name}={one.value}" for name, one in cookies.items() if one)}
