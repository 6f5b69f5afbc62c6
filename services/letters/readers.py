"""Whom the mails about a letter go to, and how they speak to them."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from services.accounts.conditions import account_of
from services.profiles import Profile
from services.register.conditions import address, mobile
from services.store.tables.register import customers


@dataclass(frozen=True)
class Reader:
    """One customer as the mails about their letters know them."""

    address: str | None
    """None where no address is known."""
    mobile: str | None
    """The account's, or else the one on record."""
    language: str
    number: str
    """The customer number, or else the KÜTID, with the word for it."""
    has_account: bool


def reader_of(connection: Connection, profile: Profile, kutid: str, language: str) -> Reader:
    """Return how mails reach a customer: as the account says, or else by the register, in `language`.

    The address of an account that waits for its activation code is not proved yet, so it is not used.
    """
    columns = address().label("address"), mobile().label("mobile"), customers.c.customer_number
    known = connection.execute(select(*columns).where(customers.c.kutid == kutid)).one()
    account = connection.execute(account_of(kutid)).first()
    if account is not None and not account.is_waiting:
        number = _spoken(profile, known.customer_number, kutid, account.language)
        return Reader(account.email, account.mobile or known.mobile, account.language, number, has_account=True)
    spoken = language if language in profile.languages else profile.languages[0]
    number = _spoken(profile, known.customer_number, kutid, spoken)
    return Reader(known.address, known.mobile, spoken, number, has_account=account is not None)


def spoken_number(connection: Connection, profile: Profile, kutid: str, language: str) -> str:
    """Return the customer number, or else the KÜTID, with the word for it."""
    own = select(customers.c.customer_number).where(customers.c.kutid == kutid)
    return _spoken(profile, connection.execute(own).scalar(), kutid, language)


def _spoken(profile: Profile, number: str | None, kutid: str, language: str) -> str:
    # A mail holds no other number of a customer (T4, P14), whatever number registers.
    key = "identify.kind.customer_number" if number else "letter.number.kutid"
    return f"{profile.texts.say(key, language)}: {number or kutid}"
