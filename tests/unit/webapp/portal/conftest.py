"""What the tests of the portal's pages share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from tests.world.cast import CROWD, MINTA
from tests.world.site import Site, Visitor
from webapp.demo.invoices import load_invoices

PAYER, NEIGHBOUR = CROWD[0], CROWD[1]
"""Two customers with a paid invoice and one to pay each."""


@pytest.fixture
def anna(site: Site) -> Visitor:
    """Anna's browser, signed in."""
    site.open_account()
    visitor = site.visitor()
    visitor.sign_in()
    return visitor


@pytest.fixture
def minta(site: Site) -> Visitor:
    """Another customer's browser, signed in."""
    site.open_account(MINTA)
    visitor = site.visitor()
    visitor.sign_in(MINTA.email)
    return visitor


@pytest.fixture
def statements(site: Site) -> Iterator[list[str]]:
    """The SQL statements that the site has executed."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(site.parts.store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(site.parts.store.engine, "before_cursor_execute", note)


@pytest.fixture
def billed(site: Site) -> Site:
    """The site with the demonstration's invoices, and the payer's account."""
    load_invoices(site.parts.store, site.parts.profile, site.parts.clock)
    site.open_account(PAYER)
    return site


@pytest.fixture
def payer(billed: Site) -> Visitor:
    """The payer, signed in."""
    visitor = billed.visitor()
    visitor.sign_in(PAYER.email)
    return visitor
