"""The invented customers, of whom each walk is about one."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, RowMapping, Select, exists, func, or_, select

from services import randomness
from services.accounts.conditions import is_registered
from services.store.tables.codes import one_time_codes
from services.store.tables.register import customer_accounts, customers, phones, policies
from webapp.parts import Parts

_SO_MANY = 200


@dataclass(frozen=True)
class Customer:
    """An invented customer: what they type in the first step, and the number that text messages go to."""

    identification: dict[str, str]
    mobile: str
    kutid: str


_mobile = (
    select(phones.c.number)
    .where(phones.c.kutid == customers.c.kutid, phones.c.is_mobile)
    .order_by(phones.c.is_default.desc(), phones.c.policy_number)
    .limit(1)
    .scalar_subquery()
)


class Cast:
    """Finds customers for one walk; `current` is the one whom it is about."""

    spoilt: ClassVar[set[str]] = set()
    """Customers with whom no other walk gets on: wrong tries slow them down, or their number has had too many codes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.current: Customer | None = None

    def somebody(self, holder: str = "", *only_if: ColumnElement[bool], has_mobile: bool = True) -> Customer:
        """Return another customer, of this kind, who has no account and was sent no code, by chance."""
        holder = holder or next(iter(self._parts.profile.identification.asks))
        query = self._without_account().where(
            _mobile.is_not(None) if has_mobile else _mobile.is_(None),
            customers.c.kutid.not_in(self.spoilt),
            ~exists().where(one_time_codes.c.kutid == customers.c.kutid),
            *only_if,
        )
        if self.current is not None:
            query = query.where(customers.c.kutid != self.current.kutid)
        if holder in ("person", "company"):
            query = query.where(customers.c.holder_type == holder)
        if holder == "person":
            query = query.where(func.length(customers.c.name) < 60)
        with self._parts.store.read() as connection:
            newest = query.order_by(customers.c.kutid.desc()).limit(_SO_MANY)
            rows = connection.execute(newest).mappings().all()
        return self._customer_of(randomness.one_of(rows), holder)

    def be_holder_of(self, number: ColumnElement[str], *only_if: ColumnElement[bool]) -> str:
        """Be a customer whose customer account has this kind of number, and return it."""
        self.current = self.somebody("", number.is_not(None), *only_if)
        query = select(number).where(customer_accounts.c.kutid == self.current.kutid, number.is_not(None), *only_if)
        with self._parts.store.read() as connection:
            return connection.execute(query.limit(1)).scalars().one()

    def customer_with(self, number: str) -> Customer | None:
        """Return the customer with this policy number, or another identifier that is asked for; None if not one."""
        asked = self._parts.profile.identification
        query = self._without_account()
        names = {"policy_number", *asked.identifiers}
        kinds = [query.selected_columns[name] for name in names if name in query.selected_columns]
        with self._parts.store.read() as connection:
            row = connection.execute(query.where(or_(*(kind == number for kind in kinds)))).mappings().first()
        if row is None:
            return None
        holder: str = row["holder_type"]
        return self._customer_of(row, holder if holder in asked.asks else next(iter(asked.asks)))

    def _without_account(self) -> Select[Any]:
        return (
            select(customers, policies.c.policy_number, customer_accounts.c.account_number, _mobile.label("number"))
            .join_from(customers, policies)
            .outerjoin(customer_accounts, customer_accounts.c.kutid == customers.c.kutid)
            .where(policies.c.status == "live", ~is_registered(customers.c.kutid))
        )

    def _customer_of(self, row: RowMapping, holder: str) -> Customer:
        return Customer(self._typed(dict(row), holder), row["number"] or "", row["kutid"])

    def _typed(self, row: dict[str, Any], holder: str) -> dict[str, str]:
        rules = self._parts.profile.identification
        kind = next(kind for kind in rules.identifiers if row.get(kind))
        typed = {rules.field: row[kind]}
        if len(rules.identifiers) > 1:
            typed["identifier_kind"] = kind
        if len(rules.asks) > 1:
            typed["holder_type"] = holder
        data = {**row, "mobile": row["number"], "birth_date": row["birth_date"] and row["birth_date"].isoformat()}
        return typed | {datum: data[datum] for datum in rules.asks[holder]}  # type: ignore[index]
