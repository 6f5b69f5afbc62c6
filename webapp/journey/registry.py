"""Which steps there are: each module of `webapp.steps` defines its own and is found by itself."""

import pkgutil
from importlib import import_module

from webapp import steps
from webapp.journey.step import Step


def known_steps() -> dict[str, Step]:
    """Return every step by its name."""
    for module in pkgutil.iter_modules(steps.__path__, f"{steps.__name__}."):
        import_module(module.name)
    return {cls.name: cls() for cls in Step.__subclasses__()}
