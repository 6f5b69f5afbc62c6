"""Reads a bank's statement: what came in, from CSV or from ISO 20022 camt.053 (P51)."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from services.refusal import Refusal
from services.register.importing.failures import UnusableFile
from services.register.importing.source import Columns, CsvSource
from services.values import money

_LARGEST = 50 * 1024 * 1024
_COLUMNS: Columns = {
    "booked_on": frozenset({"bookedon", "date", "bookingdate", "konyvelesnapja", "konyvelesdatuma", "datum"}),
    "amount": frozenset({"amount", "osszeg", "suma"}),
    "currency": frozenset({"currency", "devizanem", "penznem", "mena"}),
    "text": frozenset({"text", "reference", "kozlemeny", "referencia", "sprava"}),
    "bank_id": frozenset({"bankid", "transactionid", "tranzakcioazonosito", "idtransakcie"}),
    "payer": frozenset({"payer", "fizeto", "partner", "platitel"}),
}
_OPTIONAL = frozenset({"bank_id", "payer"})
_DAY = re.compile(r"(\d{4})[-./ ]{0,2}(\d{2})[-./ ]{0,2}(\d{2})\.?(?:T.*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Entry:
    """Money that came in, as the bank says."""

    key: str
    """A hash by which the same entry is known in another file."""
    booked_on: date
    amount: int
    """In the currency's smallest unit."""
    currency: str
    text: str
    """What the customer wrote, references too; at most 500 characters."""
    payer: str
    """The name; at most 140 characters."""
    is_clear: bool = True
    """Whether the text is of this money alone; not where the bank booked several transfers as one."""


@dataclass(frozen=True)
class Statement:
    """What a file holds."""

    entries: tuple[Entry, ...]
    passed_over: int
    """Entries that are no money coming in, or not booked yet."""
    unread: tuple[int, ...]
    """The lines of the entries that cannot be read; in camt.053 their numbers."""


def read(file: Path) -> Statement:
    """Read a statement whole. Raises UnusableFile when it is neither of both forms, damaged or too large."""
    try:
        if file.stat().st_size > _LARGEST:
            raise UnusableFile(f"{file.name} is larger than {_LARGEST // 1024 // 1024} MB.")
        with file.open("rb") as stream:
            is_xml = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    except OSError as error:
        raise UnusableFile(f"{file.name} cannot be read: {error.strerror}.") from None
    return _read_camt(file) if is_xml else _read_csv(file)


class _Known:
    """Gives each entry its key: by the bank's own id, or by what the entry says and how many before it say the same."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, ...]] = Counter()

    def entry(self, ids: tuple[str, str], day: date, money_in: tuple[int, str], text: str, payer: str) -> Entry:
        """Return an entry; `ids` are the account's and the bank's own of it, if it has one."""
        amount, currency = money_in
        said = (*ids, day.isoformat(), str(amount), currency, text, payer)
        self._seen[said] += 1
        place = "" if ids[1] else str(self._seen[said])
        key = sha256("\x1f".join([*said, place]).encode()).hexdigest()
        return Entry(key, day, amount, currency, " ".join(text.split())[:500], " ".join(payer.split())[:140])


# --- CSV ---------------------------------------------------------------------------------------------------------


def _read_csv(file: Path) -> Statement:
    entries, unread, passed_over, known = [], [], 0, _Known()
    with CsvSource(file, _COLUMNS, _OPTIONAL, frozenset()) as source:
        for line, values in source.records():
            if isinstance(values, Refusal):
                unread.append(line)
                continue
            booked_on, amount, currency, text, bank_id, payer = (value.strip() for value in values)
            try:
                day, units = _day(booked_on), _units(amount, currency)
            except ValueError:
                unread.append(line)
                continue
            if units <= 0:
                passed_over += 1
                continue
            entries.append(known.entry(("", bank_id), day, (units, currency), text, payer))
    return Statement(tuple(entries), passed_over, tuple(unread))


def _units(text: str, currency: str) -> int:
    """Return an amount as banks write it, `24 900,00` or `24900.00`, in the smallest unit. Raises ValueError."""
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    if not re.fullmatch(r"[+-]?\d{1,12}(?:[.,]\d{1,5})?", plain) or not _CURRENCY.fullmatch(currency):
        raise ValueError("amount")
    return _in_units(plain.replace(",", "."), currency)


def _in_units(text: str, currency: str) -> int:
    try:
        units = Decimal(text).scaleb(money.digits(currency))
        if not units.is_finite() or units != units.to_integral_value() or abs(units) >= 10**15:
            raise ValueError("amount")
    except InvalidOperation:
        raise ValueError("amount") from None
    return int(units)


def _day(text: str) -> date:
    """Return a day, ISO or with dots. Raises ValueError."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError("date")
    return date(*(int(part) for part in match.groups()))


