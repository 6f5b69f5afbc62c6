"""Whom the mails about a letter go to, and how they speak to them."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from services.accounts.conditions import account_of
from services.profiles import Profile
from services.register.conditions import address, mobile
from services.register.prefill import number_of
from services.store.tables.register import customers

_KINDS = {"policy_number": "identify.kind.policy", "account_number": "identify.kind.account"}
"""The words of the numbers that profiles ask for besides the customer number."""
_KUTID = "letter.number.kutid"


@dataclass(frozen=True)
class Reader:
    """One customer as the mails about their letters know them."""

    address: str | None
    """None where no address is known."""
    mobile: str | None
    """The account's, or else the one on record."""
    language: str
    numbers: str
    """The numbers that the customer knows, in words."""
    has_account: bool


def reader_of(connection: Connection, profile: Profile, kutid: str, language: str) -> Reader:
    """Return how mails reach a customer: as the account says, or else by the register, in `language`.

    The address of an account that waits for its activation code is not proved yet, so it is not used.
    """
    columns = address().label("address"), mobile().label("mobile")
    known = connection.execute(select(*columns).where(customers.c.kutid == kutid)).one()
    account = connection.execute(account_of(kutid)).first()
    if account is not None and not account.is_waiting:
        numbers = numbers_of(connection, profile, kutid, account.language)
        return Reader(account.email, account.mobile or known.mobile, account.language, numbers, has_account=True)
    spoken = language if language in profile.languages else profile.languages[0]
    numbers = numbers_of(connection, profile, kutid, spoken)
    return Reader(known.address, known.mobile, spoken, numbers, has_account=account is not None)


def numbers_of(connection: Connection, profile: Profile, kutid: str, language: str) -> str:
    """Return what a customer is to the insurer, in words: the number that the profile asks for, and their own (T4).

    An insurer that registers by policy numbers names one of a live policy; the customer number, or else the KÜTID, is
    always there.
    """
    kind = next(iter(profile.identification.identifiers))
    columns = customers.c.customer_number, number_of(kind).label("asked")
    row = connection.execute(select(*columns).where(customers.c.kutid == kutid)).one()
    own = ("identify.kind.customer_number", row.customer_number) if row.customer_number else (_KUTID, kutid)
    asked = [(_KINDS[kind], row.asked)] if row.asked and kind in _KINDS else []
    return ". ".join(f"{profile.texts.say(key, language)}: {number}" for key, number in (*asked, own))
