"""Which workers are alive; `services.heartbeats` writes it."""

from sqlalchemy import Column, String, Table

from services.store.declarations import Declarations
from services.store.tables.base import Moment, metadata

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("worker", String(255), primary_key=True),  # the machine's name
    Column("at", Moment, nullable=False),
)

DECLARED = Declarations()
