"""What customers see while something is broken, and that it recovers by itself (security.md, Faults)."""

import functools
import os
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import bcrypt
import pytest

from services.messages.outbox import Outbox
from services.passwords.hashing import Overloaded
from services.store.engine import Store
from tests.world.cast import ANNA, PASSWORD
from tests.world.site import Site
from tests.world.walk import FIRST, SECOND
from webapp import wiring
from webapp.cli.doctor import examine


@pytest.fixture
def impatient_site(make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that waits a moment only for a locked database."""
    monkeypatch.setattr(wiring, "Store", functools.partial(Store, busy_seconds=0.05))
    return make_site()


@contextmanager
def _locked(site: Site) -> Iterator[None]:
    holder = sqlite3.connect(str(site.parts.store.url.database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@pytest.mark.parametrize("language", ["hu", "en"])
def test_a_locked_database_is_a_page_and_passes(impatient_site: Site, language: str, htmx: bool) -> None:
    site = impatient_site
    visitor = site.visitor(language, htmx=htmx)
    visitor.walk_to("email")
    with _locked(site):
        page = visitor.send(email=ANNA.email, email_confirm=ANNA.email)
        assert page.status == 503
        assert page.headers["Retry-After"]
        assert site.say("page.503.heading", language) in page.text
        assert visitor.open(FIRST).step == "email", "reading goes on"
    assert visitor.send(email=ANNA.email, email_confirm=ANNA.email).step == "email-sent"


def test_a_guess_while_the_database_is_locked_is_not_looked_at(impatient_site: Site) -> None:
    site = impatient_site
    visitor = site.visitor()
    visitor.walk_to("sms-code")
    code = site.code(ANNA.mobile)
    with _locked(site):
        assert visitor.give_code(code).status == 503
    assert visitor.open(SECOND).step == "sms-code"
    assert visitor.give_code(code).step == "terms"


def test_without_the_store_of_limits_pages_work_and_limits_go_on(make_site: Callable[..., Site]) -> None:
    site = make_site(limits_url="redis://127.0.0.1:9/0", requests_a_minute=20)
    visitor = site.visitor()
    visitor.walk_to("done")
    answers = [visitor.post("/megjelenes", {"theme": "dark"}).status_code for _ in range(25)]
    assert answers.count(429) > 0


def test_while_the_store_of_limits_hangs_each_process_counts_alone(
    make_site: Callable[..., Site], redis: tuple[int, int], log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, process = redis
    moment = SimpleNamespace(monotonic=lambda: moment.now, now=0.0)
    monkeypatch.setattr("webapp.http.limits.time", moment)
    site = make_site(limits_url=f"redis://127.0.0.1:{port}/0", requests_a_minute=15)
    visitors = [site.visitor() for _ in range(20)]
    for visitor in visitors:
        visitor.open()
    os.kill(process, signal.SIGSTOP)
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda one: one.post("/megjelenes", {"theme": "dark"}).status_code, visitors))
    assert Counter(answers) == {303: 15, 429: 5}
    assert len([line for line in log if "each process counts alone" in line]) == 1
    assert "belepo_limits_alone 1.0" in site.app.test_client().get("/metrics").text
    # Nobody else waits for it meanwhile; a second later one request asks it.
    os.kill(process, signal.SIGCONT)
    assert visitors[0].post("/megjelenes", {"theme": "dark"}).status_code == 429
    moment.now = 1.5
    assert visitors[0].post("/megjelenes", {"theme": "dark"}).status_code == 303
    assert "the store of the limits answers again" in log
    assert "belepo_limits_alone 0.0" in site.app.test_client().get("/metrics").text


def test_without_the_store_of_limits_a_demonstration_is_reset_all_the_same(make_site: Callable[..., Site]) -> None:
    site = make_site(limits_url="redis://127.0.0.1:9/0", requests_a_minute=20)
    visitor = site.visitor()
    visitor.walk_to("email-sent")
    while visitor.post("/megjelenes", {"theme": "dark"}).status_code != 429:
        pass
    answer = site.app.test_client().post("/dev/reset")
    assert (answer.status_code, answer.get_json()) == (200, {"reset": True})
    assert not site.rows("registrations")
    assert visitor.post("/megjelenes", {"theme": "dark"}).status_code == 303


def test_an_unforeseen_failure_is_a_page_and_logs_no_values(
    site: Site, monkeypatch: pytest.MonkeyPatch, log: list[str], htmx: bool
) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("email")
    secret = "titkos@example.hu"

    def fail(*_: Any, **given: Any) -> None:
        raise LookupError(f"cannot write {secret}")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "put", fail)
        page = visitor.send(email=secret, email_confirm=secret)
    assert page.status == 500
    (line,) = [line for line in log if "LookupError" in line]
    assert line.split("reference=")[1].split()[0] in page.text
    assert not site.rows("registrations")[0].email, "all or nothing"
    assert visitor.open(FIRST).step == "email"


@contextmanager
def _hashing_at_its_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have as many passwords hashed as may be at once, until the block ends."""
    go_on, really, hasher = threading.Event(), bcrypt.hashpw, site.parts.accounts.hasher

    def held(*given: bytes) -> bytes:
        assert go_on.wait(30)
        return really(*given)

    with monkeypatch.context() as patch, ThreadPoolExecutor(site.parts.settings.hashes_at_once + 1) as people:
        patch.setattr(bcrypt, "hashpw", held)
        with suppress(Overloaded):
            while True:
                people.submit(hasher.hash, PASSWORD)
                hasher.refuse_overload()
        try:
            yield
        finally:
            go_on.set()


@pytest.fixture
def small_site(make_site: Callable[..., Site]) -> Site:
    """A site that hashes three passwords at once."""
    return make_site(threads=4)


def test_too_many_passwords_at_once_are_told_to_wait(small_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = small_site.visitor()
    visitor.walk_to("password")
    with _hashing_at_its_limit(small_site, monkeypatch):
        assert visitor.give_password(PASSWORD).status == 503
    assert visitor.open(SECOND).step == "password"
    assert visitor.give_password(PASSWORD).step == "done"


def test_a_sign_in_that_cannot_be_looked_at_counts_as_no_try(small_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    small_site.open_account()
    visitor = small_site.visitor()
    visitor.open("/belepes")
    with _hashing_at_its_limit(small_site, monkeypatch):
        for _ in range(7):
            assert visitor.post("/belepes", {"email": ANNA.email, "password": PASSWORD}).status_code == 503
    assert visitor.post("/belepes", {"email": ANNA.email, "password": PASSWORD}).status_code == 303


def test_two_hundred_at_once_come_through_and_pages_keep_80_threads(site: Site) -> None:
    assert site.parts.settings.hashes_at_once == 240


def test_few_threads_leave_some_for_pages_too(make_site: Callable[..., Site]) -> None:
    assert make_site(threads=4).parts.settings.hashes_at_once == 3


def test_readiness_tells_of_the_database(
    site: Site, make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.app.test_client().get("/healthz").data == b"ok"
    assert site.app.test_client().get("/readyz").status_code == 200
    fresh = make_site()
    with fresh.parts.store.write() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert fresh.app.test_client().get("/healthz").status_code == 200
    assert fresh.app.test_client().get("/readyz").status_code == 503


def test_readiness_and_doctor_tell_of_a_file_that_only_reads(make_site: Callable[..., Site]) -> None:
    site = make_site()
    file = site.parts.store.url.database or ""
    site.parts.store.close()
    with open(file, "r+b") as header:
        header.seek(18)
        header.write(b"\x03")  # a form of the file that this SQLite can read and not write
    assert site.app.test_client().get("/readyz").status_code == 503
    (found,) = [one for one in examine(site.parts.settings) if one.subject == "database"]
    assert found.is_bad
    assert "SQLITE_READONLY" in found.state


def test_a_writer_at_work_is_no_outage(site: Site) -> None:
    with _locked(site):
        assert site.app.test_client().get("/readyz").status_code == 200
