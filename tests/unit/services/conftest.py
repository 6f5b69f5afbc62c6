"""The world of the registrations' tests, on both databases."""

from collections.abc import Iterator

import pytest

from services.store.engine import Store
from tests.world.victims import Victims
from tests.world.world import World, move_in


@pytest.fixture
def world(store: Store) -> World:
    """The services of a registration around an empty database with the cast in it."""
    move_in(store)
    return World(store)


@pytest.fixture(scope="session")
def victims() -> Iterator[Victims]:
    """The process whose children are killed."""
    made = Victims()
    yield made
    made.close()
