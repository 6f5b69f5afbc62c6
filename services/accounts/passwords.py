"""Changing the password, and setting a new one when it is forgotten (M24, M26, M30, M31)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, String, bindparam, delete, select, update

from services import audit, randomness
from services.accounts.account import Account, DeadLink, Session, SignedOut
from services.accounts.mails import AccountMails
from services.accounts.password_checks import PasswordChecks
from services.accounts.sessions import ACCOUNT, IS_PROVED, Sessions, account_from
from services.base import Base
from services.crash_points import reach
from services.limits.group import LimitServices
from services.limits.waits import CUSTOMER, PROVED
from services.passwords import Hasher, Rule, judge
from services.refusal import OutOfTurn, Refusal
from services.register.conditions import all_numbers
from services.store.statements import insert_for
from services.store.tables.accounts import account_changes, accounts, activations, passkeys, password_resets
from services.store.tables.accounts import sessions as sessions_table
from services.values.email_addresses import EmailAddress
from services.values.networks import network_of

_CODE_MAILED_AT = (
    select(activations.c.mailed_at)
    .where(activations.c.account_id == accounts.c.id)
    .scalar_subquery()
    .label("code_mailed_at")
)
_NUMBERS = all_numbers(bindparam("kutid", type_=String))


@dataclass(frozen=True)
class Reset:
    """A mailed link by which a new password can be set, while it lives."""

    account: Account
    expires_at: datetime


class PasswordChanges:
    """The verbs around an account's password. A hash is made between two transactions, never inside one."""

    def __init__(
        self,
        base: Base,
        *,
        sessions: Sessions,
        limits: LimitServices,
        password_checks: PasswordChecks,
        account_mails: AccountMails,
        hasher: Hasher,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._rules = base.profile.password
        last = max(1, base.profile.registration.mails_an_hour - 1)
        self._places = range(min(1, last - 1), last)
        self._sessions = sessions
        self._failed_attempts = limits.failed_attempts
        self._password_checks = password_checks
        self._allowances = limits.allowances
        self._account_mails = account_mails
        self._hasher = hasher
        self.forbidden: list[Callable[[Account, str], bool]] = []
        """Tell of a password that it opens something else of the customer's; other packages add to it."""

    def judge(self, account: Account, password: str) -> list[Rule]:
        """Return every rule for a new password with its verdict on `password`."""
        with self._store.read() as connection:
            identifiers = list(connection.execute(_NUMBERS, {"kutid": account.kutid}).scalars())
        return judge(password, self._rules, email=account.email, name=account.name, identifiers=identifiers)

    def possible_from(self, account: Account) -> datetime:
        """Return the moment from which the password can be changed (M26)."""
        return account.password_changed_at + self._rules.change_wait

    def change(self, session: Session, current: str, new: str) -> str:
        """Change the password; return what the browser is to hold from now on, all other sessions end.

        Raises Refusal ``password.too_soon`` with `moment`, ``current_password.…`` or ``password.…``; SignedOut.
        """
        account = session.account
        self._refuse_too_soon(account)
        self._password_checks.password(session, current)
        self._refuse_weak(account, new)
        if new == current or self._hasher.is_password(new, account.password_hash):
            raise Refusal("password", "same")
        hashed = self._hasher.hash(new)
        token = self._take_new(session, hashed)
        if token is None:
            return self._after_another(session, new)
        reach("accounts.password_changed")
        return token

    @property
    def links_an_hour(self) -> int:
        """How many links a customer can have mailed within an hour at most."""
        return len(self._places)

    def ask_for_reset(self, address: EmailAddress, language: str, *, source: str = "") -> None:
        """Mail a link for a new password to the address, if it has an account. The caller learns nothing.

        `source` is the network address of the request. In an hour it causes mails to a limited number of addresses
        without an account; else anybody could have this server write to thousands of strangers.

        A newer link kills the older one. An address without an account gets one mail a day that says so; so does an
        address whose account waits for its activation code. No address gets more mails an hour than the profile
        allows; the newest link that was mailed stays good then. One mail of the hour stays free for the notice of a new
        device, and the last one for a registration's success, which is not counted.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            row = connection.execute(
                ACCOUNT.add_columns(_CODE_MAILED_AT)
                .where(accounts.c.email_key == address.key)
                .with_for_update(of=accounts)
            ).first()
            first, last = self._places.start, self._places.stop
            if self._allowances.take_mail(connection, address.key, limit=last, now=now, spare=first) is not None:
                return
            if row is not None and row.code_mailed_at is None:
                self._mail_reset(connection, account_from(row._mapping), now)
            elif self._may_write_to_stranger(connection, address, source, now):
                # The mail goes to the stored address, letter by letter, and to no other spelling.
                to, spoken = (row.email, row.language) if row else (address.typed, language)
                ends_at = row.code_mailed_at + self._profile.retention.unactivated if row else None
                self._account_mails.mail_unproved(connection, to, spoken, now, ends_at=ends_at)

    def send_reset(self, connection: Connection, kutid: str, now: datetime) -> None:
        """Mail the same link for a customer who asked staff for it, in the transaction that records this (M30).

        Raises Refusal ``email.too_many`` with `at`, or OutOfTurn when the customer has no account, or one that waits
        for its activation code.
        """
        row = connection.execute(
            ACCOUNT.where(accounts.c.kutid == kutid, IS_PROVED).with_for_update(of=accounts)
        ).first()
        if row is None:
            raise OutOfTurn
        account = account_from(row._mapping)
        limit = self._profile.registration.mails_an_hour
        is_full = self._allowances.take_mail(connection, account.email_key, limit=limit, now=now)
        if is_full:
            raise Refusal("email", "too_many", at=is_full)
        self._mail_reset(connection, account, now)

    def find_reset(self, link_id: str) -> Reset | None:
        """Return what a link opens if it is the newest, unused and in time. Nothing changes."""
        now = self._clock.now()
        statement = (
            ACCOUNT.add_columns(password_resets.c.expires_at)
            .join(password_resets, password_resets.c.account_id == accounts.c.id)
            .where(*_is_good(link_id, now))
        )
        with self._store.read() as connection:
            row = connection.execute(statement).first()
        return Reset(account_from(row._mapping), row.expires_at) if row else None

    def reset(self, link_id: str, new: str) -> str:
        """Set a new password by the mailed link, once; every session ends and every wait after failed sign-ins too.

        The account's passkeys go as well: somebody who knew the old password could have made them.
        Returns what this browser passes to `SignIns.sign_in` as `reset_here`: failed sign-ins elsewhere do not keep it
        out. Raises Refusal ``password.…``, which uses nothing up, or DeadLink.
        """
        found = self.find_reset(link_id)
        if found is None:
            raise DeadLink
        self._refuse_weak(found.account, new)
        hashed = self._hasher.hash(new)
        now = self._clock.now()
        with self._store.write() as connection:
            connection.execute(select(accounts.c.id).where(accounts.c.id == found.account.id).with_for_update())
            # If many use the same link at once, one finds its row: the statement that uses the link removes it.
            used = delete(password_resets).where(*_is_good(link_id, now)).returning(password_resets.c.account_id)
            if connection.execute(used).first() is None:
                raise DeadLink
            own = accounts.c.id == found.account.id
            connection.execute(update(accounts).where(own).values(password_hash=hashed, password_changed_at=now))
            have_gone = _remove_passkeys(connection, found.account, now)
            self._after_change(connection, found.account, now, "password_reset", have_passkeys_gone=have_gone)
        reach("accounts.password_reset")
        return found.account.id

    # --- Inside ------------------------------------------------------------------------------------------------

    def _take_new(self, session: Session, hashed: str) -> str | None:
        """Store the hash of the new password unless another request was quicker; return what the browser is to hold."""
        account = session.account
        with self._sessions.holding(session) as (connection, now):
            unchanged = (
                accounts.c.id == account.id,
                accounts.c.password_hash == account.password_hash,
                accounts.c.password_changed_at <= now - self._rules.change_wait,
            )
            new = {"password_hash": hashed, "password_changed_at": now}
            changed = update(accounts).where(*unchanged).values(new).returning(accounts.c.id)
            if connection.execute(changed).first() is None:
                return None
            token = self._sessions.renew(connection, session, now)
            self._after_change(connection, account, now, "password_changed", but=session.id)
        return token

    def _mail_reset(self, connection: Connection, account: Account, now: datetime) -> None:
        link_id = randomness.opaque_id()
        fresh = {"link_id": link_id, "created_at": now, "expires_at": now + self._rules.reset_lifetime}
        statement = insert_for(connection, password_resets).values(account_id=account.id, **fresh)
        connection.execute(statement.on_conflict_do_update(index_elements=[password_resets.c.account_id], set_=fresh))
        self._account_mails.mail_link(
            connection,
            "reset",
            to=account.email,
            language=account.language,
            topic=f"reset:{account.id}",
            link_id=link_id,
            expires_at=now + self._rules.reset_lifetime,
            minutes=str(self._rules.reset_minutes),
        )

    def _may_write_to_stranger(self, connection: Connection, address: EmailAddress, source: str, now: datetime) -> bool:
        asker = self._allowances.key("strangers", network_of(source))
        limit, hour = self._rules.strangers_an_hour, timedelta(hours=1)
        if self._allowances.take_of_window(connection, asker, limit=limit, window=hour, now=now) is not None:
            return False
        key = self._allowances.key("no account", address.key)
        return self._allowances.take(connection, key, limit=1, quiet=timedelta(days=1), now=now) is None

    def _after_change(
        self,
        connection: Connection,
        account: Account,
        now: datetime,
        action: str,
        *,
        but: str = "",
        have_passkeys_gone: bool = False,
    ) -> None:
        self._sessions.end_all(connection, account.id, now, but=but)
        connection.execute(delete(password_resets).where(password_resets.c.account_id == account.id))
        self._account_mails.drop(connection, f"reset:{account.id}")
        # A new password keeps out somebody who knew the old one: changes that they asked for must not happen later.
        connection.execute(delete(account_changes).where(account_changes.c.account_id == account.id))
        self._account_mails.drop(connection, f"address_new:{account.id}")
        self._failed_attempts.forget(connection, *self._keys(connection, account))
        opened_by = self._opened_by(connection, account, have_passkeys_gone=have_passkeys_gone)
        self._account_mails.tell(connection, "password_changed", account, now, **opened_by)
        audit.record(connection, action, kutid=account.kutid, at=now)

    def _opened_by(self, connection: Connection, account: Account, *, have_passkeys_gone: bool) -> dict[str, str]:
        """Return the fact by which the mail says what opens the account now.

        It names passkeys by the days on which they were added: a thief may have chosen their names.
        """
        added = (
            select(passkeys.c.created_at)
            .where(passkeys.c.account_id == account.id)
            .order_by(passkeys.c.created_at, passkeys.c.id)
        )
        days = [moment.isoformat() for moment in connection.execute(added).scalars()]
        if days:
            return {"passkeys_added": " ".join(days)}
        return {"passkeys_removed" if have_passkeys_gone else "password_alone": "yes"}

    def _keys(self, connection: Connection, account: Account) -> list[str]:
        """Return the keys under which failures may be counted: the address's own, and those of known browsers."""
        sessions = sessions_table.c
        known = connection.execute(select(sessions.device_hash).where(sessions.account_id == account.id).distinct())
        browsers = ("", PROVED, *known.scalars())
        return [self._failed_attempts.key(CUSTOMER, account.email_key, browser) for browser in browsers]

    def _after_another(self, session: Session, new: str) -> str:
        """Another request of this session was quicker; the same request sent twice has succeeded."""
        account = self._now(session)
        if not self._hasher.is_password(new, account.password_hash):
            self._refuse_too_soon(account)
            raise SignedOut
        with self._sessions.holding(session) as (connection, now):
            return self._sessions.renew(connection, session, now)

    def _refuse_too_soon(self, account: Account) -> None:
        possible = self.possible_from(account)
        if possible > self._clock.now():
            raise Refusal("password", "too_soon", moment=possible)

    def _refuse_weak(self, account: Account, password: str) -> None:
        if len(password) > self._rules.max_length:
            raise Refusal("password", "too_long", length=self._rules.max_length)
        for rule in self.judge(account, password):
            if not rule.is_met:
                raise Refusal("password", rule.reason, length=self._rules.min_length)
        if any(is_forbidden(account, password) for is_forbidden in self.forbidden):
            raise Refusal("password", "opens_letters")

    def _now(self, session: Session) -> Account:
        with self._store.read() as connection:
            row = connection.execute(ACCOUNT.where(accounts.c.id == session.account.id)).first()
        if row is None:
            raise SignedOut
        return account_from(row._mapping)


def _is_good(link_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return password_resets.c.link_id == link_id, password_resets.c.expires_at > now


def _remove_passkeys(connection: Connection, account: Account, now: datetime) -> bool:
    """Remove the account's passkeys; tell whether there were any."""
    own = delete(passkeys).where(passkeys.c.account_id == account.id)
    removed = connection.execute(own.returning(passkeys.c.id)).all()
    for _ in removed:
        audit.record(connection, "passkey_removed", kutid=account.kutid, at=now)
    return bool(removed)
