"""The commands about staff, and the export of what staff have learnt, as an operator types them."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pyotp import TOTP, parse_uri
from sqlalchemy import select

from services.store.tables.audit import audit
from services.store.tables.register import communication_ids, contact_changes
from webapp.cli.main import Context, main

ADD = ["staff", "add", "orsi@example.hu", "--name", "Kiss Orsolya", "--role", "service"]
_AT = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demonstration of one's own, quick."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=typed)


def test_an_account_is_added_listed_and_disabled() -> None:
    added = run(*ADD, "--generate")
    assert added.exit_code == 0, added.output
    password, uri = (line.partition(": ")[2] for line in added.output.splitlines())
    assert len(password) == 20
    assert isinstance(parse_uri(uri), TOTP)
    listed = run("staff", "list").output
    assert "orsi@example.hu" in listed
    assert password not in listed
    assert run("staff", "disable", "ORSI@example.hu").exit_code == 0
    assert "disabled" in run("staff", "list").output
    assert run("staff", "disable", "orsi@example.hu").exit_code == 1


def test_a_typed_password_must_be_good_and_an_address_new() -> None:
    assert "15 characters" in run(*ADD, typed="rovid\n").output
    assert run(*ADD, typed="Hosszu-Szolgalati-Jelszo\n").exit_code == 0
    assert "already" in run(*ADD, typed="Hosszu-Szolgalati-Jelszo\n").output
    assert run("staff", "add", "no address", "--name", "X", "--role", "service").exit_code == 2
    assert run("staff", "add", "x@example.hu", "--name", "X", "--role", "director").exit_code == 2


def test_contact_changes_are_printed_once_each_with_a_number_to_go_on_from() -> None:
    assert run("import", "--customers", str(_customers())).exit_code == 0
    store = Context().open_store()
    with store.write() as connection:
        connection.execute(
            contact_changes.insert(),
            [
                {"kutid": "1", "kind": kind, "before": "", "after": after, "actor": "staff:x", "at": _AT}
                for kind, after in (("mobile", "+36201234567"), ("email", "a;b@example.hu"))
            ],
        )
    store.close()
    rows = _printed()
    assert [(row["kutid"], row["kind"], row["after"], row["who"]) for row in rows] == [
        ("1", "mobile", "+36201234567", "staff:x"),
        ("1", "email", "a;b@example.hu", "staff:x"),
    ]
    assert _printed("--after", rows[0]["number"]) == rows[1:]
    assert _printed("--after", rows[1]["number"]) == []
    assert rows[0]["when"].startswith("2026-11-20T")
    store = Context().open_store()
    with store.read() as connection:
        trail = [row.facts for row in connection.execute(select(audit)) if row.action == "exported"]
    store.close()
    assert [one["after"] for one in trail] == ["0", rows[0]["number"], rows[1]["number"]]


def _printed(*more: str) -> list[dict[str, str]]:
    done = run("export", "contact-changes", *more)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.output), delimiter=";"))


def test_imported_passwords_are_hashed_at_the_cost_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text("communication_id,kutid,password\nK1111111,1,Jelszo\n", encoding="utf-8")
    assert run("import", "--customers", str(_customers()), "--communication-ids", str(file)).exit_code == 0
    store = Context().open_store()
    with store.read() as connection:
        hashed = connection.execute(select(communication_ids.c.password_hash)).scalar_one()
    store.close()
    assert hashed.startswith("whole:$2b$04$")


def _customers() -> Path:
    file = Path("customers.csv")
    file.write_text("kutid;holder_type;name;birth_date;tax_number\n1;person;Kovács Anna;1985-03-14;\n")
    return file
