"""What a package declares about its tables, beside them: what is erased when, and what an account's export shows.

`services.store.tables` collects the declarations. Retention, closing and exporting an account, disabling a member of
staff, importing the register and the look for the newest moment work through them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, Date, Select, and_, func, select

from services.profiles import Profile

AccountKey = Literal["account_id", "kutid", "registration_id"]
"""What a row may know an account by: its own id, its customer's, or that of the registration which opened it."""


@dataclass(frozen=True)
class RetentionRule:
    """Rows of one kind are erased when their moment is longer ago than `kept_for`.

    With `emptied`, that column alone is erased; with `is_account`, the account that `key` names, and all of it.
    """

    kind: str
    key: Column[Any]
    moment: Column[Any]
    kept_for: Callable[[Profile], timedelta]
    only_if: ColumnElement[bool] | None = None
    emptied: Column[Any] | None = None
    is_account: bool = False

    def is_over(self, profile: Profile, now: datetime) -> ColumnElement[bool]:
        """Return the condition that a row is to be erased."""
        until = now - self.kept_for(profile)
        is_past = self.moment <= (until.date() if isinstance(self.moment.type, Date) else until)
        return is_past if self.only_if is None else and_(is_past, self.only_if)


@dataclass(frozen=True)
class ErasedRows:
    """Rows that are erased with the account which `column` names.

    With `topic`, the unsent messages of the topic ``<topic>:<id of the row>`` are withdrawn too.
    """

    column: Column[Any]
    key: AccountKey
    topic: str | None = None


@dataclass(frozen=True)
class ExportedRows:
    """A part of an account's export: `columns` of the rows that belong to the account which `column` names.

    The part is a list; with `is_single`, one row or None. `redact` takes out of a row what its reader may not see.
    """

    part: str
    columns: tuple[Column[Any], ...]
    column: Column[Any]
    key: AccountKey
    is_single: bool = False
    redact: Callable[[dict[str, Any]], dict[str, Any]] = dict


@dataclass(frozen=True)
class EndedRows:
    """Rows that end when the member of staff leaves whom `column` names; `ended_by` takes that member's id."""

    column: Column[Any]
    ended_at: Column[Any]
    ended_by: Column[Any] | None = None


@dataclass(frozen=True)
class Declarations:
    """All that one package declares about its tables.

    `withdrawn_with_account` are topics of messages, with an `AccountKey` in braces. `after_import` runs in the
    transaction that has changed the register. Each query of `written` finds the newest moment of
    a table.
    """

    retention: tuple[RetentionRule, ...] = ()
    erased_with_account: tuple[ErasedRows, ...] = ()
    withdrawn_with_account: tuple[str, ...] = ()
    exported: tuple[ExportedRows, ...] = ()
    ended_with_staff: tuple[EndedRows, ...] = ()
    after_import: tuple[Callable[[Connection], None], ...] = ()
    written: tuple[Select[Any], ...] = ()


def newest(moment: Column[Any]) -> Select[Any]:
    """Return the query for the newest moment of a column."""
    return select(func.max(moment))


def a_day(profile: Profile) -> timedelta:
    """Return how long rows stay after their end, so that machines whose clocks differ agree that they are over."""
    return timedelta(days=1)
