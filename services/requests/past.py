"""Puts in requests as if they had been made a while ago: a demonstration has a past (P56). No mail leaves."""

from collections.abc import Sequence

from sqlalchemy import insert

from services.requests import rows
from services.requests.request import Event, Request
from services.store.engine import Store
from services.store.tables.requests import requests


def add_past_requests(store: Store, past: Sequence[tuple[Request, Sequence[Event]]]) -> None:
    """Put in these requests, each with what has happened to it, oldest first."""
    with store.write() as connection:
        for request, events in past:
            connection.execute(insert(requests).values(**vars(request)))
            for one in events:
                rows.note(connection, request.id, one.type, one.at, one.actor, text=one.text, letters=one.letters)
