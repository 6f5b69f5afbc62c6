"""Letters to customers and what happened to each; `services.letters` writes them."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from services.store.declarations import Declarations, ErasedRows, ExportedRows, newest
from services.store.tables.base import Moment, metadata

_HAS_DAY = text("latest_on IS NOT NULL")
_IS_POSTED = text("is_on_paper AND printed_at IS NULL")
_UNOPENED = text("latest_on IS NOT NULL AND opened_at IS NULL AND printed_at IS NULL")

letters = Table(
    "letters",
    metadata,
    # The bytes are in the storage, by their hash. Neither they nor a row's content ever change (P12).
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("policy_number", String(32)),
    Column("type", String(40), nullable=False),  # policy, certificate, payment_request …
    Column("title", String(200), nullable=False),
    Column("language", String(8), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("latest_on", Date),  # the legal day before which an unopened letter is printed (P20)
    Column("confirm_by", Date),  # by which the customer is to confirm that they have read it (P21)
    Column("data", JSON(none_as_null=True)),  # what the letter says, for its page (P16)
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),  # bytes
    Column("published_at", Moment, nullable=False),
    # The moments that lists ask for; each is set once, together with its row in `letter_events`.
    Column("opened_at", Moment),
    Column("confirmed_at", Moment),
    Column("withdrawn_at", Moment),
    Column("withdrawn_reason", String(300)),
    Column("withdrawn_code", String(8)),  # by which staff find it
    Column("replaces", ForeignKey("letters.id"), index=True),
    Column("replaced_by", String(32)),
    # What makes a letter the same as one that was sent before; a repetition publishes nothing.
    Column("once", String(64), unique=True),
    Column("notification_id", String(32), index=True),  # the mail that tells of it: letters of one minute share one
    Column("damaged_at", Moment, index=True),  # since when the stored bytes do not fit the hash (P12)
    Column("printed_at", Moment),
    Column("remind_at", Moment, index=True),  # when its customer is reminded next, as long as it is unopened (P20)
    Column("is_on_paper", Boolean, nullable=False, server_default=false()),  # its customer wants post (P19)
    # The newest of a customer first, by page; and those that nobody has opened.
    Index("ix_letters_kutid_published_at_id", "kutid", "published_at", "id"),
    Index("ix_letters_kutid_opened_at", "kutid", "opened_at"),
    Index("ix_letters_withdrawn_code", "withdrawn_code"),
    # Those that are to be printed before their day; and all with a day, for the figures.
    Index("ix_letters_unopened", "latest_on", sqlite_where=_UNOPENED, postgresql_where=_UNOPENED),
    Index("ix_letters_on_paper", "id", sqlite_where=_IS_POSTED, postgresql_where=_IS_POSTED),
    Index("ix_letters_latest_on", "latest_on", sqlite_where=_HAS_DAY, postgresql_where=_HAS_DAY),
)

letter_events = Table(
    "letter_events",
    metadata,
    # Appended, never changed (P13). `once` is the letter and the kind where a kind happens once, else the row's id.
    Column("id", String(32), primary_key=True),
    Column("letter_id", ForeignKey("letters.id"), nullable=False, index=True),
    Column("type", String(16), nullable=False),  # see services.letters.letter.EventType
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("once", String(64), nullable=False),
    UniqueConstraint("once"),
)

letter_passwords = Table(
    "letter_passwords",
    metadata,
    # The password that opens a customer's mailed letters. After a reset by staff there is none until another is set.
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("sealed", String(400)),  # encrypted, see services.letters.password_box
    Column("set_at", Moment),
    Column("reset_at", Moment),
)

letter_consents = Table(
    "letter_consents",
    metadata,
    # Whether a customer gets letters electronically, appended each time they decide; the newest counts (P19).
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("is_agreed", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Column("version", String(40), nullable=False),  # of the statement
    Column("sha256", String(64), nullable=False),  # of the statement as the customer read it
    Column("language", String(8), nullable=False),
    Index("ix_letter_consents_kutid_at", "kutid", "at"),
)

DECLARED = Declarations(
    erased_with_account=(ErasedRows(letter_passwords.c.kutid, "kutid"),),
    exported=(
        ExportedRows(
            "letters",
            (
                letters.c.id,
                letters.c.type,
                letters.c.title,
                letters.c.policy_number,
                letters.c.issued_on,
                letters.c.sha256,
                letters.c.published_at,
                letters.c.opened_at,
                letters.c.confirmed_at,
                letters.c.withdrawn_at,
            ),
            letters.c.kutid,
            "kutid",
        ),
        ExportedRows(
            "letter_consents",
            (
                letter_consents.c.is_agreed,
                letter_consents.c.at,
                letter_consents.c.version,
                letter_consents.c.sha256,
                letter_consents.c.language,
            ),
            letter_consents.c.kutid,
            "kutid",
        ),
    ),
    written=(newest(letter_events.c.at), newest(letter_consents.c.at)),
)
