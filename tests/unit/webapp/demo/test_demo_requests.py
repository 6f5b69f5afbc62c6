"""The requests that a demonstration begins with (contract, "The demo data set"; P56)."""

from tests.world.cast import ANNA
from tests.world.site import Site, Visitor
from webapp.demo.letters import add_letters
from webapp.demo.requests import add_requests


def test_anna_has_a_request_under_way_and_one_that_a_letter_answered(site: Site) -> None:
    add_letters(site.parts.base, site.parts.portal.storage)
    add_requests(site.parts.base)
    site.open_account()
    visitor: Visitor = site.visitor()
    visitor.sign_in()
    page = visitor.open("/ugyintezes")
    states = {one["data-state"]: one["data-request"] for one in page.root.all("li") if "data-request" in one}
    assert set(states) == {"taken", "answered"}
    page = visitor.open(f"/ugyintezes/{states['answered']}")
    (letter,) = (one for one in page.addresses if one.startswith("/levelezes/"))
    assert visitor.open(letter).status == 200
    assert len([one for one in site.rows("letters") if one.kutid == ANNA.kutid]) == 40
