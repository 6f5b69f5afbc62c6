"""The feed of events, for the insurer's own systems (P42)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.clients import ApiKey
from services.events import TYPES
from services.events.feed import MOST
from webapp.api.operation import operation
from webapp.parts import current_parts

Given = tuple[Any, Mapping[str, str]]

_LARGEST = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8259, 6)."""


class EventQuery(BaseModel):
    """Which events to read."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=_LARGEST)] = Field(
        default=0, description="Leave out the events up to this number: the `next` of the answer before."
    )
    limit: Annotated[int, Field(ge=1, le=MOST)] = Field(
        default=100, description="The largest number of events to answer with."
    )


class FeedEvent(BaseModel):
    """Something that happened."""

    model_config = ConfigDict(extra="forbid")

    id: int = Field(description="Its number: later events have greater ones.", examples=[17])
    type: str = Field(description=f"One of {', '.join(f'`{one}`' for one in TYPES)}.", examples=["document.opened"])
    at: datetime
    data: dict[str, str | int] = Field(
        description="Ids: `document`, `request`, `file` or `invoice`, sometimes with one more, such as `payment`. "
        "`by` says who answered a request: `customer` or `insurer`. "
        "`contact_change` is a number of `belepo export contact-changes`.",
        examples=[{"document": "m0Bk9cXq2SgJH3hE5T1vDw"}],
    )


class Events(BaseModel):
    """Events in the order of their numbers."""

    model_config = ConfigDict(extra="forbid")

    events: list[FeedEvent]
    next: int = Field(description="Where to read on: the next request's `after`.", examples=[17])


@operation("GET", "/events", scope="events", gives=Events, query=EventQuery)
def read_events(client: ApiKey, query: EventQuery) -> Given:
    """Read what happened. In order, each event once, as often as you like: send the `next` of one answer as the
    `after` of the next request. Numbers grow, not always by one. Nothing new answers an empty list. Events hold ids;
    the operations on documents and invoices tell the rest. An adviser's key reads of its own customers alone.
    """
    page = current_parts().clients.events.feed.read(query.after, query.limit, adviser=client.adviser)
    shown = [FeedEvent(id=one.number, type=one.type, at=one.at, data=dict(one.data)) for one in page.events]
    return Events(events=shown, next=page.next), {}