# --- camt.053 ----------------------------------------------------------------------------------------------------


class _NoDoctype(TreeBuilder):
    """Builds a tree, and refuses a document type: without one there are no entities to expand or to fetch."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _Doctype


class _Doctype(Exception):
    """The file declares a document type, which no bank's statement does."""


def _read_camt(file: Path) -> Statement:
    parser = XMLParser(target=_NoDoctype())  # noqa: S314 (see _NoDoctype)
    try:
        with file.open("rb") as stream:
            while block := stream.read(1 << 16):
                parser.feed(block)
        root = parser.close()
    except _Doctype:
        raise UnusableFile(f"{file.name} declares a document type, which no statement does.") from None
    except (ParseError, ValueError) as error:
        raise UnusableFile(f"{file.name} is damaged: {error}.") from None
    if not root.tag.partition("}")[0].removeprefix("{").startswith("urn:iso:std:iso:20022:tech:xsd:camt.053."):
        raise UnusableFile(f"{file.name} is no camt.053 statement.")
    entries: list[Entry] = []
    unread: list[int] = []
    passed_over, number, known = 0, 0, _Known()
    for statement in root.iterfind("{*}BkToCstmrStmt/{*}Stmt"):
        account = _text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id")
        for entry in statement.iterfind("{*}Ntry"):
            number += 1
            if not _is_money_in(entry):
                passed_over += 1
                continue
            try:
                entries += _entries_of(entry, account, known)
            except ValueError:
                unread.append(number)
    return Statement(tuple(entries), passed_over, tuple(unread))


def _is_money_in(entry: Element) -> bool:
    status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
    return (
        _text(entry, "CdtDbtInd") == "CRDT" and status in ("", "BOOK") and _text(entry, "RvslInd") not in ("true", "1")
    )


def _entries_of(entry: Element, account: str, known: _Known) -> Iterator[Entry]:
    """Yield the payments of an entry: the bank may have booked several in one sum. Raises ValueError."""
    day = _day((_text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm"))[:10])
    whole, currency = _amount(entry.find("{*}Amt"))
    bank_id = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    details = list(entry.iterfind("{*}NtryDtls/{*}TxDtls"))
    parts = [_amount(_first(one, "Amt", "AmtDtls/TxAmt/Amt")) for one in details] if len(details) > 1 else []
    if not parts or sum(amount for amount, _ in parts) != whole or any(other != currency for _, other in parts):
        text = " ".join(_wording(one) for one in details) or _text(entry, "AddtlNtryInf")
        payer = _payer(details[0]) if len(details) == 1 else ""
        one = known.entry((account, bank_id), day, (whole, currency), text, payer)
        yield replace(one, is_clear=len(details) < 2)
        return
    for place, (detail, (amount, _)) in enumerate(zip(details, parts, strict=True)):
        own = _text(detail, "Refs/AcctSvcrRef") or (f"{bank_id}/{place}" if bank_id else "")
        yield known.entry((account, own), day, (amount, currency), _wording(detail), _payer(detail))


def _wording(detail: Element) -> str:
    found = [_text(detail, "RmtInf/Strd/CdtrRefInf/Ref"), _text(detail, "Refs/EndToEndId")]
    found += [one.text or "" for one in detail.iterfind("{*}RmtInf/{*}Ustrd")]
    return " ".join(one for one in found if one and one != "NOTPROVIDED")


def _payer(detail: Element) -> str:
    return _text(detail, "RltdPties/Dbtr/Nm") or _text(detail, "RltdPties/Dbtr/Pty/Nm")


def _amount(element: Element | None) -> tuple[int, str]:
    if element is None:
        raise ValueError("amount")
    currency = element.get("Ccy", "")
    if not _CURRENCY.fullmatch(currency):
        raise ValueError("currency")
    return _in_units((element.text or "").strip(), currency), currency


def _first(element: Element, *paths: str) -> Element | None:
    return next((found for path in paths if (found := element.find(_any(path))) is not None), None)


def _text(element: Element, path: str) -> str:
    return " ".join((element.findtext(_any(path)) or "").split())


def _any(path: str) -> str:
    return "/".join(f"{{*}}{name}" for name in path.split("/"))
