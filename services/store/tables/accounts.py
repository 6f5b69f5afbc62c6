"""Customers' accounts, sessions and what waits to be confirmed; `services.accounts` writes them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    Text,
)

from services.store.declarations import Declarations, ErasedRows, ExportedRows, RetentionRule, a_day, newest
from services.store.tables.base import Moment, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, unique=True),
    Column("registration_id", String(32), nullable=False, unique=True),
    Column("email", String(320), nullable=False),
    Column("email_key", String(320), nullable=False, unique=True),
    Column("mobile", String(20)),
    Column("password_hash", String(200), nullable=False),
    Column("password_changed_at", Moment, nullable=False),
    Column("language", String(8), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("terms_version", String(64)),
    Column("terms_hash", String(64)),
    Column("terms_accepted_at", Moment),
    Column("answers", JSON, nullable=False),
)

activations = Table(
    "activations",
    metadata,
    # A row while the account waits for the code that was mailed; a newer code replaces the older one.
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("serial", String(32), nullable=False),
    Column("code_mac", String(64), nullable=False),
    Column("tail_mac", String(64)),
    Column("mailed_at", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # of what the browser holds; it changes with rights
    Column("device_hash", String(64), nullable=False),  # of the lasting mark by which a browser is known again
    Column("device", String(80), nullable=False),  # such as “Firefox, Windows”
    Column("created_at", Moment, nullable=False, index=True),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),  # however busy it is
    Column("ended_at", Moment),
    Column("ended_by", String(16)),  # see services.accounts.sessions
    Column("terms_opened", String(64)),
    Column("kept", JSON(none_as_null=True)),  # what was typed when the session before it ended
)

password_resets = Table(
    "password_resets",
    metadata,
    # One row an account: a newer link replaces the older one.
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("link_id", String(32), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

account_changes = Table(
    "account_changes",
    metadata,
    # A new address or number that is not proved yet; one of a kind an account.
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("kind", String(8), primary_key=True),  # email, mobile
    Column("id", String(32), nullable=False, unique=True),
    Column("value", String(320), nullable=False),
    Column("value_key", String(320), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Text, primary_key=True),  # the credential's, base64url
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("transports", JSON, nullable=False),
    Column("name", String(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
)

DECLARED = Declarations(
    retention=(
        RetentionRule(
            "unactivated_accounts",
            activations.c.account_id,
            activations.c.mailed_at,
            kept_for=lambda profile: profile.retention.unactivated,
            is_account=True,
        ),
        RetentionRule("password_resets", password_resets.c.account_id, password_resets.c.expires_at, kept_for=a_day),
        RetentionRule("account_changes", account_changes.c.id, account_changes.c.expires_at, kept_for=a_day),
        # From the sign-in on: no session lasts longer than a day (`SignIn.hours`).
        RetentionRule(
            "sessions", sessions.c.id, sessions.c.created_at, kept_for=lambda profile: profile.retention.sessions
        ),
        RetentionRule(
            "typed_before_sign_in",
            sessions.c.id,
            sessions.c.created_at,
            kept_for=a_day,
            only_if=sessions.c.kept.is_not(None),
            emptied=sessions.c.kept,
        ),
    ),
    erased_with_account=(
        ErasedRows(sessions.c.account_id, "account_id"),
        ErasedRows(password_resets.c.account_id, "account_id"),
        ErasedRows(account_changes.c.account_id, "account_id"),
        ErasedRows(passkeys.c.account_id, "account_id"),
        ErasedRows(accounts.c.id, "account_id"),
    ),
    withdrawn_with_account=("activation:{account_id}", "reset:{account_id}", "address_new:{account_id}"),
    exported=(
        ExportedRows(
            "changes_to_confirm",
            (
                account_changes.c.kind,
                account_changes.c.value,
                account_changes.c.created_at,
                account_changes.c.expires_at,
            ),
            account_changes.c.account_id,
            "account_id",
        ),
        ExportedRows(
            "sessions",
            (
                sessions.c.device,
                sessions.c.created_at,
                sessions.c.seen_at,
                sessions.c.ends_at,
                sessions.c.ended_at,
                sessions.c.ended_by,
                sessions.c.kept,
            ),
            sessions.c.account_id,
            "account_id",
        ),
        ExportedRows(
            "passkeys",
            (passkeys.c.name, passkeys.c.created_at, passkeys.c.used_at),
            passkeys.c.account_id,
            "account_id",
        ),
    ),
    written=(newest(sessions.c.created_at),),
)
