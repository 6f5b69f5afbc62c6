"""How an account ends: what belongs to it is erased, and the insurer's register stays as it is."""

from sqlalchemy import Connection, delete

from services.codes import one_time_codes
from services.messages.outbox import Outbox
from services.store.tables.accounts import account_changes, accounts, passkeys, password_resets, sessions
from services.store.tables.registrations import registrations as registrations_table


def erase(connection: Connection, outbox: Outbox, account_id: str, kutid: str) -> None:
    """Erase an account in a caller's transaction, which holds its row; what waits to be sent for it stays here."""
    for topic in ("activation", "reset", "address_new"):
        outbox.replace(connection, f"{topic}:{account_id}")
    outbox.replace(connection, one_time_codes.topic(kutid))
    for table in (sessions, password_resets, account_changes, passkeys):
        connection.execute(delete(table).where(table.c.account_id == account_id))
    connection.execute(delete(accounts).where(accounts.c.id == account_id))
    # Its registration too: without the account it would look unfinished, and its link would still open it.
    registrations = registrations_table
    erased = delete(registrations).where(registrations.c.kutid == kutid).returning(registrations.c.id)
    for registration_id in connection.execute(erased).scalars().all():
        outbox.replace(connection, f"confirm:{registration_id}")
