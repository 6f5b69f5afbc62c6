"""The guide “Follow events”, to the letter: its receiver is called by a server of its own, and its lines run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

from urllib3.filepost import encode_multipart_formdata

from tests import ROOT
from tests.e2e.server import OwnServer
from tests.ports import free_port
from tests.world.cast import ANNA
from tests.world.pdfs import pdf

_FENCE = re.compile(r"^```\w+\n(.*?)^```$", re.M | re.S)


def test_the_receiver_is_called_and_the_feed_read(tmp_path: Path) -> None:
    guide = (ROOT / "docs/how-to/follow-events.md").read_text("utf-8")
    read, _, manage, _, receiver, begin, again = _FENCE.findall(guide)
    address = f"localhost:{free_port()}"
    (tmp_path / "receiver.py").write_text(receiver.replace("9000", address.partition(":")[2]), "utf-8")
    server = OwnServer(tmp_path)
    server.start()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BELEPO_DATA_DIR": str(tmp_path),
        "BELEPO_SETTINGS_FILE": str(tmp_path / "settings.env"),
        "BELEPO_DEMO": "1",
        "COLUMNS": "200",
    }

    def run(lines: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-uc", lines], env=environment | more, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    try:
        add, serve = begin.replace("localhost:9000", address).splitlines()
        secret = run(add).stdout.split()[-1]
        with subprocess.Popen(
            ["bash", "-euc", f"exec {serve.partition(' ')[2]}"],
            env=environment | {"SECRET": secret}, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
        ) as called:  # fmt: skip
            try:
                letter = _publish(server)
                assert called.stdout is not None
                # A call that comes before the receiver is ready is repeated.
                assert called.stdout.readline() == f"document.bounced {{'document': '{letter}'}}\n"
            finally:
                called.terminate()
        answer = json.loads(run(read.replace("https://portal.example.hu", server.url), KEY=_key(server)).stdout)
        assert [(event["type"], event["data"]["document"]) for event in answer["events"]] == [
            ("document.bounced", letter)
        ]
        managed = run(manage)
        assert "https://events.example.hu/belepo" in managed.stdout, managed.stderr
        assert "no such webhook" in managed.stderr  # the guide's id is nobody's
        assert run(again).stderr.count("no such webhook") == 2
    finally:
        server.stop()


def _key(server: OwnServer) -> str:
    with urlopen(f"{server.url}/dev/api-key", data=b"scope=documents&scope=events") as answer:
        return str(json.load(answer)["key"])


def _publish(server: OwnServer) -> str:
    """Publish a letter to somebody whom no mail reaches, and return its id."""
    document = {
        "customer": {"by": "policy_number", "number": ANNA.policy_number},
        "type": "policy", "title": "Kötvény", "issued_on": "2026-11-20",
    }  # fmt: skip
    body, kind = encode_multipart_formdata({"document": json.dumps(document), "file": ("a.pdf", pdf())})
    headers = {"Authorization": f"Bearer {_key(server)}", "Content-Type": kind}
    with urlopen(Request(f"{server.url}/api/v1/documents", data=body, headers=headers)) as answer:
        return str(json.load(answer)["id"])
