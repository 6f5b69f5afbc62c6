"""The letters' part of `make bench`: publishing, lists, downloads, the archive, encryption (portal's bars)."""

import resource
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import insert, select

from services.accounts import Session
from services.letters.mailbox import LetterFilter
from services.letters.publishing import NewLetter
from services.pdf import encrypted
from services.randomness import opaque_id
from services.store.engine import Store
from services.store.tables.letters import letters as letters_table
from tests.world.cast import ANNA, ESZTER, Customer
from tests.world.pdfs import pdf
from tests.world.world import World, world_in

MANY = 10_000
_PUBLISHED, _PACKED, _ENCRYPTED = 500, 5_000, 100
_FEW = 30
"""As many as fill one page: a shorter one would cost less for its fewer lines."""
_LARGE = pdf("x" * 200_000)


def letters(folder: Path) -> dict[str, float]:
    """Return what letters cost in this process: CPU in milliseconds, memory in MB."""
    world = world_in(folder, "letters")
    many, few = (_session(world, who) for who in (ANNA, ESZTER))
    before = _peak()
    figures = {"publishing, a second": _PUBLISHED / _cpu(lambda: _publish(world, ANNA, _PUBLISHED))}
    figures[f"publishing {_PUBLISHED}, MB more"] = _peak() - before
    _publish(world, ESZTER, _FEW)
    _multiply(world.store, MANY - _PUBLISHED)
    figures[f"a page of {_FEW}, ms"] = 1000 * _page(world, few)
    figures[f"a page of {MANY}, ms"] = 1000 * _page(world, many)
    large = world.portal.letters.publishing.publish(_letter(ESZTER), _LARGE, actor="insurer")
    download = min(_cpu(lambda: _read(world, few, large)) for _ in range(10))
    figures["a download of 200 kB, ms"] = 1000 * download
    before = _peak()
    figures[f"a ZIP's {_PACKED} letters, s"] = _cpu(lambda: _pack(world, many))
    figures["the ZIP's letters, MB more"] = _peak() - before
    figures["encrypting, a second"] = _ENCRYPTED / _cpu(lambda: [encrypted(_LARGE, "1234") for _ in range(_ENCRYPTED)])
    world.store.close()
    return figures


def _session(world: World, who: Customer) -> Session:
    world.registered(who)
    return world.signed_in(who)


def _letter(who: Customer) -> NewLetter:
    return NewLetter(who.kutid, "payment_request", "Díjbekérő", date(2026, 11, 20), "hu")


def _publish(world: World, who: Customer, count: int) -> None:
    for number in range(count):
        world.portal.letters.publishing.publish(_letter(who), pdf(f"letter {number}"), actor="insurer")


def _multiply(store: Store, count: int) -> None:
    """Write further rows of Anna's letters, which name the bytes that are there."""
    with store.write() as connection:
        own = connection.execute(select(letters_table).where(letters_table.c.kutid == ANNA.kutid).limit(1)).one()
        model, newest = dict(own._mapping), own.published_at
        rows = ({**model, "id": opaque_id(), "published_at": newest - timedelta(minutes=one)} for one in range(count))
        connection.execute(insert(letters_table), list(rows))


def _page(world: World, session: Session) -> float:
    return min(_cpu(lambda: world.portal.letters.mailbox.page(session, LetterFilter(), None)) for _ in range(20))


def _read(world: World, session: Session, letter_id: str) -> None:
    for _ in world.portal.letters.mailbox.file(session, letter_id, is_saved=False).chunks:
        pass


def _pack(world: World, session: Session) -> None:
    for _, content in islice(world.portal.letters.mailbox.archive(session, None), _PACKED):
        for _ in content.chunks if content else ():
            pass


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
