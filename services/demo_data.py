"""The invented customers that a demonstration and the tests of others rely on."""

from pathlib import Path

from sqlalchemy import delete, func, select

from services.clock import Clock
from services.passwords import hash_secret, is_secret
from services.profiles import Profile
from services.register_import import RegisterImport
from services.store.engine import Store
from services.store.tables import REGISTER, customers, metadata


def files(profile: Profile) -> dict[str, Path]:
    """Return the profile's demo files by the importer's names."""
    found = {table.name: profile.folder / "demo" / f"{table.name}.csv" for table in REGISTER}
    return {name: file for name, file in found.items() if file.is_file()}


def load(store: Store, profile: Profile, clock: Clock, rounds: int) -> bool:
    """Import the profile's demo customers into an empty register; tell whether that was needed."""
    with store.read() as connection:
        if connection.execute(select(func.count()).select_from(customers)).scalar_one():
            return False
    _import(store, profile, clock, rounds)
    return True


def reset(store: Store, profile: Profile, clock: Clock, rounds: int) -> None:
    """Throw everything away and import the demo customers anew."""
    with store.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    _import(store, profile, clock, rounds)


def _import(store: Store, profile: Profile, clock: Clock, rounds: int) -> None:
    RegisterImport(
        store,
        clock,
        region=profile.country,
        make_hash=lambda password: hash_secret(password, rounds),
        is_password=is_secret,
    ).run(files(profile))
