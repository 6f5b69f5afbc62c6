"""What a customer changes about the account: the address, the mobile, and whether it exists at all."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from services import audit, randomness
from services.accounts.account import Account, DeadLink, Session
from services.accounts.addresses import TakenAddresses
from services.accounts.checks import Checks
from services.accounts.closing import erase
from services.accounts.notices import Notices
from services.accounts.sessions import ACCOUNT, IS_PROVED, Sessions, account_from
from services.base import Base
from services.codes.group import CodeServices
from services.codes.one_time_codes import CodeState
from services.codes.sending import CodeOrder
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.refusal import OutOfTurn, Refusal
from services.store.declarations import AccountKey, ExportedRows
from services.store.statements import insert_for
from services.store.tables import DECLARED
from services.store.tables.accounts import account_changes, accounts, password_resets
from services.values.email_addresses import EmailAddress

_EMAIL, _MOBILE = "email", "mobile"
_EXPORTED = tuple(rows for declared in DECLARED for rows in declared.exported)


class AccountDetails:
    """The verbs by which a customer changes the account; each asks for the password again."""

    def __init__(
        self,
        base: Base,
        *,
        sessions: Sessions,
        checks: Checks,
        allowances: Allowances,
        codes: CodeServices,
        notices: Notices,
        outbox: Outbox,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._sessions = sessions
        self._checks = checks
        self._allowances = allowances
        self._codes = codes.one_time_codes
        self._code_sender = codes.sender
        self._addresses = TakenAddresses(base.profile.registration, allowances)
        self._notices = notices
        self._outbox = outbox

    # --- The address -------------------------------------------------------------------------------------------

    def ask_for_email(self, session: Session, password: str, address: EmailAddress) -> None:
        """Mail a link to the new address and a notice to the old one; nothing changes before the link is used.

        Raises Refusal ``current_password.…``, ``email.same``, ``email.taken`` or ``email.too_many``; SignedOut.
        """
        if address.key == session.account.email_key and address.typed == session.account.email:
            raise Refusal("email", "same")
        self._checks.password(session, password)
        now = self._clock.now()
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            self._refuse_address(connection, session.account, address, now)
            self._mail_new_address(connection, session, address, now)

    def pending_email(self, session: Session) -> str | None:
        """Return the new address that waits for its link to be opened."""
        waiting = select(account_changes.c.value).where(
            account_changes.c.account_id == session.account.id,
            account_changes.c.kind == _EMAIL,
            account_changes.c.expires_at > self._clock.now(),
        )
        with self._store.read() as connection:
            email: str | None = connection.execute(waiting).scalar()
        return email

    def find_email_change(self, link_id: str) -> str | None:
        """Return the new address that a link would confirm, if it is the newest, unused and in time."""
        found = select(account_changes.c.value).where(
            account_changes.c.id == link_id,
            account_changes.c.kind == _EMAIL,
            account_changes.c.expires_at > self._clock.now(),
        )
        with self._store.read() as connection:
            email: str | None = connection.execute(found).scalar()
        return email

    def confirm_email(self, link_id: str) -> str:
        """Make the new address the account's user name, once; links mailed to the old address die. Returns it.

        The old address is told.
        Raises DeadLink or Refusal ``email.taken``.
        """
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                waiting = ACCOUNT.join(account_changes, account_changes.c.account_id == accounts.c.id).where(
                    account_changes.c.id == link_id
                )
                before = connection.execute(waiting.with_for_update(of=accounts)).first()
                row = connection.execute(
                    delete(account_changes)
                    .where(
                        account_changes.c.id == link_id,
                        account_changes.c.kind == _EMAIL,
                        account_changes.c.expires_at > now,
                    )
                    .returning(account_changes.c.account_id, account_changes.c.value, account_changes.c.value_key)
                ).first()
                if row is not None and before is not None:
                    self._take_address(connection, account_from(before._mapping), row.value, row.value_key, now)
        except IntegrityError:
            # Another customer has opened an account with this address since it was given here.
            raise Refusal("email", "taken") from None
        if row is None:
            raise DeadLink
        reach("accounts.email_changed")
        return str(row.value)

    # --- The mobile --------------------------------------------------------------------------------------------

    def ask_for_mobile(self, session: Session, password: str, mobile: str) -> None:
        """Send a code to the new number, from the customer's one budget of codes (M21).

        Raises Refusal ``current_password.…``, ``mobile.same``, ``mobile.too_many``, ``sms.paused`` or
        ``sms_resend.…``, DeadEnd ``codes_used_up``; SignedOut.
        """
        if mobile == session.account.mobile:
            raise Refusal("mobile", "same")
        self._checks.password(session, password)
        now = self._clock.now()
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            change_id = randomness.opaque_id()
            self._note_change(connection, session, _MOBILE, now, change_id=change_id, value=mobile, key=mobile)
            self._code_sender.send(connection, self._order(session.account, change_id, mobile, now), now)

    def resend_code(self, session: Session) -> None:
        """Send a new code to the new number; the older one dies.

        Raises Refusal ``sms_resend.…``, ``mobile.too_many`` or ``sms.paused``, DeadEnd ``codes_used_up``, SignedOut,
        or OutOfTurn when no number waits.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            change = self._mobile_change(connection, session, now)
            if change is None:
                raise OutOfTurn
            last = self._codes.sent_for(connection, session.account.kutid, change.id)
            order = self._order(session.account, change.id, change.value, now)
            self._code_sender.send_again(connection, order, last, now)

    def mobile_change(self, session: Session) -> tuple[str, CodeState | None] | None:
        """Return the new number that waits for its code, and what may be known of the code; None when none waits."""
        now = self._clock.now()
        with self._store.read() as connection:
            change = self._mobile_change(connection, session, now)
            if change is None:
                return None
            return change.value, self._codes.sent_for(connection, session.account.kutid, change.id)

    def confirm_mobile(self, session: Session, code: str) -> None:
        """Check the code and take the new number.

        Raises Refusal ``sms_code.…``, DeadEnd ``codes_used_up``, SignedOut, or OutOfTurn when no number waits.
        """
        now = self._clock.now()
        account = session.account
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            change = self._mobile_change(connection, session, now)
            if change is None:
                raise OutOfTurn
            self._codes.check(connection, code, kutid=account.kutid, registration_id=change.id, now=now)
            connection.execute(delete(account_changes).where(account_changes.c.id == change.id))
            connection.execute(update(accounts).where(accounts.c.id == account.id).values(mobile=change.value))
            self._notices.tell(connection, "mobile_changed", account, now)
            audit.record(connection, "mobile_changed", kutid=account.kutid, at=now)

    def drop_mobile_change(self, session: Session) -> None:
        """Forget the new number that waits for its code. Raises SignedOut."""
        with self._store.write() as connection:
            self._sessions.hold(connection, session, self._clock.now())
            connection.execute(
                delete(account_changes).where(
                    account_changes.c.account_id == session.account.id, account_changes.c.kind == _MOBILE
                )
            )

    # --- All of it ---------------------------------------------------------------------------------------------

    def export(self, session: Session) -> dict[str, Any]:
        """Return everything that is held about the account, secrets excepted (GDPR, articles 15 and 20).

        The account itself heads it; every package declares what follows.
        """
        account = session.account
        with self._store.write() as connection:
            own = select(accounts.c.terms_hash).where(accounts.c.id == account.id)
            held = {"account": _as_exported(account, connection.execute(own).scalar())}
            held |= {rows.part: _part(connection, rows, account) for rows in _EXPORTED}
            audit.record(connection, "exported", kutid=account.kutid, at=self._clock.now(), what="account")
        return held

    def close(self, session: Session, password: str) -> None:
        """End the account and erase what belongs to it; the insurer's register stays as it is.

        Raises Refusal ``current_password.…`` or SignedOut.
        """
        self._checks.password(session, password)
        account, now = session.account, self._clock.now()
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            self._erase(connection, account, now)
            audit.record(connection, "account_closed", kutid=account.kutid, at=now)
        reach("accounts.closed")

    def end(self, connection: Connection, kutid: str, now: datetime) -> bool:
        """End a customer's account in a caller's transaction, whoever is signed in; tell whether there was one.

        One that waits for its code is left to `Activations.end`. This one's address was proved and is told: a thief
        sees it anyway, and the customer whose account is ended by mistake should know.
        """
        proved = ACCOUNT.where(accounts.c.kutid == kutid, IS_PROVED)
        row = connection.execute(proved.with_for_update(of=accounts)).first()
        if row is None:
            return False
        self._erase(connection, account_from(row._mapping), now)
        return True

    # --- Inside ------------------------------------------------------------------------------------------------

    def _erase(self, connection: Connection, account: Account, now: datetime) -> None:
        erase(connection, self._outbox, account.id, account.kutid)
        self._notices.tell(connection, "account_closed", account, now)

    def _refuse_address(self, connection: Connection, account: Account, address: EmailAddress, now: datetime) -> None:
        self._addresses.refuse_taken(connection, address, kutid=account.kutid, now=now)
        # Nor do strangers, or the old address, get more mails from one account than an address may get at all.
        limit, until = self._profile.registration.mails_an_hour, None
        for purpose, subject in (("email change", account.id), ("mail", address.key)):
            until = until or self._allowances.take_within(
                connection, purpose, subject, limit=limit, window=timedelta(hours=1), now=now
            )
        if until is not None:
            raise Refusal("email", "too_many", at=until).counted()

    def _mail_new_address(self, connection: Connection, session: Session, address: EmailAddress, now: datetime) -> None:
        account, link_id = session.account, randomness.opaque_id()
        expires_at = self._note_change(
            connection, session, _EMAIL, now, change_id=link_id, value=address.typed, key=address.key
        )
        self._notices.mail_link(
            connection,
            "address_new",
            to=address.typed,
            language=account.language,
            topic=f"address_new:{account.id}",
            link_id=link_id,
            expires_at=expires_at,
        )
        self._notices.tell(connection, "address_old", account, now)
        audit.record(connection, "email_change_asked", kutid=account.kutid, at=now)

    def _take_address(self, connection: Connection, old: Account, email: str, email_key: str, now: datetime) -> None:
        taken = update(accounts).where(accounts.c.id == old.id).values(email=email, email_key=email_key)
        connection.execute(taken)
        connection.execute(delete(password_resets).where(password_resets.c.account_id == old.id))
        self._notices.drop(connection, f"reset:{old.id}")
        self._notices.tell(connection, "address_changed", old, now)
        audit.record(connection, "email_changed", kutid=old.kutid, at=now)

    def _note_change(
        self,
        connection: Connection,
        session: Session,
        kind: str,
        now: datetime,
        *,
        change_id: str,
        value: str,
        key: str,
    ) -> datetime:
        """Note what waits to be proved, in place of an older one of its kind."""
        fresh = {
            "id": change_id,
            "value": value,
            "value_key": key,
            "created_at": now,
            "expires_at": now + self._profile.registration.lifetime,
        }
        statement = insert_for(connection, account_changes).values(account_id=session.account.id, kind=kind, **fresh)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[account_changes.c.account_id, account_changes.c.kind], set_=fresh
            )
        )
        return now + self._profile.registration.lifetime

    def _mobile_change(self, connection: Connection, session: Session, now: datetime) -> Any:
        return connection.execute(
            select(account_changes.c.id, account_changes.c.value, account_changes.c.expires_at).where(
                account_changes.c.account_id == session.account.id,
                account_changes.c.kind == _MOBILE,
                account_changes.c.expires_at > now,
            )
        ).first()

    def _order(self, account: Account, change_id: str, mobile: str, now: datetime) -> CodeOrder:
        ends_at = now + self._profile.registration.lifetime
        return CodeOrder(account.kutid, change_id, mobile, language=account.language, ends_at=ends_at)


def _as_exported(account: Account, terms_hash: str | None) -> dict[str, Any]:
    return {
        "customer_id": account.kutid,
        "name": account.name,
        "email": account.email,
        "mobile": account.mobile,
        "language": account.language,
        "created_at": account.created_at,
        "password_changed_at": account.password_changed_at,
        "terms": {
            "version": account.terms_version,
            "sha256": terms_hash,
            "accepted_at": account.terms_accepted_at,
        },
        "answers": dict(account.answers),
    }


def _part(connection: Connection, rows: ExportedRows, account: Account) -> Any:
    keys: dict[AccountKey, str] = {
        "account_id": account.id,
        "kutid": account.kutid,
        "registration_id": account.registration_id,
    }
    found = connection.execute(select(*rows.columns).where(rows.column == keys[rows.key])).mappings()
    part = [rows.redact(dict(row)) for row in found]
    return next(iter(part), None) if rows.is_single else part
