"""What an import found and did: plain facts, frozen, for the command to print."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class FileReport:
    """One file's rows: each was added, changed something, was there already, or was refused."""

    kind: str
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int


@dataclass(frozen=True)
class Finding:
    """Something about the register's data that keeps customers from registering: how often, and a few examples."""

    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quality:
    """The state of the whole register's data after the import. Examples are KÜTIDs, or masked phone numbers."""

    customers: int
    without_mobile: Finding
    without_second_datum: Finding  # a person without a birth date, a company without a tax number
    tax_number_without_rest: Finding
    tax_number_check_fails: Finding
    shared_phones: Finding  # by four customers or more
    damaged_names: Finding  # by a wrong encoding


@dataclass(frozen=True)
class ImportReport:
    """One run: its files, the register's quality, how long it took and how long it held the register's lock.

    `phones_removed` counts the register's phones that went: the files no longer have them, or gave their policy to
    another customer. `rows_removed` counts the rows of policies that
    the files no longer have. `left_out` counts, by field, the unsound values without which rows were taken.
    """

    files: tuple[FileReport, ...]
    left_out: Mapping[str, int]
    phones_removed: int
    rows_removed: int
    quality: Quality
    is_dry_run: bool
    duration: timedelta
    locked_for: timedelta
