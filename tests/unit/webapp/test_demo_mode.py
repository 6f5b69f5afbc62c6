"""What production imports is the product: testers' code is in memory in demo mode alone."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PROCESSES = {
    "pages": "import webapp.cli.served",
    "pages without their supervisor": "import webapp.wsgi",
    "supervisor": """
import webapp.cli.main, webapp.cli.serve
from webapp.cli.worker import works
from webapp.settings import load
from webapp.wiring import wire
works(wire(load()))
""",
    "worker": """
import webapp.cli.main
from webapp.cli.worker import works
from webapp.settings import load
from webapp.wiring import wire
works(wire(load()))
""",
}
REPORT = """
import json, os, sys
os.write(1, json.dumps([name for name in sys.modules if name.startswith(("webapp.", "services."))]).encode())
"""


@pytest.mark.parametrize("process", PROCESSES)
def test_production_imports_no_code_for_testers(process: str, tmp_path: Path) -> None:
    loaded = _loaded(process, tmp_path, demo=False)
    assert len(loaded) > 50
    assert not [name for name in loaded if "demo" in name]


@pytest.mark.parametrize("process", PROCESSES)
def test_demo_mode_imports_it(process: str, tmp_path: Path) -> None:
    wanted = {
        f"webapp.demo.{name}" for name in ("mode", "clock", "seed", "terms", "sender", "inbox", "doors", "states")
    }
    assert wanted <= set(_loaded(process, tmp_path, demo=True))


def test_one_module_names_the_code_for_testers() -> None:
    # The rehearsal of a profile is a command that starts a demonstration of its own.
    named = {
        str(path.relative_to(ROOT))
        for path in [*(ROOT / "webapp").rglob("*.py"), *(ROOT / "services").rglob("*.py")]
        if (ROOT / "webapp" / "demo") not in path.parents and _names_demo(ast.parse(path.read_text("utf-8")))
    }
    assert named == {"webapp/wiring.py", "webapp/cli/rehearsal.py"}


def _names_demo(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            names = [node.value]
        else:
            continue
        if any(name == "webapp.demo" or name.startswith("webapp.demo.") for name in names):
            return True
    return False


def _loaded(process: str, folder: Path, *, demo: bool) -> list[str]:
    """Return the modules of ours that a process of `belepo` has loaded when it is ready."""
    settings = {
        "BELEPO_DATABASE_URL": f"sqlite:///{folder / 'all.sqlite3'}",
        "BELEPO_MAIL_URL": "smtp://127.0.0.1:2525",
        "BELEPO_SMS_URL": f"folder:{folder / 'sms'}",
        "BELEPO_BCRYPT_ROUNDS": "10",
    }
    if demo:
        settings |= {"BELEPO_DEMO": "1", "BELEPO_BCRYPT_ROUNDS": "4"}
    else:
        settings |= {
            "BELEPO_DEMO": "0",
            "BELEPO_PUBLIC_URL": "https://portal.example.hu",
            "BELEPO_SECRET_KEYS": "rA9-fTq2_xWz7LbPn4KdVs8YcHe3MgJu",
        }
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("BELEPO_")}
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES[process] + REPORT],
        cwd=folder,
        env={**inherited, **settings, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    names: list[str] = json.loads(done.stdout)
    return names
