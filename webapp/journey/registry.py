"""Which steps there are, and the journey that a profile makes of them."""

import pkgutil
from datetime import datetime
from importlib import import_module

from services.profiles import Profile, load
from webapp.journey.journey import Journey
from webapp.journey.step import Step
from webapp.settings import Settings


def known_steps() -> dict[str, Step]:
    """Return every step by its name: each module of `webapp.steps` defines its own and is found by itself."""
    package = import_module("webapp.steps")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return {cls.name: cls() for cls in Step.__subclasses__()}


def journey_of(profile: Profile) -> Journey:
    """Return the journey that a profile declares. Raises ProfileError when there can be no such journey."""
    return Journey(profile, known_steps())


def read_profile(settings: Settings, now: datetime | None = None) -> tuple[Profile, Journey]:
    """Read the profile that the settings name, and its journey.

    `now` judges which terms are in force; without it the machine's time does, to which testers set their clock back.
    Raises ProfileError for whatever would keep the server from starting.
    """
    profile = load(settings.profile, hardened=settings.hardened, now=now)
    return profile, journey_of(profile)
