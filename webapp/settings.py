"""Settings: typed, from BELEPO_… environment variables or a file, refused at start when something is wrong."""

import os
from collections.abc import Collection
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL

from services.keys import derived, fault_of
from services.profiles import default
from services.profiles.problems import in_words
from webapp import service_urls
from webapp.service_urls import LOOPBACK, MailServer, is_of_this_machine

_DEMO_KEY = "demo-mode-has-no-secrets-and-uses-this-key"
_FILE = "BELEPO_SETTINGS_FILE"
_LIMITS = (
    "memory", "redis", "rediss", "redis+unix", "redis+sentinel", "redis+cluster", "valkey", "valkeys", "valkey+unix",
    "valkey+sentinel", "valkey+cluster", "memcached", "mongodb", "mongodb+srv",
)  # fmt: skip
"""Where requests can be counted, as the library calls it."""
_MAKE_ONE = "Make a key with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"


class SettingsError(RuntimeError):
    """The server cannot start with these settings; the message says what to change."""


class Settings(BaseSettings):
    """Everything an operator decides. Each field is the environment variable BELEPO_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="BELEPO_", extra="ignore", frozen=True)

    demo: bool = False
    demo_anywhere: bool = False
    profile: str = Field(default_factory=default)
    hardened: bool = False
    data_dir: Path = Path("instance")
    database_url: str = ""
    limits_url: str = "memory://"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    public_url: str = ""
    secret_keys: Annotated[tuple[str, ...], NoDecode] = ()
    mail_url: str = ""
    sms_url: str = ""
    bcrypt_rounds: Annotated[int, Field(ge=4, le=16)] = 12
    trust_clock: bool = False
    sqlite_synchronous: Literal["FULL", "NORMAL", "EXTRA", "OFF"] = "FULL"
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    threads: Annotated[int, Field(ge=4, le=1024)] = 320
    requests_a_minute: Annotated[int, Field(ge=10)] = 3000
    api_requests_a_minute: Annotated[int, Field(ge=10)] = 600
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_claim: str = "email"
    metrics_token: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _as_origin(cls, address: str) -> str:
        return service_urls.public_origin(address)

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, address: str) -> str:
        service_urls.database(address)
        return address

    @field_validator("limits_url")
    @classmethod
    def _is_counted_in(cls, address: str) -> str:
        service_urls.judge(address, _LIMITS)
        return address

    @field_validator("mail_url")
    @classmethod
    def _is_mail_server(cls, address: str) -> str:
        if not address.startswith(("folder:", "demo:")):
            if not address.startswith(("smtp://", "smtps://")):
                raise ValueError("it must begin with smtp://, smtps:// or folder:")
            service_urls.mail_server(address)
        return address

    @field_validator("sms_url")
    @classmethod
    def _is_sms_service(cls, address: str) -> str:
        if not address.startswith(("folder:", "demo:")):
            service_urls.judge(address)
        return address

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, address: str) -> str:
        if address:
            service_urls.judge(address, ("https", "http"))
            if not address.startswith("https://") and not is_of_this_machine(address):
                raise ValueError("it must be an address that begins with https://")
        return address

    @model_validator(mode="before")
    @classmethod
    def _demo_defaults(cls, given: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in given.items() if value != ""}
        profile = str(given.get("profile", default()))
        folder = Path(given.get("data_dir", "instance"))
        # An insurer's own file is called profile.toml; its folder tells one insurer from another.
        name = Path(profile).resolve().parent.name if profile.endswith(".toml") else profile
        given.setdefault("database_url", f"sqlite:///{folder / name}.sqlite3")
        if str(given.get("demo", "")).lower() in {"1", "true", "yes", "on"}:
            given.setdefault("secret_keys", (_DEMO_KEY,))
            given.setdefault("mail_url", "demo:")
            given.setdefault("sms_url", "demo:")
            host = str(given.get("host", "127.0.0.1"))
            named = f"[{host}]" if ":" in host and not host.startswith("[") else host
            given.setdefault("public_url", f"http://{named}:{given.get('port', 8000)}")
        return given

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.demo:
            if self.host not in LOOPBACK and not self.demo_anywhere:
                raise ValueError(
                    f"Demo mode opens doors for testers, so it listens on this machine only, not on {self.host}. "
                    "Set BELEPO_HOST=127.0.0.1, or BELEPO_DEMO_ANYWHERE=1 if others are meant to reach it."
                )
            # Behind a proxy it listens on this machine only, and yet anybody reaches it.
            is_public = urlsplit(self.public_url).hostname not in LOOPBACK
            if is_public and self._has_real_messages and not self.demo_anywhere:
                raise ValueError(
                    "Demo mode opens doors for testers, and these are the settings of a server that writes to real "
                    f"people, {self.public_url}. Take BELEPO_DEMO away, or set BELEPO_DEMO_ANYWHERE=1 if you mean it."
                )
        else:
            self._refuse_weak_secrets()
        if not self.public_url:
            raise ValueError("BELEPO_PUBLIC_URL is needed: the address that links are built from, https://….")
        oidc = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(oidc) and not all(oidc):
            raise ValueError("BELEPO_OIDC_ISSUER, BELEPO_OIDC_CLIENT_ID and BELEPO_OIDC_CLIENT_SECRET go together.")
        for name, url in (("BELEPO_MAIL_URL", self.mail_url), ("BELEPO_SMS_URL", self.sms_url)):
            if not url:
                raise ValueError(f"{name} is needed: how messages leave, for example folder:/tmp/messages.")
            if url == "demo:" and not self.demo:
                raise ValueError(f"{name}=demo: works in demo mode only.")
        return self

    @property
    def _has_real_messages(self) -> bool:
        """Whether a message leaves this machine."""
        return not (is_of_this_machine(self.mail_url) and is_of_this_machine(self.sms_url))

    def _refuse_weak_secrets(self) -> None:
        if not self.secret_keys:
            raise ValueError(f"BELEPO_SECRET_KEYS is needed. {_MAKE_ONE}")
        for key in self.secret_keys:
            if fault := fault_of(key):
                raise ValueError(f"A key in BELEPO_SECRET_KEYS {fault}: anybody could guess it. {_MAKE_ONE}")
            if len(key) < 32 or len(set(key)) < 10 or key == _DEMO_KEY:
                raise ValueError("A key in BELEPO_SECRET_KEYS is too weak: give at least 32 random characters.")
        others = {"METRICS_TOKEN": self.metrics_token, "OIDC_CLIENT_SECRET": self.oidc_client_secret}
        for name, secret in others.items():
            if fault := fault_of(secret):
                raise ValueError(f"BELEPO_{name} {fault}: anybody could guess it.")
        if self.bcrypt_rounds < 10:
            raise ValueError("BELEPO_BCRYPT_ROUNDS is less than 10, which only demo mode allows.")

    @cached_property
    def database(self) -> URL:
        """The database's address, read."""
        return service_urls.database(self.database_url)

    @cached_property
    def mail_server(self) -> MailServer | None:
        """The server that mails go to; None where they go to a folder, or to the demonstration's inbox."""
        return service_urls.mail_server(self.mail_url) if self.mail_url.startswith(("smtp://", "smtps://")) else None

    def keys_for(self, purpose: str) -> tuple[str, ...]:
        """Return the keys that are good for one purpose alone, newest first."""
        return derived(self.secret_keys, purpose)

    def keys_known_for(self, purpose: str) -> tuple[str, ...]:
        """Return the keys for a purpose, then the operator's own, with which versions before 0.2 signed.

        For what outlives a deployment: sessions, mailed links, codes. The newest signs, so it is one for the purpose.
        """
        return (*self.keys_for(purpose), *self.secret_keys)

    @property
    def is_https(self) -> bool:
        """Whether customers reach the server over https."""
        return self.public_url.startswith("https:")

    @property
    def hashes_at_once(self) -> int:
        """How many requests may wait for a password to be hashed: a quarter of the threads is left for pages.

        Of the 320 that are the default, 240: two hundred customers at once all come through (security.md, Load).
        """
        return self.threads - self.threads // 4

    def cookie(self, name: str) -> str:
        """Return how a cookie is called: on https by a prefix with which no other host and no http page can set it."""
        return f"__Host-{name}" if self.is_https else name

    @property
    def is_quiet(self) -> bool:
        """Whether no message leaves this machine, so that handing one over takes no time."""
        return self.mail_url == self.sms_url == "demo:"

    @property
    def passkey_origin(self) -> str:
        """The origin that passkeys belong to: the public one; of this machine's own, that of its name.

        Browsers make passkeys for names alone, not for addresses in numbers (WebAuthn 3, 5.1.3, on effective domains).
        """
        public = urlsplit(self.public_url)
        if public.hostname not in LOOPBACK:
            return self.public_url
        return f"{public.scheme}://localhost{f':{public.port}' if public.port else ''}"

    def demo_file(self, name: str) -> Path:
        """Return where demo mode keeps `name` for every process on this database."""
        database = self.database
        if database.get_backend_name() == "sqlite":
            return Path(f"{database.database}.{name}.json")
        return self.data_dir / f"{database.host or 'local'}-{database.database}.{name}.json"


