"""The doors for testers, and that they are walls outside demo mode; settings that refuse to start."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.clock import SystemClock
from services.store.engine import Store
from services.store.migrate import migrate
from tests.world.cast import ANNA
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST
from webapp.cli.doctor import examine
from webapp.cli.main import main
from webapp.demo import seed
from webapp.settings import Settings, SettingsError, load

_KEY = "rA9-fTq2_xWz7LbPn4KdVs8YcHe3MgJu"
_PRODUCTION = {
    "demo": False,
    "public_url": "https://portal.example.hu",
    "secret_keys": (_KEY,),
    "mail_url": "folder:/tmp/messages",
    "sms_url": "folder:/tmp/messages",
    "bcrypt_rounds": 10,
}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("BELEPO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_doors_are_not_there_outside_demo_mode(make_site: Callable[..., Site]) -> None:
    client = make_site(**_PRODUCTION).app.test_client()
    for address in ("/dev/messages", "/dev/messages.json", "/dev/clock", "/dev/terms", "/dev/reset", "/dev/"):
        assert client.get(address).status_code == 404
        assert client.post(address, data={"advance": "1", "version": "x"}).status_code in (400, 404)
    page = client.get("/")
    assert "/dev/" not in page.text


def test_demo_mode_says_so_on_every_page(site: Site, visitor: Visitor) -> None:
    for address in ("/", FIRST, "/belepes", "/aszf", "/nowhere", "/dev/messages"):
        assert site.say("demo.banner") in visitor.open(address).root.text


def test_the_clock_moves_forward_for_everybody(site: Site, make_site: Callable[..., Site]) -> None:
    before = site.now
    site.advance(seconds=90)
    assert 90 <= (site.now - before).total_seconds() < 150
    own = make_site()
    own.advance(days=2)
    restarted = make_site()
    assert (restarted.now - site.now).total_seconds() > 86400
    restarted.parts.clock.reset()  # type: ignore[attr-defined]


@pytest.mark.parametrize("advance", ["", "-1", "x", "nan", "inf", "1e99"])
def test_the_clock_refuses_nonsense(site: Site, advance: str) -> None:
    assert site.app.test_client().post("/dev/clock", data={"advance": advance}).status_code == 400


def test_a_reset_leaves_nothing_but_the_demo_data(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("done")
    site.advance(hours=5)
    visitor.client.post("/dev/terms", data={"version": "2027-1"})
    assert visitor.client.post("/dev/reset").status_code == 200
    assert not site.messages()
    site.parts.figures.funnel.flush()  # what was counted and not written yet
    for table in ("accounts", "registrations", "one_time_codes", "allowances", "outbox", "figures"):
        assert not site.rows(table)
    assert "2027-1" not in visitor.open("/aszf").text
    assert len(site.rows("customers")) == 529
    again = site.visitor()
    assert again.walk_to("done").step == "done"


def test_another_sites_page_changes_nothing(site: Site) -> None:
    browser, before = site.app.test_client(), site.database()
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for address in ("/dev/reset", "/dev/clock", "/dev/terms"):
        sent = browser.post(address, data={"advance": "60", "version": "x"}, headers=elsewhere)
        assert sent.status_code == 403, address
        assert browser.post(address, headers={"Origin": "http://evil.example"}).status_code == 403
        assert browser.post(address, headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert browser.get("/dev/states/mobile", headers=elsewhere).status_code == 403
    assert browser.get("/dev/messages.json", headers={"Host": "evil.example"}).status_code == 403
    assert site.database() == before
    assert browser.get("/dev/messages", headers=elsewhere).status_code == 200  # a link in a ticket


def test_messages_are_chosen_by_recipient_and_kind(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("done")
    keys = {"id", "kind", "to", "subject", "text", "html", "links", "attachments", "created_at"}
    everything = site.messages()
    assert all(set(message) == keys for message in everything)
    assert [message["kind"] for message in everything] == ["email", "sms", "email"]
    assert site.messages(ANNA.mobile) == [everything[1]]
    assert site.messages(ANNA.email, "sms") == []
    assert len(site.messages(kind="email")) == 2
    page = visitor.open("/dev/messages")
    assert ANNA.email in page.text
    for link in page.root.all("a"):
        if link["href"].endswith(".html"):
            letter = visitor.client.get(link["href"])
            assert "default-src 'none'" in letter.headers["Content-Security-Policy"]


def test_a_number_is_understood_whose_plus_sign_was_not_encoded(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    asked = site.app.test_client().get(f"/dev/messages.json?to={ANNA.mobile}")
    assert len(asked.json) == 1


def test_what_was_on_its_way_arrives_before_the_clock_moves(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("mobile")
    visitor.send(mobile=ANNA.mobile)
    site.advance(seconds=61)
    visitor.send("sms-resend")
    assert len(site.messages(ANNA.mobile)) == 2


def test_what_leaves_a_demonstration_stands_in_its_inbox_too(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(mail_url=f"folder:{tmp_path / 'mails'}")
    site.visitor().walk_to("email-sent")
    (mail,) = site.messages(ANNA.email)
    assert mail["links"][0] in (tmp_path / "mails" / ANNA.email).read_text("utf-8")


def test_a_demonstration_begins_under_any_server(tmp_path: Path) -> None:
    """The application alone, with nothing but a folder: two processes at once, as a server starts them."""
    look = "from webapp.wsgi import app; print(app.test_client().get('/readyz').status_code)"
    environment = {"BELEPO_DEMO": "1", "BELEPO_DATA_DIR": str(tmp_path), "BELEPO_BCRYPT_ROUNDS": "4"}
    started = [
        subprocess.Popen([sys.executable, "-c", look], env=os.environ | environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in started] == [b"200", b"200"]
    with sqlite3.connect(tmp_path / "mygenerali.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM staff").fetchone() == (3,)


def _refusal(**changed: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        load(**{**_PRODUCTION, **changed})
    return str(refused.value)


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"secret_keys": ()}, "BELEPO_SECRET_KEYS"),
        ({"secret_keys": ("short",)}, "BELEPO_SECRET_KEYS"),
        ({"secret_keys": ("a" * 64,)}, "BELEPO_SECRET_KEYS"),
        ({"secret_keys": ("demo-mode-has-no-secrets-and-uses-this-key",)}, "BELEPO_SECRET_KEYS"),
        ({"secret_keys": (_KEY, "changeme")}, "BELEPO_SECRET_KEYS"),
        ({"secret_keys": ("change-me-change-me-change-me-change-me",)}, "placeholder"),
        ({"secret_keys": (_KEY, "aB3$xY9!kLmN" * 3)}, "repeats itself"),
        ({"metrics_token": "change-me"}, "BELEPO_METRICS_TOKEN is a placeholder"),
        ({"public_url": ""}, "BELEPO_PUBLIC_URL"),
        ({"public_url": "portal.example.hu"}, "BELEPO_PUBLIC_URL"),
        ({"public_url": "javascript:alert(1)"}, "BELEPO_PUBLIC_URL"),
        ({"bcrypt_rounds": 9}, "BELEPO_BCRYPT_ROUNDS"),
        ({"bcrypt_rounds": 31}, "BELEPO_BCRYPT_ROUNDS"),
        ({"mail_url": ""}, "BELEPO_MAIL_URL"),
        ({"sms_url": ""}, "BELEPO_SMS_URL"),
        ({"mail_url": "demo:"}, "BELEPO_MAIL_URL"),
        ({"port": 0}, "BELEPO_PORT"),
        ({"sqlite_synchronous": "SOMETIMES"}, "BELEPO_SQLITE_SYNCHRONOUS"),
        ({"demo": True, "host": "0.0.0.0"}, "BELEPO_DEMO_ANYWHERE"),
        ({"demo": True, "host": "192.0.2.7"}, "BELEPO_DEMO_ANYWHERE"),
        ({"demo": True, "host": "::"}, "BELEPO_DEMO_ANYWHERE"),
        ({"demo": True, "mail_url": "smtp://mail.example.hu:587"}, "BELEPO_DEMO_ANYWHERE"),
        ({"demo": True, "sms_url": "json://sms.example.hu/{to}"}, "BELEPO_DEMO_ANYWHERE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_settings_that_cannot_be_are_refused_in_a_sentence(changed: dict[str, Any], names: str) -> None:
    sentence = _refusal(**changed)
    assert names in sentence
    assert "\n" not in sentence
    for noise in ("Traceback", "pydantic", "validation error", "errors.pydantic.dev", _KEY):
        assert noise not in sentence


def test_sound_settings_start() -> None:
    assert load(**_PRODUCTION).is_https
    assert load(demo=True, host="0.0.0.0", demo_anywhere=True).demo
    assert load(demo=True, port=8123).public_url == "http://127.0.0.1:8123"
    assert load(**{**_PRODUCTION, "demo": True}).demo, "its messages stay on this machine"
    assert load(**{**_PRODUCTION, "demo": True, "mail_url": "smtp://127.0.0.1:2525"}).demo
    assert load(demo=True, mail_url="smtp://mail.example.hu:587").demo, "whoever tries a gateway"


def test_production_does_not_go_on_with_the_data_of_a_demonstration(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'all.sqlite3'}"
    production = load(**_PRODUCTION, database_url=url)

    def warned(settings: Settings) -> bool:
        return any("invented" in finding.state and finding.is_bad for finding in examine(settings))

    store = Store(url)
    migrate(store)
    assert not warned(production)
    demo = load(demo=True, bcrypt_rounds=4, database_url=url)
    seed.add_staff(store, SystemClock(), 4)
    assert warned(production)
    assert not warned(demo)


@pytest.mark.skipif(os.name == "nt", reason="the rights of files are another matter there")
def test_nobody_else_on_the_machine_reads_the_database(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = Store(f"sqlite:///{tmp_path / 'all.sqlite3'}")
        with store.write() as connection:
            connection.exec_driver_sql("CREATE TABLE t (a)")
            assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_the_command_refuses_without_a_stack_trace() -> None:
    result = CliRunner().invoke(main, ["migrate"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output
