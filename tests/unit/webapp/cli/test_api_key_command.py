"""The commands about the API's keys, as an operator types them."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from webapp.cli.doctor import examine
from webapp.cli.main import Context, main
from webapp.demo.clock import DemoClock
from webapp.wiring import wire


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demonstration of one's own, quick."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["api-key", *arguments])


def doctor() -> list[tuple[str, str]]:
    return [(one.subject, one.state) for one in examine(Context().settings) if one.subject.startswith("API")]


def test_a_key_is_shown_once_listed_without_it_and_revoked() -> None:
    added = run("add", "G3", "--scope", "references", "--adviser", "UK-0007", "--days", "90")
    assert added.exit_code == 0, added.output
    key = added.stdout.strip()
    assert "reaches nobody yet" in added.stderr
    assert re.fullmatch(r"belepo_\w{12}_[\w-]{43}", key)
    listed = run("list").output
    line = next(line for line in listed.splitlines() if "G3" in line)
    assert "references" in line
    assert "(adviser uk-0007)" in listed
    assert "good until" in line
    assert key[-30:] not in listed
    known = key.split("_")[1]
    assert known in line
    assert run("revoke", known).exit_code == 0
    assert "revoked" in run("list").output
    again = run("revoke", known)
    assert again.exit_code == 1
    assert "no such key" in again.output


@pytest.mark.parametrize("adviser", ["", " ", "\t\u00a0"])
def test_a_key_for_no_adviser_in_particular_is_not_made_for_everybody(adviser: str) -> None:
    """`--adviser "$CODE"` where the variable is empty."""
    refused = run("add", "Broker", "--adviser", adviser)
    assert refused.exit_code == 2
    assert "the code of an adviser is empty" in refused.output
    assert "belepo_" not in refused.output
    assert "Broker" not in run("list").output


def test_without_a_scope_a_key_is_for_everything_and_for_nothing_unknown() -> None:
    assert run("add", "portal").exit_code == 0
    listed = run("list").output
    assert all(scope in listed for scope in ("password-resets", "references", "registrations"))
    assert max(map(len, listed.splitlines())) <= 80
    assert run("add", "portal", "--scope", "everything").exit_code == 2
    assert run("add", "portal", "--days", "0").exit_code == 2


def test_the_doctor_speaks_of_keys_that_end_soon() -> None:
    run("add", "G3", "--days", "31")
    assert doctor() == [("API keys", "1 in use")]
    parts = wire(Context().settings)
    assert isinstance(parts.clock, DemoClock)
    parts.clock.advance(timedelta(days=2))
    parts.store.close()
    (subject, state), *_ = doctor()
    assert subject == "API key"
    assert state.startswith("G3: good until ")
    run("add", "other")
    parts.clock.advance(timedelta(days=30))
    assert doctor()[0][1].startswith("G3: over since ")
