"""What every way of signing in has in common once the customer has proved who they are, or has failed to."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, exists, select

from services.accounts.account import Account, Device
from services.accounts.notices import Notices
from services.accounts.sessions import Sessions
from services.accounts.tries import Tries
from services.allowances import Allowances
from services.store import tables

_s = tables.sessions.c
_DEVICE_MAILS_AN_HOUR = 6


class Entrance:
    """Opens sessions in a caller's transaction, and counts those who were turned away."""

    def __init__(self, sessions: Sessions, tries: Tries, allowances: Allowances, notices: Notices) -> None:
        self._sessions = sessions
        self._tries = tries
        self._allowances = allowances
        self._notices = notices

    def knows(self, connection: Connection, account_id: str, device: Device) -> bool:
        """Tell whether the account has been signed in to on this device before."""
        earlier = exists().where(_s.account_id == account_id, _s.device_hash == device.hash)
        return bool(connection.execute(select(earlier)).scalar())

    def admit(
        self,
        connection: Connection,
        account: Account,
        device: Device,
        now: datetime,
        *conditions: ColumnElement[bool],
        is_known: bool,
        registered_here: str | None,
        kept: Mapping[str, str] | None,
    ) -> str | None:
        """Open a session and return what its browser is to hold; None when the conditions on the account fail.

        Earlier slips are forgotten, and a device that is new to the account is told of by mail.
        """
        token = self._sessions.open(connection, account, device, now, kept, *conditions)
        if token is not None:
            self._tries.forget(connection, self._tries.key(account.email_key, device.hash if is_known else ""))
            if not is_known and registered_here != account.registration_id:
                self._tell_of_device(connection, account, device, now)
        return token

    def turn_away(self, connection: Connection, device: Device, now: datetime) -> None:
        """Count a failure for the network that it came from."""
        self._tries.count(connection, self._tries.source_key(device.source), now, is_source=True)

    def _tell_of_device(self, connection: Connection, account: Account, device: Device, now: datetime) -> None:
        blocked = self._allowances.take_within(
            connection, "device mail", account.id, limit=_DEVICE_MAILS_AN_HOUR, window=timedelta(hours=1), now=now
        )
        if blocked is None:
            self._notices.tell(connection, "new_device", account, now, device=device.name)
