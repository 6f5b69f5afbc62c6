"""A customer's letters: found, read, confirmed, saved; in real browsers."""

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.visitor import Visitor
from tests.e2e.words import words


def _letters(visitor: Visitor) -> list[str]:
    return visitor.texts("[data-letter] > div > a")


def _be_at(visitor: Visitor, state: str) -> None:
    """Stand at a state of the catalogue as the visitor's customer."""
    visitor.open(f"/dev/states/{state}?email={visitor.email}&number={visitor.customer.policy_number}")


@pytest.mark.in_webkit
def test_letters_are_searched_and_read(visitor: Visitor) -> None:
    """P15, P16: the list follows the search, the letter counts as read, and the way back is a link."""
    _be_at(visitor, "letters")
    visitor.open("/levelezes")
    there, unread = len(_letters(visitor)), len(visitor.texts("[data-unread]"))
    asked = _letters(visitor).count(words("letter.type.payment_request"))
    assert 2 <= asked < there
    visitor.fill(q="dijbekero")
    visitor.settle(lambda: visitor.browser.click(".row button"))
    assert _letters(visitor) == [words("letter.type.payment_request")] * asked
    assert visitor.text("#result") == words("letter.search.found", count=asked)
    assert visitor.path.startswith("/levelezes?q=dijbekero")
    visitor.browser.back()
    visitor.wait_until(lambda: len(_letters(visitor)) == there, "the whole list")
    visitor.settle(lambda: visitor.browser.click("[data-unread] a"))
    assert visitor.step == "letter"
    visitor.submit("letter-confirm")
    assert words("letter.state.confirmed") in visitor.text()
    visitor.settle(lambda: visitor.browser.click(".way-back a"))
    assert len(visitor.texts("[data-unread]")) == unread - 1


def test_a_mails_link_leads_through_the_sign_in(visitor: Visitor, meet: Meet) -> None:
    """P3: and back to the letter."""
    _be_at(visitor, "letter")
    visitor.open("/levelezes")
    address = visitor.attribute("[data-letter] a", "href") or ""
    other = meet(email=visitor.email)
    other.open(address)
    assert other.step == "login"
    other.sign_in()
    assert (other.step, other.path) == ("letter", address)


@pytest.mark.in_webkit
def test_the_places_lead_everywhere(visitor: Visitor) -> None:
    """P2: with and without scripts, at every width."""
    visitor.be_at("account")
    for key, step in (
        ("home", "home"),
        ("contracts", "contracts"),
        ("letters", "letters"),
        ("invoices", "invoices"),
        ("settings", "settings"),
    ):
        # Beside the name of letters stands how many are unread.
        place = next(one for one in visitor.texts("#places a") if one.startswith(words(f"portal.nav.{key}")))
        visitor.follow(place)
        assert visitor.step == step
        (here,) = visitor.texts("#places [aria-current]")
        assert here.startswith(words(f"portal.nav.{key}"))
