"""The tutorial “Your first insurer”, to the letter: an insurer with one new step registers a customer."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests import ROOT

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)

WALK = """
import re, sys
from webapp.demo import seed
from services.store.migrate import migrate
from webapp.application import create_app
from webapp.settings import load

settings = load(demo=True, profile=sys.argv[1], data_dir=sys.argv[2], bcrypt_rounds=4)
app = create_app(settings)
parts = app.extensions["belepo"]
migrate(parts.store)
seed.load(parts.store, parts.profile, parts.clock, 4)
browser = app.test_client()
first = browser.get("/regisztracio").text
token = re.search('name="csrf_token" value="([^"]+)"', first)[1]

def messages(kind):
    return app.test_client().get("/dev/messages.json?kind=" + kind).json

def post(**fields):
    answer = browser.post("/regisztracio", data={"csrf_token": token, **fields})
    assert answer.status_code == 303, answer.text
    return browser.get(answer.location).text

post(step="identify", customer_number="G10000001", holder_type="person", birth_date="1985-03-14", postal_code="1066")
post(step="mobile", mobile="20 123 4567")
post(step="sms-code", sms_code=messages("sms")[-1]["text"].rpartition("#")[2])
post(step="email", email="anna@example.hu", email_confirm="anna@example.hu")
page = browser.get(messages("email")[-1]["links"][0].removeprefix(settings.public_url)).text
assert 'data-step="salutation"' in page and "Hogyan sz\u00f3l\u00edthatjuk? *" in page, page
link = re.search('name="token" value="([^"]+)"', page)[1]
refused = browser.post("/regisztracioveglegesites", data={"csrf_token": token, "step": "salutation", "token": link})
assert refused.status_code == 422 and "\u00cdrja be, hogyan" in refused.text
page = post(step="salutation", salutation="Anna", token=link)
assert "#1f5f3a" in browser.get(re.search('"(/brand-[^"]+)"', page)[1]).text
browser.get("/aszf")
post(step="terms", terms="1")
page = post(step="password", password="Kek7Hold8Fenyes", password_confirm="Kek7Hold8Fenyes")
assert 'data-step="done"' in page, page
print("registered")
"""


def test_the_tutorial_makes_an_insurer(tmp_path: Path) -> None:
    tutorial = (ROOT / "docs" / "tutorials" / "first-insurer.md").read_text("utf-8")
    fences = _FENCE.findall(tutorial)
    blocks = {kind: text for kind, text in fences if kind != "sh"}
    copy, check, _serve = (text for kind, text in fences if kind == "sh")
    house, own = tmp_path / "house", tmp_path / "tisza"
    for folder in ("services", "webapp"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    # 1: a copy, with the values changed that the block names.
    environment = {**os.environ, "PYTHONPATH": str(house), "BELEPO_SETTINGS_FILE": str(tmp_path / "none.env")}
    (tmp_path / "none.env").touch()
    _shell(house, environment, copy, own)
    profile = own / "profile.toml"
    text = profile.read_text("utf-8")
    for line in blocks["toml"].splitlines():
        if name := re.match(r"(\w+) = ", line):
            text, count = re.subn(rf"^{name[1]} = .*$", lambda _, line=line: line, text, count=1, flags=re.M)
            assert count == 1, line
    profile.write_text(text, "utf-8")
    # 2–4: the step, its template, its texts, where the tutorial says.
    (house / _path(tutorial, "webapp/steps/")).write_text(blocks["python"], "utf-8")
    (house / _path(tutorial, "webapp/templates/steps/")).write_text(blocks["html"], "utf-8")
    hungarian = house / _path(tutorial, "services/")
    for catalogue in (hungarian, hungarian.with_name("en.po")):
        with catalogue.open("a", encoding="utf-8") as file:
            file.write(f"\n{blocks['po']}")
    # 5: checked, and served.
    assert "nothing is wrong" in _shell(house, environment, check, own)
    walked = _run(house, environment, sys.executable, "-c", WALK, str(profile), str(tmp_path / "data"))
    assert "registered" in walked


def _path(tutorial: str, folder: str) -> str:
    found = re.search(rf"`({re.escape(folder)}[\w/]+\.\w+)`", tutorial)
    assert found is not None, folder
    return found[1]


def _shell(house: Path, environment: dict[str, str], lines: str, own: Path) -> str:
    """Run the tutorial's lines, with the insurer's folder where this test keeps it and the copied house's command."""
    belepo = f'belepo() {{ "{sys.executable}" -m webapp.cli "$@"; }}\n'
    return _run(house, environment, "bash", "-euc", belepo + lines.replace("/srv/tisza", str(own)))


def _run(house: Path, environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
