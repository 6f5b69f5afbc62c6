"""Every table, once. Migrations follow this file; services build their statements on it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime kept as whole milliseconds since 1970: alike, sortable and small in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into milliseconds."""
        return None if value is None else (value - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn milliseconds into a moment."""
        return None if value is None else _EPOCH + value * _MILLISECOND


# --- The insurer's register, written by the importer alone ---------------------------------------------------

customers = Table(
    "customers",
    metadata,
    Column("kutid", String(32), primary_key=True),
    Column("holder_type", String(16), nullable=False),
    Column("name", String(300), nullable=False),
    Column("birth_date", Date),
    Column("tax_number", String(32)),
    Column("postal_code", String(16)),
    Column("customer_number", String(32), index=True),
    Column("birth_number", String(16)),
)

policies = Table(
    "policies",
    metadata,
    Column("policy_number", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("product", String(32)),
    Column("ended_on", Date),
)

phones = Table(
    "phones",
    metadata,
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("policy_number", ForeignKey("policies.policy_number"), primary_key=True),
    Column("number", String(20), primary_key=True),  # E.164
    Column("is_mobile", Boolean, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=false()),  # the one that text messages go to
)

communication_ids = Table(
    "communication_ids",
    metadata,
    Column("communication_id", String(16), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("password_hash", String(200), nullable=False),
)

customer_accounts = Table(
    "customer_accounts",
    metadata,
    Column("account_number", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("old_number", String(32), index=True),  # by which it was known before
    Column("manager", String(16), nullable=False),  # customer, intermediary
    Column("intermediary", String(300)),
)

# --- Registrations and accounts ------------------------------------------------------------------------------

registrations = Table(
    "registrations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("identifier", String(32), nullable=False),  # what was typed: a policy number or another identifier
    Column("language", String(8), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("closes_at", Moment, nullable=False),  # however often the mail is sent again
    Column("email", String(320)),
    Column("email_key", String(320)),
    Column("link_id", String(32), unique=True),
    Column("mailed_at", Moment),
    Column("mails", Integer, nullable=False),
    Column("email_confirmed_at", Moment),
    Column("mobile", String(20)),
    Column("mobile_confirmed_at", Moment),
    Column("terms_opened", String(64)),
    Column("terms_version", String(64)),
    Column("terms_hash", String(64)),
    Column("terms_accepted_at", Moment),
    Column("answers", JSON, nullable=False),  # what a profile's own steps store, by the step's name
    Column("notice_opened", String(64)),
)

one_time_codes = Table(
    "one_time_codes",
    metadata,
    # One row a customer: every door spends from the same budget, and a new code replaces the older one.
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("registration_id", String(32), nullable=False),
    Column("mobile", String(20), nullable=False),
    Column("serial", String(32), nullable=False),
    Column("code_mac", String(64), nullable=False),
    Column("issued_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("is_undelivered", Boolean, nullable=False),
    Column("codes_used", Integer, nullable=False),
    Column("guesses_used", Integer, nullable=False),
    Column("budget_ends_at", Moment, nullable=False),
    Column("tail_mac", String(64)),  # of the last characters, where those are enough
)

allowances = Table(
    "allowances",
    metadata,
    Column("key", String(64), primary_key=True),  # a keyed hash: nothing personal
    Column("used", Integer, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
)

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

sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("key", String(64), primary_key=True),  # a keyed hash: nothing personal
    Column("failures", Integer, nullable=False),  # in a row; a try under way counts as one until it has succeeded
    Column("wait_until", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
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

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(64), nullable=False),  # customer, system, or a member of staff
    Column("action", String(32), nullable=False),
    Column("kutid", String(32), index=True),
    Column("facts", JSON, nullable=False),
)

reference_codes = Table(
    "reference_codes",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("kutid", String(32)),
    Column("registration_id", String(32)),
    Column("created_at", Moment, nullable=False, index=True),
)

# --- Messages ------------------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(8), nullable=False),  # email, sms
    Column("recipient", String(320), nullable=False),
    Column("message", String(32), nullable=False),  # which text, such as confirm, registered, code
    Column("language", String(8), nullable=False),
    Column("facts", JSON, nullable=False),  # what fills the text; emptied once the message has left or died
    Column("topic", String(64), nullable=False),  # a newer message of the same topic replaces an unsent one
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # when the link or code in it dies
    Column("state", String(16), nullable=False),  # see services.messages.outbox
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Moment),
    Column("last_error", Text),
    Index("ix_outbox_state_due_at", "state", "due_at"),
    Index("ix_outbox_topic", "topic"),
)

demo_messages = Table(
    "demo_messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("links", JSON, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
)

REGISTER = (customers, policies, phones, communication_ids, customer_accounts)
"""The insurer's register, parents first."""
