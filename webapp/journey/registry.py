"""Which steps there are, and the journey that a profile makes of them."""

import pkgutil
import sys
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from services.profiles import Profile, ProfileError, load
from webapp.journey.journey import Journey
from webapp.journey.step import Step
from webapp.settings import Settings


def known_steps(profile: Profile) -> dict[str, Step]:
    """Return every step by its name: those of `webapp.steps`, and over them those of the insurer's folder `steps`.

    Each module defines its own and is found by itself. Raises ProfileError for one of the insurer's that does not load.
    """
    package = import_module("webapp.steps")
    ours = (import_module(module.name) for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    own = (_load(file) for file in sorted((profile.folder / "steps").glob("*.py")))
    return {cls.name: cls() for modules in (ours, own) for module in modules for cls in _steps_of(module)}


def _load(file: Path) -> ModuleType:
    """Load a module of an insurer's folder, afresh: a reload of the server is to see what has changed in it."""
    # Two insurers may have files of one name, in a process that serves tests.
    name = f"insurer_steps_{sha256(str(file.resolve().parent).encode()).hexdigest()[:8]}_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ProfileError(f"steps/{file.name} cannot be loaded.")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ProfileError(f"steps/{file.name} cannot be loaded: {error}.") from error
    return module


def _steps_of(module: ModuleType) -> Iterator[type[Step]]:
    for one in vars(module).values():
        if isinstance(one, type) and issubclass(one, Step) and one.__module__ == module.__name__:
            yield one


def journey_of(profile: Profile) -> Journey:
    """Return the journey that a profile declares. Raises ProfileError when there can be no such journey."""
    return Journey(profile, known_steps(profile))


def read_profile(settings: Settings, now: datetime | None = None) -> tuple[Profile, Journey]:
    """Read the profile that the settings name, and its journey.

    `now` judges which terms are in force; without it the machine's time does, to which testers set their clock back.
    Raises ProfileError for whatever would keep the server from starting.
    """
    profile = load(settings.profile, hardened=settings.hardened, now=now)
    return profile, journey_of(profile)
