"""The product as operators install it: a wheel, in an environment of its own, far from the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests import ROOT

_PACKED = ("services", "webapp", "pyproject.toml", "setup.py", "README.md", "LICENSE")
_MADE = shutil.ignore_patterns("__pycache__", "dist")


def copy_of_sources(folder: Path, *, with_htmx: bool = True) -> Path:
    """Copy what a wheel is built of, as a fresh clone has it; with the fetched file, or as before it is fetched."""
    folder.mkdir()
    for name in _PACKED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=_MADE)
        else:
            shutil.copy(ROOT / name, folder)
    if with_htmx:
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


def build(sources: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Build the wheel into a folder with what is installed here: nothing is fetched."""
    bare = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    return subprocess.run(
        [*bare, "-w", str(folder), str(sources)], cwd=sources, capture_output=True, text=True, check=False, timeout=300
    )


class Installed:
    """A wheel in a virtual environment that sees this one's libraries, but not the checkout."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False, symlinks=True)
        self._bin = folder / "bin"
        self.command = self._bin / "belepo"
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(self._bin / "python"),
            "install",
            "-q",
            "--no-deps",
            "--no-index",
        ]
        subprocess.run([*pip, str(wheel)], check=True, timeout=300)
        # A path that a .pth file names is searched last, and the .pth files in it are not read: the libraries are
        # found, and the link to the checkout is not.
        (library,) = (folder / "lib").glob("python*/site-packages")
        (library / "libraries.pth").write_text(sysconfig.get_path("purelib"))

    def environment(self, **settings: str) -> dict[str, str]:
        """Return the environment of an operator's shell, with these settings."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("BELEPO_") and name not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        given = {f"BELEPO_{name}": value for name, value in settings.items()}
        return {**kept, **given, "PATH": f"{self._bin}{os.pathsep}{kept['PATH']}"}

    def run(self, *command: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in a folder."""
        return subprocess.run(
            command,
            cwd=folder,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
