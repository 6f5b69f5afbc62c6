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

from services.gateways.providers import open_provider
from services.keys import Keys, fault_of
from services.profiles import default, short_name
from services.profiles.problems import in_words
from webapp import service_urls
from webapp.service_urls import LOOPBACK, ImapServer, MailServer, is_of_this_machine

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

    demo: bool = Field(
        False,
        description="Demo mode: invented customers, endpoints for testers under `/dev`, a banner on every page.",
    )
    demo_anywhere: bool = Field(
        False,
        description=(
            "Lets demo mode listen on other addresses than this machine's own, and use a production server's settings."
        ),
    )
    profile: str = Field(
        default_factory=default,
        description="The profile's name, or the path of an insurer's own folder or of the `profile.toml` in it.",
    )
    hardened: bool = Field(
        False,
        description=(
            "Hardened values over those of the profile: codes of 6 digits that live 10 minutes, passwords of 15 "
            "characters and no rules on their composition."
        ),
    )
    data_dir: Path = Field(
        Path("instance"),
        description=(
            "The folder of the embedded database. The demonstration uses `instance`; give production another one."
        ),
    )
    database_url: str = Field(
        "",
        description=(
            "SQLAlchemy's URL, `sqlite:///…` or `postgresql://…`. By default a SQLite file in `BELEPO_DATA_DIR`, "
            "named after the profile."
        ),
    )
    limits_url: str = Field(
        "memory://",
        description="Where request limits are counted. Several processes or machines need `redis://…`.",
    )
    storage_url: str = Field(
        "",
        description=(
            "Where letters and files are kept: `folder:<path>`, or `s3://bucket/prefix` with the keys in the "
            "environment variables of AWS. By default the folder `files` in `BELEPO_DATA_DIR`."
        ),
    )
    print_folder: Path | None = Field(
        None,
        description=(
            "The folder into which the worker writes the lists of letters to be printed. Without it "
            "`belepo documents print-list` writes them. Demo mode uses the folder `print` in `BELEPO_DATA_DIR`."
        ),
    )
    scanner_url: str = Field(
        "",
        description=(
            "The virus scanner for files that customers add: a clamd at `tcp://host:port` or `unix:<path>`. While it "
            "is away, files wait and nobody opens them. By default files are not scanned."
        ),
    )
    payments_url: str = Field(
        "",
        description=(
            "The provider of card payments: `barion://POS-key@api.barion.com?payee=address` (the wallet's email "
            "address) or `simplepay://merchant:secret@secure.simplepay.hu`. The secrets are in it, `%`-encoded. For "
            "trying it out: `api.test.barion.com`, `sandbox.simplepay.hu`. Without it no card is offered; demo mode "
            "has a provider of its own."
        ),
    )
    demo_provider: str = Field(
        "",
        description=(
            "Where the demonstration's payment provider listens, `http://secret@127.0.0.1:port`. `belepo serve` starts "
            "one and sets it for its own processes; without it the provider answers within the server."
        ),
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    public_url: str = Field(
        "",
        description=(
            "Required. The address that links are built from: scheme and host (and port) alone. Customers' passkeys "
            "belong to its host and work at no other."
        ),
    )
    secret_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description=(
            "Required. Comma-separated, newest first; older ones still verify, so keys can be changed in service. The "
            "oldest one also keys the counters. Removing it resets every running count (mails and codes of the hour, "
            "wrong tries, waits after failed sign-ins) and the API's record of answered requests. Removing a key also "
            "ends the links, forms and sessions that it signed, and staff whose second factor it sealed need a new "
            "one."
        ),
    )
    mail_url: str = Field(
        "",
        description=(
            "Required. `smtp://…`, `smtps://…`, or `folder:<path>`. In a user or password `#` is `%23`, `/` is `%2F`, "
            "`?` is `%3F`, `@` is `%40`."
        ),
    )
    sms_url: str = Field(
        "",
        description=(
            "Required. An [apprise](https://github.com/caronc/apprise) address with `{to}` in place of the number, or "
            "`folder:<path>`."
        ),
    )
    bounces_url: str = Field(
        "",
        description=(
            "The mailbox to which mails come back that could not be delivered, `imaps://user:password@host/folder`: "
            "that of the profile's `mail_from`. The worker reads it and notes at each letter that its mail bounced. In "
            "a user or password `#` is `%23`, `/` is `%2F`, `?` is `%3F`, `@` is `%40`."
        ),
    )
    bcrypt_rounds: int = Field(
        12,
        ge=4,
        le=16,
        description="Cost of the password hash. Less than 10 is allowed in demo mode only.",
    )
    trust_clock: bool = Field(
        False,
        description=(
            "Time never runs back: where the machine's clock is behind the newest moment in the database, time "
            "continues from that moment, and `belepo doctor` says so. With `1` the machine's clock counts "
            "nevertheless. Use it for a database that was written while the clock was wrong, until that time is past."
        ),
    )
    sqlite_synchronous: Literal["FULL", "NORMAL", "EXTRA", "OFF"] = Field("FULL", description="SQLite's durability.")
    trusted_proxies: int = Field(0, ge=0, le=10, description="How many hops of `X-Forwarded-For` are believed.")
    workers: int = Field(1, ge=1, le=64, description="How many processes answer requests.")
    threads: int = Field(
        320,
        ge=4,
        le=1024,
        description=(
            "How many requests each process answers at once. Three quarters of them may wait for a password to be "
            "hashed; the next one gets 503 and a hint to try again. Under another WSGI server, give its number of "
            "threads."
        ),
    )
    requests_a_minute: int = Field(
        3000,
        ge=10,
        description="How many forms one address, or one /64 network of IPv6, may post in a minute.",
    )
    api_requests_a_minute: int = Field(600, ge=10, description="How many requests one API key may make in a minute.")
    oidc_issuer: str = Field(
        "",
        description=(
            "The company's OpenID provider, with which staff can sign in. Needs the client's id and secret too."
        ),
    )
    oidc_client_id: str = Field("", description="The id of this server at the OpenID provider.")
    oidc_client_secret: str = Field("", description="The secret of this server at the OpenID provider.")
    oidc_claim: str = Field(
        "email",
        description="The claim that names the staff account. An `email` must be a verified one.",
    )
    metrics_token: str = Field(
        "",
        description=(
            "With it, `/metrics` wants `Authorization: Bearer …`; without it, `/metrics` answers this machine alone."
        ),
    )
    webhooks_private: bool = Field(
        False,
        description=(
            "Whether webhooks may call addresses of private networks. Without it their names must lead to public "
            "addresses, or be this machine's."
        ),
    )
    traces_url: str = Field(
        "",
        description=(
            "Where traces of requests go: an OpenTelemetry collector that speaks OTLP over HTTP, such as "
            "`http://127.0.0.1:4318`. Needs the extra `traces`: `pip install 'belepo[traces]'`."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description=(
            "From which level on lines are logged; requests are `info`. Demo mode logs from `warning` on, unless it is "
            "set."
        ),
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How a line of the log is written: as text, or as a JSON object."
    )

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

    @field_validator("storage_url")
    @classmethod
    def _is_storage(cls, address: str) -> str:
        if address and not address.startswith("folder:"):
            service_urls.judge(address, ("s3",))
        return address

    @field_validator("scanner_url")
    @classmethod
    def _is_scanner(cls, address: str) -> str:
        if address and not address.startswith("unix:"):
            service_urls.judge(address, ("tcp",))
        return address

    @field_validator("payments_url")
    @classmethod
    def _is_provider(cls, address: str) -> str:
        if address:
            service_urls.judge(address, ("barion", "simplepay"))
            open_provider(address)
        return address

    @field_validator("mail_url")
    @classmethod
    def _is_mail_server(cls, address: str) -> str:
        if not address.startswith(("folder:", "demo:")):
            if not address.startswith(("smtp://", "smtps://")):
                raise ValueError("it must begin with smtp://, smtps:// or folder:")
            service_urls.mail_server(address)
        return address

    @field_validator("bounces_url")
    @classmethod
    def _is_mailbox(cls, address: str) -> str:
        if address:
            service_urls.imap_server(address)
        return address

    @field_validator("sms_url")
    @classmethod
    def _is_sms_service(cls, address: str) -> str:
        if not address.startswith(("folder:", "demo:")):
            service_urls.judge(address)
        return address

    @field_validator("traces_url")
    @classmethod
    def _is_collector(cls, address: str) -> str:
        if address:
            service_urls.judge(address, ("http", "https"))
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
        name = short_name(profile)
        given.setdefault("database_url", f"sqlite:///{folder / name}.sqlite3")
        given.setdefault("storage_url", f"folder:{folder / 'files' / name}")
        if str(given.get("demo", "")).lower() in {"1", "true", "yes", "on"}:
            given.setdefault("secret_keys", (_DEMO_KEY,))
            given.setdefault("print_folder", folder / "print" / name)
            given.setdefault("log_level", "warning")  # the greeting stays in sight
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

    @cached_property
    def bounces(self) -> ImapServer | None:
        """The mailbox to which undeliverable mails come back; None where none is read."""
        return service_urls.imap_server(self.bounces_url) if self.bounces_url else None

    @cached_property
    def keys(self) -> Keys:
        """The secret keys, from which each purpose has its own."""
        return Keys(self.secret_keys)

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
