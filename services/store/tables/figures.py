"""Counts of the funnel; `services.figures` writes them."""

from sqlalchemy import (
    Column,
    Date,
    Integer,
    String,
    Table,
)

from services.store.declarations import Declarations, RetentionRule
from services.store.tables.base import metadata

figures = Table(
    "figures",
    metadata,
    Column("day", Date, primary_key=True),  # in the insurer's time zone
    Column("channel", String(16), primary_key=True),  # web, service, adviser, api
    Column("browser", String(32), primary_key=True),  # its family; empty where staff did it
    Column("step", String(64), primary_key=True),
    Column("what", String(16), primary_key=True),  # entered, finished, refused, stopped
    Column("error", String(64), primary_key=True),  # of a refusal or a dead end; else empty
    Column("count", Integer, nullable=False),
)

DECLARED = Declarations(
    retention=(
        # A day at a time.
        RetentionRule("figures", figures.c.day, figures.c.day, kept_for=lambda profile: profile.retention.figures),
    ),
)
