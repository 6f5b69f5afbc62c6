"""Many at once, on both databases: one draft of a kind, sent once, in one state (P35, P36)."""

from collections import Counter
from datetime import date
from functools import partial

import pytest
from sqlalchemy import Connection

from services.requests.drafts import working_days_after
from services.requests.group import build_requests
from services.requests.kinds import Offer
from services.store.engine import Store
from services.store.tables.register import advisers
from services.store.tables.requests import request_drafts, request_events, requests
from tests.world.cast import ANNA
from tests.world.outcomes import at_once, outcome_of
from tests.world.world import World, move_in

ADDRESS = {"postal_code": "1137", "town": "Budapest", "street": "Fő utca 1."}


class Desk:
    """A customer with two browsers, and the insurer's side."""

    def __init__(self, store: Store) -> None:
        move_in(store)
        self.world = World(store)
        self.services = self.world.portal.requests
        self.world.registered(ANNA)
        self.session = self.world.signed_in(ANNA)

    @property
    def offer(self) -> Offer:
        return self.services.kinds.offer(self.session, "address-change")

    def fill_in(self) -> str:
        """Answer every question, and return the draft's id."""
        first, second = self.offer.kind.pages
        self.services.drafts.save(self.session, self.offer, first, ADDRESS)
        today = self.services.drafts.reader.today.isoformat()
        return self.services.drafts.save(self.session, self.offer, second, {"from": today}).id

    def send(self, draft: str) -> None:
        self.services.drafts.send(self.session, self.offer, draft)

    def rows(self, table: object) -> list[object]:
        with self.world.store.read() as connection:
            return list(connection.execute(table.select()))  # type: ignore[attr-defined]

    def mails(self, message: str) -> int:
        subject = self.world.profile.texts.say(f"mail.{message}.subject", "hu")
        return sum(letter.subject == subject for letter in self.world.letters("email", ANNA.email))


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def test_of_twelve_that_begin_there_is_one_draft(desk: Desk) -> None:
    offer = desk.offer
    at_once([partial(desk.services.drafts.begin, desk.session, offer)] * 12)
    assert len(desk.rows(request_drafts)) == 1


def test_of_twelve_that_send_one_does(desk: Desk) -> None:
    draft = desk.fill_in()
    sent = at_once([partial(outcome_of, desk.send, draft)] * 12)
    assert Counter(sent) == {"ok": 1, "out_of_turn": 11}
    assert (len(desk.rows(requests)), len(desk.rows(request_events)), desk.rows(request_drafts)) == (1, 1, [])
    assert desk.mails("request_sent") == 1


def test_it_is_withdrawn_or_taken_never_both(desk: Desk) -> None:
    draft = desk.fill_in()
    desk.send(draft)
    withdraw = partial(outcome_of, desk.services.own.withdraw, desk.session, draft)
    take = partial(outcome_of, desk.services.handling.take, draft, actor="core")
    assert sorted(at_once([withdraw, take])) == ["ok", "out_of_turn"]
    _, events = desk.services.handling.find(draft)
    assert len(events) == 2


def test_what_comes_out_of_order_is_out_of_turn(desk: Desk) -> None:
    draft = desk.fill_in()
    desk.send(draft)
    handling = desk.services.handling
    for deed in (handling.ask, handling.answer, handling.close):
        assert outcome_of(partial(deed, actor="core"), draft, "Igen.") == "out_of_turn"
    handling.take(draft, actor="core")
    assert outcome_of(partial(handling.take, actor="staff"), draft) == "out_of_turn"
    handling.answer(draft, "Kész.", actor="core")
    handling.close(draft, actor="core")
    for deed in (handling.ask, handling.answer, handling.close):
        assert outcome_of(partial(deed, actor="core"), draft, "Igen.") == "out_of_turn"


