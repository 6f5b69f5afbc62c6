"""The process is killed while it publishes: no letter without its mail, no mail without its letter, none twice."""

import hashlib
import random
from datetime import date
from pathlib import Path

from services.letters.publishing import NewLetter
from services.store.tables.letters import letter_events, letters
from services.store.tables.messages import outbox
from tests.world.cast import ANNA
from tests.world.pdfs import pdf
from tests.world.victims import Victims
from tests.world.world import World

POINTS = ("letters.kept", "letters.writing", "letters.written")
LETTER = NewLetter(
    kutid=ANNA.kutid, type="policy", title="Kötvény", issued_on=date(2026, 11, 20), language="hu", once="0" * 64
)


def check(world: World, folder: Path) -> int:
    """Return how many letters there are, having looked that each is whole."""
    found = world.rows(letters)
    assert len(found) <= 1
    assert len([row for row in world.rows(letter_events) if row.type == "published"]) == len(found)
    assert len([row for row in world.rows(outbox) if row.message == "document"]) == len(found)
    for row in found:
        content = (folder / "letters" / row.sha256).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row.sha256
    return len(found)


def test_killed_anywhere_a_letter_is_whole_or_absent_and_published_once(
    world: World, victims: Victims, tmp_path: Path
) -> None:
    world.registered(ANNA)
    world.keep_letters_in(tmp_path)
    chance, ends = random.Random(11), set()
    for number, point in enumerate((*POINTS, *("",) * 40)):
        answer = victims.take(
            world, "portal.letters.publishing", "publish", LETTER, pdf(),
            statements=1000 if point else chance.randrange(18), crash_at=point, letters_in=tmp_path, actor="client:G3",
        )  # fmt: skip
        ends.add((answer, check(world, tmp_path)))
        if number % 2:  # the insurer's system repeats what was not answered
            world.portal.letters.publishing.publish(LETTER, pdf(), actor="client:G3")
            assert check(world, tmp_path) == 1
        _forget(world)
    assert ends == {("killed", 0), ("killed", 1), ("ok", 1)}


def _forget(world: World) -> None:
    with world.store.write() as connection:
        for table in (letter_events, letters):
            connection.execute(table.delete())
        connection.execute(outbox.delete().where(outbox.c.message == "document"))
