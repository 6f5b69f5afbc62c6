"""Which steps there are, and the journey that a profile makes of them."""

import pkgutil
from importlib import import_module

from services.profiles import Profile
from webapp.journey.journey import Journey
from webapp.journey.step import Step


def known_steps() -> dict[str, Step]:
    """Return every step by its name: each module of `webapp.steps` defines its own and is found by itself."""
    package = import_module("webapp.steps")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return {cls.name: cls() for cls in Step.__subclasses__()}


def journey_of(profile: Profile) -> Journey:
    """Return the journey that a profile declares. Raises ProfileError when there can be no such journey."""
    return Journey(profile, known_steps())
