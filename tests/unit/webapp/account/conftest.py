"""What the tests of the account's pages share."""

import pytest

from tests.world.site import Site


@pytest.fixture
def anna(site: Site) -> Site:
    """The site with Anna's account of yesterday."""
    site.open_account()
    site.advance(hours=24)
    return site
