"""What the pages say where PostgreSQL differs from SQLite: it takes no NUL in a text, not even to look for it."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from services.clients import ApiKeys
from services.store.engine import Store
from tests.world.api_client import START, Client, about
from tests.world.cast import ANNA, PASSWORD
from tests.world.colleague import BOSS, SERVICE, Colleague
from tests.world.site import Site
from tests.world.walk import FIRST


@pytest.fixture
def postgresql_site(postgresql_store: Store, make_site: Callable[..., Site]) -> Iterator[Site]:
    """A site on a database of its own."""
    url = postgresql_store.url.set(database=f"{postgresql_store.url.database}_site")
    with postgresql_store.engine.connect() as connection:
        anywhere = connection.execution_options(isolation_level="AUTOCOMMIT")
        anywhere.execute(text(f"CREATE DATABASE {url.database}"))
        given = url.set(drivername="postgresql").render_as_string(hide_password=False)
        yield make_site(database_url=given)
        anywhere.execute(text(f"DROP DATABASE {url.database} WITH (FORCE)"))


def test_an_id_that_no_database_can_hold_is_not_found(postgresql_site: Site) -> None:
    site = postgresql_site
    boss = Colleague(site)
    boss.sign_in(BOSS)
    for address in ("/ugyfel/%00", "/munkalistak/kuldes/%00"):
        assert boss.open(SERVICE + address).status == 404, address
    for address in ("/ugyfel/%00", "/munkalistak/kuldes/%00", "/munkalistak/adatok/%00"):
        assert boss.follow(boss.post(SERVICE + address, {"note": "x"})).status == 404, address
    client = Client(site)
    assert about(client.get(f"{START}/%00")) == (404, "not-found")
    assert about(client.get("/api/v1/references/%00")) == (404, "customer-unknown")
    site.open_account()
    member = site.visitor()
    member.open("/belepes")
    member.send(email=ANNA.email, password=PASSWORD)
    for address, field in (("/fiok/beallitasok", "session"), ("/fiok/azonositokulcsok/torles", "passkey")):
        assert member.follow(member.post(address, {field: "x\0"})).status == 404, address


def test_a_fault_of_our_own_with_data_is_still_a_fault(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> None:
        raise DataError("INSERT", {}, ValueError("too long"))

    monkeypatch.setattr(ApiKeys, "recognise", broken)
    assert about(Client(site).get(f"{START}/x")) == (500, "broken")


def test_a_server_that_only_reads_is_an_outage(postgresql_site: Site, postgresql_store: Store) -> None:
    site, name = postgresql_site, postgresql_site.parts.store.url.database
    visitor = site.visitor()
    visitor.walk_to("email")
    with postgresql_store.engine.connect() as connection:
        anywhere = connection.execution_options(isolation_level="AUTOCOMMIT")
        anywhere.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        site.parts.store.close()
        assert visitor.send(email=ANNA.email, email_confirm=ANNA.email).status == 503
        assert site.app.test_client().get("/readyz").status_code == 503
        anywhere.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    site.parts.store.close()
    assert site.app.test_client().get("/readyz").status_code == 200
    assert visitor.open(FIRST).step == "email"
    assert visitor.send(email=ANNA.email, email_confirm=ANNA.email).step == "email-sent"
