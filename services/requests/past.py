"""Puts in requests as if they had been made a while ago: a demonstration has a past (P56). No mail leaves."""

from collections.abc import Sequence

from services.requests import rows
from services.requests.request import Event, Request
from services.store.engine import Store
from services.store.statements import insert_for
from services.store.tables.requests import requests


def add_past_requests(store: Store, past: Sequence[tuple[Request, Sequence[Event]]]) -> None:
    """Put in these requests, each with what has happened to it, oldest first; one that is there already stays.

    Several processes of a demonstration may begin at once.
    """
    with store.write() as connection:
        for request, events in past:
            unless_there = insert_for(connection, requests).values(**vars(request)).on_conflict_do_nothing()
            is_new = bool(connection.execute(unless_there).rowcount)
            for one in events if is_new else ():
                rows.note(connection, request.id, one.type, one.at, one.actor, text=one.text, letters=one.letters)
