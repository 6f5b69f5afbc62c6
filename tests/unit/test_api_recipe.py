"""The tutorial “Your first API client”, to the letter: its lines run beside a demonstration, and the mail leaves."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests import ROOT
from tests.e2e.server import OwnServer

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def test_the_lines_lead_nagy_ilona_to_her_mail(tmp_path: Path) -> None:
    ilona, run = _blocks("tutorials/first-api-client.md")
    (commands,) = _blocks("how-to/manage-api-keys.md")
    (tmp_path / "ilona.py").write_text(ilona, "utf-8")
    server = OwnServer(tmp_path)
    server.start()
    try:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "BELEPO_DATA_DIR": str(tmp_path),
            "BELEPO_SETTINGS_FILE": str(tmp_path / "settings.env"),
            "API": f"{server.url}/api/v1",
        }
        with subprocess.Popen(
            ["bash", "-euc", run],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as call:
            assert call.stdin is not None
            assert call.stdout is not None
            found = call.stdout.readline()
            assert "'has_mobile': False" in found, found + call.stdout.read()
            # The question stands at the end of a line that is not over: by then the code has been sent.
            asked = call.stdout.read(len("She reads back: "))
            assert asked == "She reads back: "
            said = call.communicate(f"{server.codes('+36209998877')[-1]}\n", timeout=60)[0]
        assert call.returncode == 0, said
        assert said.splitlines()[0] == "mailed"
        assert "Mobile number recorded by Customer service" in said
        assert "/regisztracioveglegesites?token=" in server.link("ilona@example.hu")
        keys = {"BELEPO_DEMO": "1", "COLUMNS": "200", **environment}
        done = subprocess.run(
            ["bash", "-uc", commands], env=keys, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "uk-0007" in done.stdout, done.stdout + done.stderr
        assert "no such key" in done.stderr  # the guide's id is nobody's
    finally:
        server.stop()


def _blocks(page: str) -> list[str]:
    return [text for _, text in _FENCE.findall((ROOT / "docs" / page).read_text("utf-8"))]
