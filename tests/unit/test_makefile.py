"""That the commands work where a folder's name has a space and letters of its own, and Node is missing (F66)."""

import os
import shutil
import subprocess
from pathlib import Path

from tests import ROOT

_NEEDED = ("make", "bash", "touch", "grep", "awk")
_NOTED = '#!/bin/bash\necho "${{0##*/}} $1" >> "{noted}"\n'


def test_without_node_the_front_end_is_fetched_in_a_folder_with_a_space(tmp_path: Path) -> None:
    folder, programs, noted = tmp_path / "árvíztűrő mappa", tmp_path / "programs", tmp_path / "noted"
    own = folder / ".venv" / "bin"
    own.mkdir(parents=True)
    programs.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "package.json", "package-lock.json"):
        shutil.copy(ROOT / name, folder)
    for name in ("pip", "python"):
        (own / name).write_text(_NOTED.format(noted=noted))
        (own / name).chmod(0o755)
    for name in _NEEDED:
        (programs / name).symlink_to(shutil.which(name) or name)
    (folder / "node_modules").mkdir()
    (folder / ".venv" / "run.done").touch()
    command = ["make", "node_modules/.done"]
    environment = {"PATH": str(programs), "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "node_modules" / ".done").exists()
    assert noted.read_text().splitlines()[-2:] == ["pip install", "python -c"]
