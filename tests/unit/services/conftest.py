"""The house of the registrations' tests, on both databases."""

from collections.abc import Iterator

import pytest
from house import House, move_in
from victims import Victims

from services.store.engine import Store


@pytest.fixture
def house(store: Store) -> House:
    """The services of a registration around an empty database with the cast in it."""
    move_in(store)
    return House(store)


@pytest.fixture(scope="session")
def victims() -> Iterator[Victims]:
    """The process whose children are killed."""
    made = Victims()
    yield made
    made.close()