def test_the_last_deed_again_changes_nothing(desk: Desk) -> None:
    draft = desk.fill_in()
    desk.send(draft)
    handling = desk.services.handling
    deeds = (
        partial(handling.take, actor="core", number="KB-1"),
        partial(handling.ask, text="Igen?", actor="core"),
        partial(handling.answer, text="Kész.", actor="core"),
        partial(handling.close, text="Vége.", actor="core"),
    )
    for deed in deeds:
        assert at_once([partial(outcome_of, deed, draft)] * 4) == ["ok"] * 4
    found, events = handling.find(draft)
    assert (found.state, len(events)) == ("closed", 5)
    assert desk.mails("request_answered") == 1
    assert outcome_of(deeds[0], draft) == "out_of_turn"


def test_a_repeated_deed_with_other_words_is_another(desk: Desk) -> None:
    draft = desk.fill_in()
    desk.send(draft)
    handling = desk.services.handling
    handling.take(draft, actor="core", number="KB-1")
    assert outcome_of(partial(handling.take, actor="core", number="KB-2"), draft) == "out_of_turn"
    handling.ask(draft, "Igen?", actor="core")
    assert outcome_of(partial(handling.ask, actor="core"), draft, "Nem?") == "out_of_turn"


def test_an_adviser_reaches_the_requests_of_their_own_customers_alone(desk: Desk) -> None:
    draft = desk.fill_in()
    desk.send(draft)
    handling = desk.services.handling
    assert outcome_of(partial(handling.find, adviser="A-1"), draft) == "out_of_turn"
    assert outcome_of(partial(handling.take, actor="core", adviser="A-1"), draft) == "out_of_turn"
    with desk.world.store.write() as connection:
        connection.execute(advisers.insert().values(kutid=ANNA.kutid, adviser="A-1"))
    assert outcome_of(partial(handling.take, actor="core", adviser="A-1"), draft) == "ok"


def test_a_question_without_words_and_a_foreign_letter_are_refused(desk: Desk) -> None:
    draft = desk.fill_in()
    desk.send(draft)
    handling = desk.services.handling
    handling.take(draft, actor="core")
    assert outcome_of(partial(handling.ask, actor="core"), draft, "  ") == "request.text"
    assert outcome_of(partial(handling.answer, actor="core"), draft, None, ["no-such-letter"]) == "request.letter"
    found, _ = handling.find(draft)
    assert found.state == "taken"


class Shelf:
    """Files of requests, as the service that receives them hands them over."""

    def __init__(self) -> None:
        self.files: list[tuple[str, str]] = []
        self.submitted: list[str] = []

    def all(self, owner: str, question: str) -> list[object]:
        return [file for file in self.files if file == (owner, question)]

    def submit(self, connection: Connection, owner: str) -> None:
        self.submitted.append(owner)


def test_files_are_asked_for_where_somebody_receives_them_and_go_with_the_request(desk: Desk) -> None:
    shelf, world = Shelf(), desk.world
    portfolio = world.portal.contracts.portfolio
    services = build_requests(
        world.base, messages=world.message_services, limits=world.limits, portfolio=portfolio, files=shelf
    )
    asked = [page.id for page in services.kinds.find("claim-motor").pages]
    assert "photos" in asked
    without = build_requests(world.base, messages=world.message_services, limits=world.limits, portfolio=portfolio)
    assert "photos" not in [page.id for page in without.kinds.find("claim-motor").pages]
    draft = desk.fill_in()
    shelf.files = [(draft, "photos")] * 2
    assert services.drafts.count_files(draft, "photos") == 2
    services.drafts.send(desk.session, services.kinds.offer(desk.session, "address-change"), draft)
    assert shelf.submitted == [draft]


def test_a_promise_counts_working_days() -> None:
    friday = date(2026, 11, 27)
    assert working_days_after(friday, 1) == date(2026, 11, 30)
    assert working_days_after(friday, 6) == date(2026, 12, 7)
    assert working_days_after(friday, 0) == friday
