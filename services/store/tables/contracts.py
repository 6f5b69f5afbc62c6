"""Calendar feeds of contracts; `services.contracts` writes them. The contracts themselves are the register's."""

from sqlalchemy import Column, ForeignKey, String, Table

from services.store.declarations import Declarations, ErasedRows, newest
from services.store.tables.base import Moment, metadata

calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    # One an account: a new address takes the place of the old one, which then leads nowhere (P8).
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),  # the address holds it, signed
    Column("created_at", Moment, nullable=False),
)

DECLARED = Declarations(
    erased_with_account=(ErasedRows(calendar_feeds.c.account_id, "account_id"),),
    written=(newest(calendar_feeds.c.created_at),),
)
