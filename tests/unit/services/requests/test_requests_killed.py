"""The process is killed while a request is sent: it is a draft or sent, whole, with its mail, and never both."""

import random

from services.accounts import Session
from services.store.tables.messages import outbox
from services.store.tables.requests import request_drafts, request_events, requests
from tests.world.cast import ANNA
from tests.world.victims import Victims
from tests.world.world import World

KIND = "address-change"
ADDRESS = {"postal_code": "1137", "town": "Budapest", "street": "Fő utca 1."}
POINTS = ("requests.sending", "requests.sent")


def fill_in(world: World, session: Session) -> str:
    """Answer every question, and return the draft's id."""
    services = world.portal.requests
    offer = services.kinds.offer(session, KIND)
    first, second = offer.kind.pages
    services.drafts.save(session, offer, first, ADDRESS)
    return services.drafts.save(session, offer, second, {"from": services.drafts.reader.today.isoformat()}).id


def check(world: World) -> str:
    """Return what there is, a draft or a request, having looked that it is whole."""
    drafts, sent = world.rows(request_drafts), world.rows(requests)
    assert len(drafts) + len(sent) == 1
    assert {**ADDRESS, "from": (drafts or sent)[0].answers["from"]} == (drafts or sent)[0].answers
    assert len(world.rows(request_events)) == len(sent)
    mails = [row for row in world.rows(outbox) if row.message == "request_sent"]
    reminders = [row for row in world.rows(outbox) if row.message == "request_draft" and row.state == "waiting"]
    assert (len(mails), len(reminders)) == (len(sent), len(drafts))
    return "sent" if sent else "draft"


def test_killed_anywhere_it_is_sent_wholly_or_not_at_all_and_once(world: World, victims: Victims) -> None:
    world.registered(ANNA)
    session = world.signed_in(ANNA)
    chance, ends = random.Random(20), set()
    for number, point in enumerate((*POINTS, *("",) * 40)):
        draft = fill_in(world, session)
        offer = world.portal.requests.kinds.offer(session, KIND)
        answer = victims.take(
            world, "portal.requests.drafts", "send", session, offer, draft,
            statements=1000 if point else chance.randrange(16), crash_at=point,
        )  # fmt: skip
        ends.add((answer, found := check(world)))
        if number % 2 and found == "draft":  # the customer presses again
            world.portal.requests.drafts.send(session, offer, draft)
            assert check(world) == "sent"
        _forget(world)
    assert ends == {("killed", "draft"), ("killed", "sent"), ("ok", "sent")}


def _forget(world: World) -> None:
    with world.store.write() as connection:
        for table in (request_events, requests, request_drafts):
            connection.execute(table.delete())
        connection.execute(outbox.delete().where(outbox.c.message.in_(("request_sent", "request_draft"))))
