"""The invented customers that a demonstration and the tests of others rely on."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import delete, exists, func, select, true, update

from services.clock import Clock
from services.passwords import hash_secret, is_secret
from services.profiles import Identification, Profile
from services.register.importing import RegisterImport
from services.staff.accounts import add_members, new_member
from services.staff.member import ADVISER, SERVICE, SUPERVISOR
from services.store.engine import Store
from services.store.statements import insert_for
from services.store.tables import metadata
from services.store.tables.register import REGISTER, advisers, customer_accounts, customers, phones, policies
from services.store.tables.staff import staff
from services.values import email_addresses
from webapp.demo.invoices import load_invoices

STAFF = (
    ("ugyintezo@example.hu", "Kiss Orsolya", SERVICE),
    ("tanacsado@example.hu", "Molnár Gergely", ADVISER),
    ("vezeto@example.hu", "Fehér Judit", SUPERVISOR),
)
STAFF_PASSWORD = "Demo-Jelszo-2026"  # noqa: S105
"""Of all of them, who sign in without a second factor: outside demo mode nobody does, so there they are no accounts."""
_hashed = cache(hash_secret)
_WRITTEN_ON = date(2026, 11, 24)
"""The day from which the premiums of the demo files look ahead."""


def files(profile: Profile) -> dict[str, Path]:
    """Return the profile's demo files by the importer's names."""
    found = {table.name: profile.folder / "demo" / f"{table.name}.csv" for table in REGISTER}
    return {name: file for name, file in found.items() if file.is_file()}


def load(store: Store, profile: Profile, clock: Clock, rounds: int) -> bool:
    """Import the profile's demo customers into an empty register, and the staff; tell whether that was needed."""
    add_staff(store, clock, rounds)
    with store.read() as connection:
        if connection.execute(select(func.count()).select_from(customers)).scalar_one():
            return False
    _import(store, profile, clock, rounds)
    return True


def reset(store: Store, profile: Profile, clock: Clock, rounds: int) -> None:
    """Throw everything away and import the demo customers anew."""
    with store.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    _import(store, profile, clock, rounds)
    add_staff(store, clock, rounds)


def add_staff(store: Store, clock: Clock, rounds: int) -> None:
    """Add the demonstration's staff, unless there is any."""
    with store.read() as connection:
        if connection.execute(select(exists().select_from(staff))).scalar():
            return
    hashed, now = _hashed(STAFF_PASSWORD, rounds), clock.now()
    members = [
        new_member(
            email_addresses.parse(email),
            name,
            role,
            hashed,
            adviser=email if role == ADVISER else None,
            totp_secret=None,
            now=now,
        )
        for email, name, role in STAFF
    ]
    with store.write() as connection:
        # Several processes may begin at once.
        add_members(connection, members)


def advise(store: Store, kutid: str) -> None:
    """Make a customer one of the demonstration's adviser's."""
    adviser = next(email for email, _, role in STAFF if role == ADVISER)
    with store.write() as connection:
        theirs = insert_for(connection, advisers).values(kutid=kutid, adviser=adviser)
        connection.execute(theirs.on_conflict_do_update(index_elements=["kutid"], set_={"adviser": adviser}))


def examples(store: Store, profile: Profile) -> list[str]:
    """Return, for each kind of holder, what the first customer who can register would type."""
    rules = profile.identification
    return [
        f"{_words(holder)}: {', '.join(found)}"
        for holder in rules.asks
        if holder != "communication_id" and (found := _example(store, holder, rules))
    ]


def _example(store: Store, holder: str, rules: Identification) -> list[str]:
    is_holder = true() if holder == "anybody" else customers.c.holder_type == holder
    columns = [customers.c.birth_date, customers.c.birth_number, customers.c.tax_number, customers.c.postal_code]
    query = (
        select(
            policies.c.policy_number,
            customers.c.customer_number,
            customer_accounts.c.account_number,
            *columns,
            phones.c.number.label("mobile"),
        )
        .join_from(customers, policies)
        .join(phones, (phones.c.kutid == customers.c.kutid) & phones.c.is_mobile)
        .outerjoin(
            customer_accounts,
            (customer_accounts.c.kutid == customers.c.kutid) & (customer_accounts.c.manager == "customer"),
        )
        .where(is_holder, policies.c.status == "live")
        .order_by(customers.c.kutid, policies.c.policy_number, phones.c.is_default.desc(), phones.c.policy_number)
        .limit(1)
    )
    with store.read() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return []
    numbers = " or ".join(f"{_words(kind)} {row[kind]}" for kind in rules.identifiers if row[kind])
    data = [f"{_words(datum)} {row[datum]}" for datum in rules.asks[holder] if datum != "mobile"]  # type: ignore[index]
    return [numbers, *data, f"mobile {row['mobile']}"]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _import(store: Store, profile: Profile, clock: Clock, rounds: int) -> None:
    RegisterImport(
        store,
        clock,
        profile,
        make_hash=lambda password: hash_secret(password, rounds),
        is_password=is_secret,
    ).run(files(profile))
    _move_premiums(store, clock.now().astimezone(profile.zone).date() - _WRITTEN_ON)
    load_invoices(store, profile, clock)


def _move_premiums(store: Store, by: timedelta) -> None:
    """Move the days until which premiums are paid: what was due soon in the files is due soon from now on."""
    with store.write() as connection:
        for column in (policies.c.paid_until, policies.c.cover_until):
            days = connection.execute(select(column).where(column.is_not(None)).distinct()).scalars().all()
            # From the end that they move to: none comes upon a day that has not moved yet.
            for day in sorted(days, reverse=by > timedelta(0)):
                connection.execute(update(policies).where(column == day).values({column.name: day + by}))
