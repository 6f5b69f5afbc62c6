"""Settings: each address is read once, and refused without repeating anything of it; a wrong name is noticed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from limits.storage import SCHEMES

from tests.world.site import Site
from webapp.cli.doctor import examine
from webapp.cli.main import main
from webapp.settings import Settings, SettingsError, load


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("BELEPO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings(**changed: Any) -> Settings:
    sound = {
        "public_url": "https://portal.example.hu",
        "secret_keys": ("rA9-fTq2_xWz7LbPn4KdVs8YcHe3MgJu",),
        "mail_url": "folder:/tmp/messages",
        "sms_url": "folder:/tmp/messages",
    }
    return load(**sound | changed)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("mail_url", "http://mail.example"),
        ("mail_url", "smtp://"),
        ("mail_url", "smtp://mail.example/path"),
        ("mail_url", "smtp://mail.example?tls=yes"),
        ("mail_url", "smtps://mail.example?starttls=1"),
        ("mail_url", "smtp://user:secret@mail.example"),
        ("mail_url", "smtp://user:secret@mail.example:notaport?starttls=1"),
        ("mail_url", "smtps://user:pa#secret@mail.example"),
        ("mail_url", "smtps://user:25#secret@mail.example"),
        ("mail_url", "smtps://user:25/secret@mail.example"),
        ("mail_url", "smtps://user:25?secret@mail.example"),
        ("mail_url", "smtps://user:25 secret@mail.example"),
        ("mail_url", "smtps://user:[secret@mail.example"),
        ("mail_url", "smtps://user:secret\u2100@mail.example"),
        ("mail_url", "smtps://:secret@mail.example"),
        ("mail_url", "smtps://user:secret@mail.example:99999"),
        ("bounces_url", "https://user:secret@mail.example"),
        ("bounces_url", "imaps://mail.example"),
        ("bounces_url", "imaps://user@mail.example"),
        ("bounces_url", "imap://user:secret@mail.example"),
        ("bounces_url", "imaps://user:secret@mail.example?folder=INBOX"),
        ("bounces_url", "imaps://user:25#secret@mail.example"),
        ("sms_url", "secret"),
        ("sms_url", "json://user:25#secret@gateway.example/{to}"),
        ("sms_url", "json://user:[secret@gateway.example/{to}"),
        ("database_url", "secret"),
        ("database_url", "postgresql://user:secret@host:port/name"),
        ("database_url", "postgresql://user:secret@host:99999/name"),
        ("database_url", "postgresql://user:pass@secret@host/name"),
        ("database_url", "mysql://user:secret@host/name"),
        ("database_url", "sqlite+secret:///name"),
        ("limits_url", "secret"),
        ("limits_url", "pigeon://secret"),
        ("limits_url", "redis://:pa#secret@host:6379/0"),
        ("limits_url", "redis://:pa/secret@host:6379/0"),
        ("oidc_issuer", "secret"),
        ("oidc_issuer", "http://secret.example"),
        ("oidc_issuer", "https://[secret"),
    ],
)
def test_an_address_that_would_be_read_as_another_is_refused_without_its_secret(name: str, address: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(**{name: address})
    (sentence,) = str(refused.value).splitlines()
    assert sentence.startswith(f"BELEPO_{name.upper()}: ")
    assert "secret" not in sentence
    assert "pass" not in sentence.replace("password", "")


def test_what_is_escaped_in_an_address_is_meant() -> None:
    server = settings(mail_url="smtps://user:25%23p%40ss%2F@mail.example").mail_server
    assert server is not None
    assert (server.host, server.port, server.user, server.password) == ("mail.example", 465, "user", "25#p@ss/")
    assert "25#" not in repr(server)
    assert settings(mail_url="smtp://user:p@mail.example?starttls=1").mail_server.port == 587  # type: ignore[union-attr]
    assert settings().mail_server is None
    assert settings(database_url="postgresql://user:p%40ss@host/name").database.password == "p@ss"


@pytest.mark.parametrize(
    "address",
    [
        "redis://:password@host:6379/0",
        "redis+cluster://host-1:7000,host-2:7001",
        "redis+sentinel://:password@host-1:26379,host-2:26379/mymaster",
        "redis+unix:///var/run/redis.sock",
    ],
)
def test_a_store_of_the_limits_may_have_a_password_or_several_hosts(address: str) -> None:
    assert settings(limits_url=address).limits_url == address


def test_every_store_of_the_limits_can_be_named() -> None:
    shipped = {scheme for scheme, kind in SCHEMES.items() if kind.__module__.startswith("limits.")}
    schemes = sorted(scheme for scheme in shipped if not scheme.startswith("async+"))
    assert [settings(limits_url=f"{scheme}://").limits_url for scheme in schemes] == [f"{one}://" for one in schemes]


@pytest.mark.parametrize(
    "address",
    [
        "https://portal.example.hu/portal", "https://portal.example.hu?x=1", "https://portal.example.hu/?",
        "https://portal.example.hu/#x", "https://portal.example.hu x", " https://portal.example.hu",
        "https://user@portal.example.hu", "https://user:x@portal.example.hu", "https://portal.example.hu:port",
        "https://portal.example.hu:99999", "https://", "https:portal.example.hu", "ftp://portal.example.hu",
        "https://-\u00e9.example.hu", "https://[::1", "https://portal.example.hu\\evil",
    ],
)  # fmt: skip
def test_a_public_address_is_scheme_and_host_alone(address: str) -> None:
    with pytest.raises(SettingsError, match=r"^BELEPO_PUBLIC_URL: .*"):
        settings(public_url=address)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("HTTPS://Portal.Example.HU/", "https://portal.example.hu"),
        ("https://portal.example.hu:443", "https://portal.example.hu"),
        ("https://portal.example.hu:8443/", "https://portal.example.hu:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://ügyfél.example.hu", "https://xn--gyfl-dpa4i.example.hu"),
        ("https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_a_public_address_is_written_as_browsers_write_an_origin(address: str, origin: str) -> None:
    chosen = settings(public_url=address)
    assert chosen.public_url == origin
    assert chosen.is_https == origin.startswith("https:")


def test_a_value_that_cannot_be_is_said_in_words_of_our_own() -> None:
    for name, value in (("port", "99999"), ("port", "eighty"), ("demo", "perhaps"), ("log_level", "loud")):
        with pytest.raises(SettingsError, match=f"^BELEPO_{name.upper()}: ") as refused:
            settings(**{name: value})
        assert "Input should" not in str(refused.value)


def test_a_name_that_is_no_setting_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "belepo.env").write_text("BELEPO_DEMO=1\nBELEPO_WORKRES=2\nOTHERS=3\n", "utf-8")
    monkeypatch.setenv("BELEPO_TRUSTED_PROXY", "1")
    monkeypatch.setenv("BELEPO_XYZZY", "1")
    monkeypatch.setenv("BELEPO_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(main, ["migrate"])
    assert result.exit_code == 0
    assert [line for line in result.output.splitlines() if "Warning" in line] == [
        "Warning: There is no setting BELEPO_TRUSTED_PROXY; it is ignored. Did you mean BELEPO_TRUSTED_PROXIES?",
        "Warning: There is no setting BELEPO_WORKRES; it is ignored. Did you mean BELEPO_WORKERS?",
        "Warning: There is no setting BELEPO_XYZZY; it is ignored.",
    ]


def test_a_name_that_is_no_setting_is_told_by_doctor(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site()
    monkeypatch.setenv("BELEPO_TRUSTED_PROXY", "1")
    told = [finding.state for finding in examine(site.parts.settings) if finding.subject == "settings"]
    assert told == ["There is no setting BELEPO_TRUSTED_PROXY; it is ignored. Did you mean BELEPO_TRUSTED_PROXIES?"]


def test_a_mailbox_for_bounces_is_read_from_its_address() -> None:
    mailbox = settings(bounces_url="imaps://portal%40insurer.example:p%23w@mail.example/Vissza").bounces
    assert mailbox is not None
    assert (mailbox.host, mailbox.port, mailbox.is_encrypted) == ("mail.example", 993, True)
    assert (mailbox.user, mailbox.password, mailbox.folder) == ("portal@insurer.example", "p#w", "Vissza")
    assert "p#w" not in repr(mailbox)
    local = settings(bounces_url="imap://user:secret@localhost").bounces
    assert local is not None
    assert (local.port, local.is_encrypted, local.folder) == (143, False, "INBOX")
    assert settings().bounces is None
