"""Builds the front end into the wheel and the source distribution; all else about the package is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.errors import SetupError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from webapp.http import assets  # noqa: E402  # the folder above is on the path only now


def build_front_end() -> None:
    """Write webapp/static/dist. A source distribution has it already, and not what it is made of.

    Raises SetupError where a file is missing: a wheel without its front end installs, and no page of it works.
    """
    if not assets.SOURCES.is_dir() and (assets.BUILT / assets.MANIFEST).is_file():
        return
    try:
        assets.build()
    except RuntimeError as error:
        raise SetupError(f"There is no wheel without the front end. {error}") from error


class BuildWithFrontEnd(build_py):
    """Builds the front end first, except where the checkout itself is installed: `make assets` serves that."""

    def run(self) -> None:
        if not self.editable_mode:
            build_front_end()
        super().run()


class SourcesWithFrontEnd(sdist):
    """Builds the front end first."""

    def run(self) -> None:
        build_front_end()
        super().run()


setup(cmdclass={"build_py": BuildWithFrontEnd, "sdist": SourcesWithFrontEnd})
