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
    text,
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
    Column("email", String(320)),  # to which invitations go; what staff have recorded since counts before it
    Index("ix_customers_birth_date", "birth_date"),
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
    Index("ix_phones_number", "number"),
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

advisers = Table(
    "advisers",
    metadata,
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("adviser", String(64)),  # their code; empty when nobody advises the customer any more
    Index("ix_advisers_adviser_kutid", "adviser", "kutid"),
)

contact_changes = Table(
    "contact_changes",
    metadata,
    # What staff learnt of a customer: it counts here at once, and is an event for the insurer's own system.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # email, mobile
    Column("before", String(1000), nullable=False),  # as it was known here; several numbers stand side by side
    Column("after", String(320), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("settled_at", Moment),  # when an import brought it, or a later one: the register alone counts
    Index("ix_contact_changes_after", "after"),
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
    Column("begun_by", String(64), nullable=False, server_default="customer"),  # or a member of staff, as in the audit
    Column("ended_at", Moment),  # by staff; `expires_at` is the same moment then
    Column("browser", String(64)),  # a hash: that began it, or was the last to type a code that was right
    Index("ix_registrations_email_key", "email_key"),
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
    Column("key", String(64), primary_key=True),  # a keyed hash, or the customer's id where a condition asks for it
    Column("used", Integer, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
    Column("kutid", String(32)),  # where tries concern a customer whom somebody should help
    Index(
        "ix_allowances_kutid",
        "kutid",
        sqlite_where=text("kutid IS NOT NULL"),
        postgresql_where=text("kutid IS NOT NULL"),
    ),
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

# --- Staff ---------------------------------------------------------------------------------------------------

staff = Table(
    "staff",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("email_key", String(320), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("role", String(16), nullable=False),  # service, adviser, supervisor
    Column("adviser", String(64), unique=True),  # of an adviser: the code by which the register knows them
    Column("password_hash", String(200), nullable=False),
    Column("totp_secret", String(400)),  # encrypted; only a demonstration's staff have none
    Column("totp_step", BigInteger, nullable=False),  # the time step of the last code used: none is good twice
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("device_hash", String(64), nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("found", JSON(none_as_null=True)),  # the customers whom the last search found
)

staff_cases = Table(
    "staff_cases",
    metadata,
    # One customer in front of one member of staff, from the look on; it holds what they record together.
    Column("id", String(32), primary_key=True),
    Column("session_id", ForeignKey("staff_sessions.id"), index=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("opened_at", Moment, nullable=False, index=True),
    Column("identified_by", String(16)),  # how: see services.staff.cases
    Column("identified_at", Moment),
    Column("email", String(320)),
    Column("email_key", String(320)),
    Column("mobile", String(20)),
    Column("language", String(8)),
    Column("confirmed_at", Moment),  # when the code sent to the mobile was read back
    Column("registration_id", String(32)),
    Column("api_key_id", ForeignKey("api_keys.id"), index=True),  # in place of a session: of the API's client
)

api_keys = Table(
    "api_keys",
    metadata,
    # A client of the API. Rows stay after their end: the audit trail speaks of them.
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("adviser", String(64)),  # whose customers alone it reaches
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("used_at", Moment),  # to the hour or so: not every request writes
)

api_answers = Table(
    "api_answers",
    metadata,
    # What a request with an idempotency key was answered; without a status while it is under way.
    Column("id", String(64), primary_key=True),  # keyed hashes, both: of client and key, and of what was asked
    Column("asked", String(64), nullable=False),
    Column("turn", String(32), nullable=False),  # whoever has it may write the answer
    Column("begun_at", Moment, nullable=False, index=True),
    Column("status", Integer),
    Column("headers", JSON(none_as_null=True)),
    Column("body", Text),
)

# --- Worklists -----------------------------------------------------------------------------------------------

batches = Table(
    "invitation_batches",
    metadata,
    # What somebody ordered to be sent; a worker goes through it, and on from `position` wherever it was stopped.
    Column("id", String(32), primary_key=True),  # made with the form: the same form sent twice is one batch
    Column("kind", String(16), nullable=False),  # invitation, reminder
    Column("actor", ForeignKey("staff.id"), nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Column("deadline_at", Moment),  # of invitations
    Column("chosen", JSON(none_as_null=True)),  # the customers; or else everybody in a list, which is:
    Column("listed", String(16)),
    Column("adviser", String(64)),
    Column("position", String(32), nullable=False),  # up to this customer everybody has had their turn
    Column("total", Integer),  # None until somebody has counted
    Column("sent", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),  # who had registered meanwhile, or been written to by another batch
    Column("ended_at", Moment),
    Column("stopped_by", String(32)),
    Index("ix_invitation_batches_ended_at", "ended_at", "created_at"),
)

invitations = Table(
    "invitations",
    metadata,
    # One row a customer: nobody is invited twice until the deadline is over.
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("link_id", String(32), nullable=False, unique=True),
    Column("batch_id", String(32), nullable=False),
    Column("invited_at", Moment, nullable=False),
    Column("deadline_at", Moment, nullable=False),
    Column("remind_at", Moment, index=True),  # when the reminder is due; None once it has left
    Column("reminded_at", Moment),
    Column("declined_at", Moment),  # the customer wants no more of these mails: nothing is written over it
    Index("ix_invitations_deadline_at_kutid", "deadline_at", "kutid"),
)

quality_cases = Table(
    "quality_cases",
    metadata,
    # Something about a customer's data that somebody should put right.
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("kind", String(16), nullable=False),  # see services.worklists.quality
    Column("evidence", String(64)),  # a hash of what it was seen by; None once it is not so any more
    Column("found_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("closed_by", String(32)),
    Column("note", String(300)),
    Index("ix_quality_cases_kutid_kind", "kutid", "kind", unique=True),
    Index("ix_quality_cases_closed_at_found_at", "closed_at", "found_at"),
    Index("ix_quality_cases_closed_at_kind_found_at", "closed_at", "kind", "found_at"),
)

quality_sweep = Table(
    "quality_sweep",
    metadata,
    # One row: how far the register has been looked through since it was imported.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("wanted", Integer, nullable=False),  # raised by every import
    Column("done", Integer, nullable=False),
    Column("position", String(32), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(64), nullable=False),  # customer, system, a member of staff, or a client of the API
    Column("action", String(32), nullable=False),
    Column("kutid", String(32), index=True),
    Column("facts", JSON, nullable=False),
    Column("source", String(64)),  # the network from which it was done; none for workers and commands
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

# --- Figures: counts without anything about a person ---------------------------------------------------------------

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

message_figures = Table(
    "message_figures",
    metadata,
    Column("day", Date, primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("message", String(32), primary_key=True),
    Column("what", String(16), primary_key=True),  # sent, delivered, given_up
    Column("count", Integer, nullable=False),
    Column("parts", Integer, nullable=False),  # of text messages: in so many parts they were sent
)

sms_months = Table(
    "sms_months",
    metadata,
    # A row a month: what has left, what a supervisor allowed besides the profile's budget, what did not fit any more.
    Column("month", Date, primary_key=True),  # its first day
    Column("used", Integer, nullable=False),
    Column("more", Integer, nullable=False),
    Column("refused", Integer, nullable=False),  # the parts of the message that did not fit
)

REGISTER = (customers, policies, phones, communication_ids, customer_accounts, advisers)
"""The insurer's register, parents first."""