class ChosenProfile(BaseSettings):
    """Which insurer's rules, for commands that need nothing else."""

    model_config = SettingsConfigDict(env_prefix="BELEPO_", extra="ignore", frozen=True)

    profile: str = Field(default_factory=default)
    hardened: bool = False


def chosen_profile() -> ChosenProfile:
    """Read the choice of profile from where `load` reads everything."""
    return ChosenProfile(_env_file=_file())


def load(**given: Any) -> Settings:
    """Read the settings; `given` ones win over the environment, the environment over the file.

    The file is ``belepo.env`` in the working folder, or the one that BELEPO_SETTINGS_FILE names; it has a
    BELEPO_NAME=value on each line. Raises SettingsError with a plain sentence.
    """
    file = _file()
    if _FILE in os.environ and not Path(file).is_file():
        raise SettingsError(f"BELEPO_SETTINGS_FILE names {file}, which is not there.")
    try:
        return Settings(_env_file=file, **given)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from None


def unknown_names() -> list[str]:
    """Return a sentence for each name in the environment or the file that begins like a setting and is none."""
    in_file = DotEnvSettingsSource(Settings, env_file=_file()).env_vars
    given = {name.upper() for name in (*os.environ, *in_file)}
    known = {name.upper() for name in Settings.model_fields}
    unknown = {name.removeprefix("BELEPO_") for name in given - {_FILE} if name.startswith("BELEPO_")} - known
    return [_unknown(name, known) for name in sorted(unknown)]


def _unknown(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, 1)
    meant = f" Did you mean BELEPO_{close[0]}?" if close else ""
    return f"There is no setting BELEPO_{name}; it is ignored.{meant}"


def _file() -> str:
    return os.environ.get(_FILE, "belepo.env")


def _sentence(problem: ErrorDetails) -> str:
    what, mend = in_words(problem)
    where = "_".join(str(part) for part in problem["loc"])
    return f"BELEPO_{where.upper()}: {what}. {mend}".rstrip() if where else what
