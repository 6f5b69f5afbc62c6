"""The consent to electronic letters: given, revoked, dated, and what revoking does (P19)."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from services.store.tables.register import customer_accounts, policies
from tests.world.cast import ANNA
from tests.world.letters import kutid_of, publish
from tests.world.pages import Page
from tests.world.site import Site, Visitor

SETTINGS = "/fiok/beallitasok"


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """Anna, signed in."""
    site.open_account()
    made = site.visitor()
    made.sign_in()
    return made


def decide(visitor: Visitor, action: str) -> Page:
    visitor.open(SETTINGS)
    return visitor.send("letter-consent", action=action)


def events(site: Site, letter_id: str) -> list[str]:
    return [event.type for event in site.parts.portal.letters.publishing.find(letter_id)[1]]


def printed(site: Site, folder: Path) -> int:
    return site.parts.portal.letters.print_list.write(folder).printed


@pytest.fixture
def manage_own_account(site: Site) -> Iterator[Callable[..., None]]:
    """Have Anna manage a customer account with these contracts herself, for as long as the test lasts."""

    def manage(*policy_numbers: str) -> None:
        own = {"account_number": "U1", "kutid": kutid_of(site), "manager": "customer"}
        theirs = update(policies).where(policies.c.policy_number.in_(policy_numbers))
        with site.parts.store.write() as connection:
            connection.execute(insert(customer_accounts).values(own))
            connection.execute(theirs.values(account_number="U1"))

    yield manage
    with site.parts.store.write() as connection:
        connection.execute(update(policies).where(policies.c.account_number == "U1").values(account_number=None))
        connection.execute(delete(customer_accounts).where(customer_accounts.c.account_number == "U1"))


def test_a_decision_is_kept_with_its_day_and_what_was_read(site: Site, visitor: Visitor) -> None:
    page = decide(visitor, "agree")
    assert site.say("consent.agreed") in page.text
    (row,) = site.rows("letter_consents")
    read = "\n".join(site.parts.portal.letters.consents.statement("hu"))
    assert (row.is_agreed, row.version, row.sha256) == (True, "2026-1", hashlib.sha256(read.encode()).hexdigest())
    assert not page.has_button("agree")
    assert site.told("consent_agreed") == 1


def test_deciding_the_same_twice_changes_nothing(site: Site, visitor: Visitor) -> None:
    decide(visitor, "agree")
    visitor.post(f"{SETTINGS}/levelek", {"action": "agree"})
    assert len(site.rows("letter_consents")) == 1
    assert site.told("consent_agreed") == 1


def test_from_the_next_day_letters_go_by_post(site: Site, visitor: Visitor, tmp_path: Path) -> None:
    assert site.say("consent.revoked") in decide(visitor, "revoke").text
    assert site.say("consent.state.no") in visitor.open(SETTINGS).text
    today = publish(site)
    assert printed(site, tmp_path) == 0
    site.advance(days=1)
    letter_id = publish(site)
    assert printed(site, tmp_path) == 1
    assert events(site, letter_id) == ["published", "printed"]
    assert "printed" not in events(site, today)
    assert printed(site, tmp_path) == 0


def test_who_agrees_again_gets_letters_here(site: Site, visitor: Visitor, tmp_path: Path) -> None:
    decide(visitor, "revoke")
    decide(visitor, "agree")
    site.advance(days=1)
    publish(site)
    assert printed(site, tmp_path) == 0
    assert [row.is_agreed for row in site.rows("letter_consents")].count(False) == 1


def test_letters_of_an_account_that_the_customer_manages_stay_here(
    site: Site, visitor: Visitor, manage_own_account: Callable[..., None], tmp_path: Path
) -> None:
    manage_own_account(ANNA.policy_number)
    decide(visitor, "revoke")
    site.advance(days=1)
    publish(site)
    assert printed(site, tmp_path) == 0
    publish(site, policy_number="940000002")
    assert printed(site, tmp_path) == 1


def test_who_has_no_other_contracts_is_told_why_it_cannot_be_revoked(
    site: Site, visitor: Visitor, manage_own_account: Callable[..., None]
) -> None:
    manage_own_account(ANNA.policy_number, "940000002")
    refused = decide(visitor, "revoke")
    assert refused.status == 422
    assert refused.errors() == {"letter_consent": site.say("consent.revoke.manager")}
    assert not site.rows("letter_consents")


def test_the_certificate_names_the_consent(site: Site, visitor: Visitor) -> None:
    decide(visitor, "agree")
    letter_id = publish(site)
    certificate = site.parts.portal.letters.certificates.for_insurer(letter_id, "hu")
    assert any("2026-1" in line for line in certificate.proves)
