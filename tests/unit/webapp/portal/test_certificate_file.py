"""The certificate of delivery as a file of the customer's own letters (P18)."""

from typing import Any

import pytest

from tests.world.cast import ANNA, ESZTER
from tests.world.papers import faults_of, text_of
from tests.world.site import Site, Visitor
from webapp.demo.letters import add_letters


@pytest.fixture
def letter(site: Site) -> Any:
    """The newest of Anna's letters."""
    add_letters(site.parts.base, site.parts.portal.storage)
    own = [row for row in site.rows("letters") if row.kutid == ANNA.kutid]
    return max(own, key=lambda row: row.published_at)


def test_it_is_a_tagged_pdf_to_be_saved(site: Site, visitor: Visitor, letter: Any) -> None:
    site.open_account()
    visitor.sign_in()
    sent = visitor.client.get(f"/levelezes/{letter.id}/igazolas?pdf=1")
    assert (sent.status_code, sent.mimetype) == (200, "application/pdf")
    assert sent.headers["Content-Disposition"] == 'attachment; filename="kezbesitesi-igazolas.pdf"'
    assert "no-store" in sent.headers["Cache-Control"]
    assert faults_of(sent.data) == []
    assert site.say("certificate.title") in text_of(sent.data)
    assert letter.id in text_of(sent.data)


def test_nothing_is_opened_by_it(site: Site, visitor: Visitor, letter: Any) -> None:
    site.open_account()
    visitor.sign_in()
    visitor.client.get(f"/levelezes/{letter.id}/igazolas?pdf=1")
    (row,) = (row for row in site.rows("letters") if row.id == letter.id)
    assert row.opened_at is None


def test_anothers_is_not_there(site: Site, visitor: Visitor, letter: Any) -> None:
    site.open_account(ESZTER)
    visitor.sign_in(ESZTER.email)
    for address in (letter.id, "A" * 22):
        assert visitor.client.get(f"/levelezes/{address}/igazolas?pdf=1").status_code == 404


def test_signed_out_it_leads_to_the_sign_in(visitor: Visitor, letter: Any) -> None:
    sent = visitor.client.get(f"/levelezes/{letter.id}/igazolas?pdf=1")
    assert sent.status_code == 303
    assert sent.headers["Location"].startswith("/belepes")
