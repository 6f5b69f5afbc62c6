"""What every package of services needs."""

from dataclasses import dataclass

from services.clock import Clock
from services.keys import Keys
from services.profiles import Profile
from services.store.engine import Store


@dataclass(frozen=True)
class Base:
    """The database, the time, the insurer's rules, and the keys from which each package derives its own."""

    store: Store
    clock: Clock
    profile: Profile
    keys: Keys
