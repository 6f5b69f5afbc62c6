"""The house of the registrations' tests, on both databases."""

import pytest
from house import House, move_in

from services.store.engine import Store


@pytest.fixture
def house(store: Store) -> House:
    """The services of a registration around an empty database with the cast in it."""
    move_in(store)
    return House(store)
