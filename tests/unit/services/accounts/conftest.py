"""What the tests of accounts share."""

from unittest.mock import Mock

import bcrypt
import pytest

from tests.world.cast import ANNA
from tests.world.world import World


@pytest.fixture
def anna(world: World) -> World:
    """A world in which Anna has had an account for a day."""
    world.registered(ANNA)
    world.clock.advance(days=1)
    return world


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Every comparison of a password with a hash."""
    watched = Mock(wraps=bcrypt.checkpw)
    monkeypatch.setattr(bcrypt, "checkpw", watched)
    return watched
