"""What the tests of accounts share."""

from unittest.mock import Mock

import bcrypt
import pytest

from tests.world.cast import ANNA
from tests.world.world import House


@pytest.fixture
def anna(house: House) -> House:
    """A world in which Anna has had an account for a day."""
    house.registered(ANNA)
    house.clock.advance(days=1)
    return house


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Every comparison of a password with a hash."""
    watched = Mock(wraps=bcrypt.checkpw)
    monkeypatch.setattr(bcrypt, "checkpw", watched)
    return watched
