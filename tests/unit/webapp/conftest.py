"""The site that the tests visit, emptied before each, and the log handler that raises on any known secret."""

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.store.migrate import migrate
from tests.world.redis_server import redis_server
from tests.world.site import Secrets, Site, Visitor
from webapp.application import create_app
from webapp.demo import seed
from webapp.settings import load

QUICK = {"bcrypt_rounds": 4, "sqlite_synchronous": "OFF", "requests_a_minute": 1_000_000}


class SecretLogged(AssertionError):
    """A secret stood in a log."""


class _Guard(logging.Handler):
    def __init__(self, secrets: Secrets) -> None:
        super().__init__(logging.DEBUG)
        self._secrets = secrets
        self.found: list[str] = []
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self.lines.append(line)
        without_ids = re.sub(r"(?<![\w-])[\w-]{22}(?![\w-])", "", line)
        for secret in tuple(self._secrets.known):
            # A code of four digits is not the number of a line of code, nor a piece of a longer number or of an id.
            if re.search(rf"(?<![\d:]){re.escape(secret)}(?!\d)", without_ids if secret.isdigit() else line):
                self.found.append(f"{record.name}: {record.msg}")
                raise SecretLogged(self.found[-1])
        if "\n" in record.getMessage() or "\r" in record.getMessage():
            self.found.append(f"{record.name}: a forged line")
            raise SecretLogged(self.found[-1])


@pytest.fixture
def secrets() -> Secrets:
    """What this test has typed and received."""
    return Secrets()


@pytest.fixture(autouse=True)
def log(secrets: Secrets) -> Iterator[list[str]]:
    """Every line logged; one with a secret raises where it is logged, and fails the test besides."""
    guard, root = _Guard(secrets), logging.getLogger()
    before = root.level
    root.addHandler(guard)
    root.setLevel(logging.DEBUG)
    yield guard.lines
    root.setLevel(before)
    root.removeHandler(guard)
    assert not guard.found


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = _made(tmp_path_factory.mktemp("site"))
    yield site
    site.parts.store.close()


@pytest.fixture
def site(_shared: Site, secrets: Secrets) -> Site:
    """The site in demo mode, with the demo customers and nothing else."""
    _shared.secrets = secrets
    _shared.empty()
    return _shared


@pytest.fixture(scope="session")
def _shared_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    sites: dict[str, Site] = {}

    def of(profile: str) -> Site:
        if profile not in sites:
            sites[profile] = _made(tmp_path_factory.mktemp(profile), profile=profile)
        return sites[profile]

    yield of
    for site in sites.values():
        site.parts.store.close()


@pytest.fixture
def site_of(_shared_of: Callable[[str], Site], secrets: Secrets) -> Callable[[str], Site]:
    """The site of another insurer's profile, with its demo customers and nothing else."""

    def of(profile: str) -> Site:
        site = _shared_of(profile)
        site.secrets = secrets
        site.empty()
        return site

    return of


@pytest.fixture
def make_site(tmp_path: Path, secrets: Secrets) -> Iterator[Callable[..., Site]]:
    """Make a site of one's own with other settings; a second one on the same database is a restart."""
    sites: list[Site] = []

    def make(**settings: Any) -> Site:
        sites.append(_made(tmp_path, secrets, **settings))
        return sites[-1]

    yield make
    for site in sites:
        site.parts.store.close()


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """A browser without JavaScript."""
    return site.visitor()


@pytest.fixture(params=[False, True], ids=["plain", "htmx"])
def htmx(request: pytest.FixtureRequest) -> bool:
    """Whether forms are sent by htmx."""
    return bool(request.param)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A Redis on loopback, by its port and its process."""
    with redis_server(tmp_path) as found:
        yield found


def _made(folder: Path, secrets: Secrets | None = None, **settings: Any) -> Site:
    app = create_app(load(**{"demo": True, "data_dir": str(folder), **QUICK, **settings}))
    site = Site(app, secrets or Secrets())
    migrate(site.parts.store)
    site.wait_for_morning()
    seed.load(site.parts.store, site.parts.profile, site.parts.clock, 4)
    return site
