"""Invoices, and the customers' attempts to pay them; `services.payments` writes them."""

from datetime import timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from services.store.declarations import Declarations, ExportedRows, RetentionRule, newest
from services.store.tables.base import Moment, metadata

invoices = Table(
    "invoices",
    metadata,
    Column("id", String(32), primary_key=True),  # opaque: it stands in addresses
    Column("number", String(35), nullable=False, unique=True),  # the insurer's own, and the reference of a transfer
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("policy_number", String(32), nullable=False),
    Column("amount", BigInteger, nullable=False),  # of the currency's smallest unit (P52)
    Column("currency", String(3), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("period_from", Date),
    Column("period_until", Date),
    Column("letter_id", String(32)),  # the invoice as the letter that it came with
    Column("noted_at", Moment, nullable=False),
    # Set once, by the first payment that succeeds or by the insurer: every later payment is one too many (P50).
    Column("paid_at", Moment),
    Column("paid_by", String(32)),  # the attempt; None where the insurer said so
    Column("refunded_at", Moment),  # when the insurer said that it gave the money back
    Column("received", BigInteger, nullable=False, server_default="0"),  # what has come in for it, what is too much too
    Index("ix_invoices_kutid_due_on", "kutid", "due_on"),
)

payments = Table(
    "payments",
    metadata,
    # An attempt at paying. Its id is the provider's idempotency key, so it is here before the provider hears of it.
    Column("id", String(32), primary_key=True),
    Column("invoice_id", ForeignKey("invoices.id"), nullable=False, index=True),
    # The invoice while the attempt lives, else None: unique, so an invoice has one live attempt at most (P50).
    Column("live_for", String(32)),
    Column("way", String(8), nullable=False),  # card, transfer
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(10), nullable=False),  # see services.payments.payment.STATES
    Column("address", String(2000)),  # the provider's page, once the provider has answered
    Column("begun_at", Moment, nullable=False, index=True),
    Column("ended_at", Moment),
    # When the worker asks the provider next; None once there is nothing more to learn.
    Column("ask_at", Moment, index=True),
    Column("asked", Integer, nullable=False, server_default="0"),
    Column("doubled_at", Moment),  # it succeeded, but its invoice was paid already: to be refunded
    Column("refunded_at", Moment),
    Column("provider_id", String(64)),  # what the provider calls it, where that is not our id
    Column("refund", BigInteger),  # how much of it is to be refunded
    UniqueConstraint("live_for"),
    Index("ix_payments_doubled_at", "doubled_at"),
)

bank_entries = Table(
    "bank_entries",
    metadata,
    # Money that came in by transfer, as the bank's statement lists it (P51).
    Column("id", String(32), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # a hash of what the bank says: once, in however many files
    Column("booked_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("text", String(500), nullable=False),  # what the customer wrote, references too
    Column("payer", String(140), nullable=False),
    Column("noted_at", Moment, nullable=False, index=True),
    # What became of it: the payment that it is, or sent back. Neither: somebody is to look at it.
    Column("payment_id", ForeignKey("payments.id")),
    Column("sent_back_at", Moment),
)
Index(
    "ix_bank_entries_open",
    bank_entries.c.booked_on,
    bank_entries.c.id,
    sqlite_where=bank_entries.c.payment_id.is_(None) & bank_entries.c.sent_back_at.is_(None),
    postgresql_where=bank_entries.c.payment_id.is_(None) & bank_entries.c.sent_back_at.is_(None),
)

DECLARED = Declarations(
    retention=(
        # What waits for somebody stays; what was assigned stays in the books as a payment, without the payer's name.
        RetentionRule(
            "transfers",
            bank_entries.c.id,
            bank_entries.c.noted_at,
            lambda profile: timedelta(days=profile.retention.transfers_days),
            only_if=bank_entries.c.payment_id.is_not(None) | bank_entries.c.sent_back_at.is_not(None),
        ),
    ),
    exported=(
        ExportedRows(
            "invoices",
            (
                invoices.c.number,
                invoices.c.policy_number,
                invoices.c.amount,
                invoices.c.currency,
                invoices.c.due_on,
                invoices.c.paid_at,
                invoices.c.refunded_at,
            ),
            invoices.c.kutid,
            "kutid",
        ),
    ),
    written=(newest(payments.c.begun_at), newest(bank_entries.c.noted_at)),
)
