"""Days of contracts as a calendar (RFC 5545): the product's name and the day, nothing else of the customer (P8)."""

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from icalendar import Calendar, Event

from services.contracts.contract import Contract, KeyDate
from webapp.parts import current_parts
from webapp.portal.contract_lines import name_of
from webapp.ui.language import language, say

_REFRESHED = timedelta(hours=12)


def calendar(days: Iterable[tuple[Contract, KeyDate]]) -> bytes:
    """Return the days of contracts as a file in the request's language, an event of a whole day each."""
    parts, t = current_parts(), say()
    host = urlsplit(parts.settings.public_url).hostname or "localhost"
    made = Calendar()
    made.add("prodid", "-//belepo//contracts//")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", parts.profile.texts.facts(language())["insurer"])
    made.add("refresh-interval", _REFRESHED, parameters={"VALUE": "DURATION"})
    for contract, day in days:
        event = Event()
        # A day that moves within its year stays the same event.
        event.add("uid", f"{contract.id}-{day.kind}-{day.on.year}@{host}")
        event.add("dtstamp", parts.clock.now().replace(microsecond=0))
        event.add("dtstart", day.on)
        event.add("dtend", day.on + timedelta(days=1))
        event.add("summary", t.plain(f"contract.calendar.event.{day.kind}", product=name_of(contract)))
        event.add("transp", "TRANSPARENT")  # nobody is busy by it
        made.add_component(event)
    return bytes(made.to_ical())
