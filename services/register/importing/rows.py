"""What the rows of the files must hold: the columns, their headers, and the validation of each value.

The values of a record go in as text, the row to stage comes out (dates as ISO text), or a `Refusal` whose field and
reason go to the rejects. Nothing here reads a file or a database.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache, partial
from typing import TypeVar

from services.profiles import Number, Profile
from services.refusal import Refusal
from services.register.importing.failures import UnfitValue
from services.register.importing.rejects import Reject
from services.register.importing.source import Columns, folded
from services.values import email_addresses, identifiers, money
from services.values.identifiers import TaxNumber
from services.values.spelling import plain

T = TypeVar("T")
Row = tuple[str | int | None, ...]
RowReader = Callable[[tuple[str, ...]], Row]

_HEADERS = {
    "kutid": "kutid, küt azonosító, küt id, kütazonosító, ügyfélazonosító, customer id",
    "holder_type": "holder type, szerződő típusa, ügyféltípus, ügyfél típusa, típus, jogi forma",
    "name": "name, név, ügyfélnév, ügyfél neve, szerződő neve",
    "birth_date": "birth date, születési dátum, születési idő, szül. dátum, szül. idő, szerződő születési dátuma",
    "tax_number": "tax number, adószám, szerződő adószáma",
    "postal_code": "postal code, postcode, irányítószám, irsz",
    "customer_number": "customer number, ügyfélszám",
    "birth_number": "birth number, rodné číslo, személyi azonosító",
    "email": "email, e-mail, email cím, e-mail cím, email address, e-mailová adresa",
    "policy_number": "policy number, kötvényszám, szerződésszám, kötvény száma",
    "status": "status, állapot, státusz, szerződés állapota",
    "product": "product, termék, módozat, termékkód",
    "ended_on": "ended on, megszűnés dátuma, megszűnés, törlés dátuma, megszűnés napja",
    "phone": "phone, telefonszám, telefon, mobiltelefonszám, mobil, mobile, phone number",
    "is_default": "is default, default sms, default, alapértelmezett, alapértelmezett sms telefonszám, sms telefonszám",
    "account_number": "account number, customer account number, ügyfélszámlaszám, ügyfélszámla száma",
    "old_number": "old number, old account number, régi ügyfélszámlaszám, régi szám",
    "manager": "manager, kezelő, ügyfélszámla kezelője",
    "intermediary": "intermediary, közvetítő, biztosításközvetítő, kezelő neve",
    "communication_id": "communication id, kommunikációs azonosító",
    "adviser": "adviser, tanácsadó, tanácsadó kódja, üzletkötő, üzletkötő kódja, közvetítő kódja, adviser code",
    "title": "title, megnevezés, termék neve, módozat neve, biztosítás neve, názov poistenia",
    "insured": "insured, biztosított, biztosított vagyontárgy, mit biztosít, predmet poistenia",
    "starts_on": "starts on, kezdete, kezdet, kockázatviselés kezdete, start, začiatok poistenia",
    "anniversary": "anniversary, évforduló, biztosítási évforduló, výročie",
    "premium": "premium, díj, biztosítási díj, díjrészlet, poistné",
    "currency": "currency, pénznem, devizanem, mena",
    "frequency": "frequency, díjfizetés gyakorisága, fizetés gyakorisága, díjfizetés üteme, obdobie platenia",
    "paid_until": "paid until, díj kifizetve eddig, díjrendezettség, díj rendezve, zaplatené do",
    "cover_until": "cover until, fedezet vége, kockázatviselés vége, poistná ochrana do",
    "end_reason": "end reason, megszűnés oka, törlés oka, dôvod ukončenia",
    "number": "number, invoice number, számlaszám, számla száma, sorszám, číslo faktúry",
    "amount": "amount, összeg, fizetendő, suma",
    "due_on": "due on, due date, fizetési határidő, határidő, esedékesség, splatnosť",
    "period_from": "period from, időszak kezdete, obdobie od",
    "period_until": "period until, időszak vége, obdobie do",
    "letter": "letter, document, levél, list",
    "state": "state, állapot, stav",
    "section": "section, szakasz, fejezet, oddiel",
    "label": "label, megnevezés, címke, názov",
    "value": "value, érték, hodnota",
    "position": "position, sorrend, sorszám, poradie",
    "language": "language, nyelv, jazyk",
    "password": "password, jelszó",
    "password_hash": "password hash, jelszó hash, jelszó lenyomat, jelszólenyomat",
}

_HOLDER_TYPES = {
    "person": "person, magánszemély, természetes személy",
    "company": "company, cég, egyéni vállalkozó, egyéni vállalkozás, cég egyéni vállalkozás, jogi személy, sole trader",
}
_STATUSES = {"live": "live, élő, aktív", "cancelled": "cancelled, canceled, törölt, megszűnt"}
_YES_OR_NO = {"yes": "yes, 1, true, igen, áno, i", "no": "no, 0, false, nem, nie, n"}
_MANAGERS = {
    "customer": "customer, ügyfél, tulajdonos, ügyfélszámla tulajdonos",
    "intermediary": "intermediary, broker, agent, közvetítő, biztosításközvetítő, alkusz, ügynök",
}
_FREQUENCIES = {
    "yearly": "yearly, annual, annually, éves, évente, ročne",
    "half_yearly": "half yearly, semiannual, féléves, félévente, polročne",
    "quarterly": "quarterly, negyedéves, negyedévente, štvrťročne",
    "monthly": "monthly, havi, havonta, mesačne",
    "single": "single, once, egyszeri, egyszer, jednorazovo",
}
_END_REASONS = {
    "customer": "customer, ügyfél felmondása, szerződő felmondása, výpoveď poistníka",
    "insurer": "insurer, biztosító felmondása, výpoveď poisťovne",
    "unpaid": "unpaid, díjnemfizetés, nezaplatené poistné",
    "sold": "sold, eladás, predaj",
    "withdrawn": "withdrawn, kivonás, forgalomból kivonás, vyradenie",
    "term": "term, lejárat, tartam lejárta, uplynutie doby",
    "replaced": "replaced, szerződésváltás, új szerződés, nová zmluva",
}

_STATES = {
    "due": "due, open, esedékes, nyitott, na zaplatenie",
    "paid": "paid, kiegyenlített, kifizetett, rendezett, zaplatené",
    "refunded": "refunded, visszatérített, visszautalt, vrátené",
}

_WORDS = {
    "holder_type": _HOLDER_TYPES,
    "status": _STATUSES,
    "is_default": _YES_OR_NO,
    "manager": _MANAGERS,
    "frequency": _FREQUENCIES,
    "state": _STATES,
    "end_reason": _END_REASONS,
}
_LONGEST_TEXTS = {
    "name": 300,
    "product": 32,
    "intermediary": 300,
    "adviser": 64,
    "password": 200,
    "title": 200,
    "insured": 300,
    "end_reason": 200,
    "section": 80,
    "label": 120,
    "value": 500,
}

_WORD = re.compile(r"[\w .()/'’-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DATE = re.compile(
    r"'?(\d{4})(?:-(\d{1,2})-(\d{1,2})|\. ?(\d{1,2})\. ?(\d{1,2})\.?|/(\d{1,2})/(\d{1,2})|(\d\d)(\d\d))"
    r"(?:[T ] ?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"(?: ?(?:(?P<utc>Z|UTC|GMT)|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?))?)?",
    re.ASCII,
)
# A time without a time zone says no more than the day where the day begins or ends with it.
_WHOLE_DAY = (time(0), time(23, 59), time(23, 59, 59))
# Up to a cost at which one comparison takes some seconds: a dearer one would keep everybody's passwords waiting.
_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")
# Only where the country's own form follows: Vienna's A-1010 without its letter would be a part of Budapest.
_POSTAL_CODE_COUNTRY = re.compile(r"^(?:HU?(?=[0-9]{4}$)|SK(?=[0-9]{5}$))")
_LONGEST_POSTAL_CODE = 16
_MONTH_AND_DAY = re.compile(r"(\d{1,2})(?:-(\d{1,2})|\. ?(\d{1,2})\.?)", re.ASCII)
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_][a-z]{2})?", re.IGNORECASE)
_INVOICE_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,34}")
_INVOICED = ("HUF", "EUR", "CZK")
"""As the API takes them."""
_OPAQUE = re.compile(r"[0-9A-Za-z_-]{1,32}")
_TOO_MUCH = 10**12
_HIGHEST_POSITION = 1_000_000_000
_TEXTS_OF_ROW = ("section", "label", "value")
_SHOWN_DAYS = ("starts_on", "paid_until", "cover_until")


@dataclass(frozen=True)
class Kind:
    """One of the files: its name is the register's table, its fields are the columns, in order.

    `key` is the field that a second row must not repeat. Columns in `optional` may be missing: what the register has
    in them stays. Of `alternatives` one is enough.
    """

    name: str
    fields: tuple[str, ...]
    key: str
    optional: frozenset[str] = frozenset()
    alternatives: frozenset[str] = frozenset()

    @property
    def columns(self) -> Columns:
        """The headers that each field may have."""
        return {field: _words(_HEADERS[field]) for field in self.fields}


def _words(listed: str) -> frozenset[str]:
    return frozenset(map(folded, listed.split(",")))


CUSTOMERS = Kind(
    "customers",
    (
        "kutid",
        "holder_type",
        "name",
        "birth_date",
        "tax_number",
        "postal_code",
        "customer_number",
        "birth_number",
        "email",
    ),
    key="kutid",
    optional=frozenset({"postal_code", "customer_number", "birth_number", "email"}),
)
_SHOWN = (
    "account_number",
    "title",
    "insured",
    "starts_on",
    "anniversary",
    "premium",
    "currency",
    "frequency",
    "paid_until",
    "cover_until",
    "end_reason",
)
"""What the portal alone shows of a policy: none of it refuses a row."""
_NOTHING_SHOWN: Row = (None,) * len(_SHOWN)
POLICIES = Kind(
    "policies",
    ("policy_number", "kutid", "status", "product", "ended_on", *_SHOWN),
    key="policy_number",
    optional=frozenset({"product", "ended_on", *_SHOWN}),
)
PHONES = Kind(
    "phones", ("kutid", "policy_number", "phone", "is_default"), key="phone", optional=frozenset({"is_default"})
)
COMMUNICATION_IDS = Kind(
    "communication_ids",
    ("communication_id", "kutid", "password", "password_hash"),
    key="communication_id",
    alternatives=frozenset({"password", "password_hash"}),
)
CUSTOMER_ACCOUNTS = Kind(
    "customer_accounts",
    ("account_number", "kutid", "old_number", "manager", "intermediary"),
    key="account_number",
    optional=frozenset({"old_number", "intermediary"}),
)
ADVISERS = Kind("advisers", ("kutid", "adviser"), key="kutid")
POLICY_ROWS = Kind(
    "policy_rows",
    ("policy_number", "section", "label", "value", "position", "language"),
    key="position",
    optional=frozenset({"position", "language"}),
)
INVOICES = Kind(
    "invoices",
    (
        "number",
        "policy_number",
        "amount",
        "currency",
        "due_on",
        "period_from",
        "period_until",
        "letter",
        "state",
    ),
    key="number",
    optional=frozenset({"period_from", "period_until", "letter", "state"}),
)
"""A file of the same form that is not the register's: `services.payments.invoice_import` takes it in."""
KINDS = (CUSTOMERS, POLICIES, PHONES, COMMUNICATION_IDS, CUSTOMER_ACCOUNTS, ADVISERS, POLICY_ROWS)
"""Parents before children: the order in which files are read and merged."""


class RowReaders:
    """Validates rows.

    `profile` says which form the numbers have that customers type, in which country phone numbers without a country
    code belong, and in which time zone a moment has its day. `today` bounds birth dates. `left_out` counts, by field,
    the values that sound rows had to be taken without.
    """

    def __init__(self, profile: Profile, today: date) -> None:
        self.left_out: Counter[str] = Counter()
        self._region = profile.country
        self._zone = profile.zone
        self._currency = money.currency_of(profile.country)
        self._numbers: Mapping[str, Number] = {str(kind): n for kind, n in profile.identification.identifiers.items()}
        self._today = today
        self._shown_by: Mapping[str, Callable[[str], str | int]] = {
            "account_number": partial(self._number, field="account_number"),
            "title": partial(_text, field="title"),
            "insured": partial(_text, field="insured"),
            "anniversary": partial(_anniversary, zone=self._zone, region=self._region),
            "currency": money.currency,
            "frequency": partial(_word, field="frequency"),
            "end_reason": _end_reason,
            **dict.fromkeys(_SHOWN_DAYS, partial(_date, field="ended_on", zone=self._zone)),
        }
        self._of = {
            CUSTOMERS: self._customer,
            POLICIES: self._policy,
            PHONES: self._phone,
            COMMUNICATION_IDS: self._communication_id,
            CUSTOMER_ACCOUNTS: self._customer_account,
            ADVISERS: self._adviser,
            POLICY_ROWS: self._policy_row,
            INVOICES: self._invoice,
        }

    def of(self, kind: Kind) -> RowReader:
        """Return the function that turns a record of `kind` into a row, or raises Refusal."""
        return self._of[kind]

    def _customer(self, values: tuple[str, ...]) -> Row:
        kutid, holder_type, name, birth_date, tax_number, postal_code, customer_number, birth_number, email = values
        holder = _word(holder_type, "holder_type")
        is_person = holder == "person"
        row = (
            self._number(kutid, "kutid"),
            holder,
            _text(name, "name") or _refuse("name", "empty"),
            self._birth_date(birth_date, is_needed=is_person),
            _tax_number(tax_number, self._region, is_needed=not is_person),
            _if_sound(_postal_code, postal_code),
            self._number(customer_number, "customer_number") if customer_number.strip() else None,
            # A Hungarian personal identifier is none: nobody is asked for it.
            _if_sound(identifiers.birth_number, birth_number),
            # One that is unsound reaches nobody and is left out, not refused.
            email_addresses.normalised(email) if email else None,
        )
        for field, given, taken in zip(CUSTOMERS.fields[3:], values[3:], row[3:], strict=True):
            # A hyphen stands for nothing in many files.
            if taken is None and given.strip(" -"):
                self.left_out[field] += 1
        return row

    def _policy(self, values: tuple[str, ...]) -> Row:
        policy_number, kutid, status, product, ended_on, *shown = values
        return (
            self._number(policy_number, "policy_number"),
            self._number(kutid, "kutid"),
            _word(status, "status"),
            _text(product, "product") or None,
            _date(ended_on, "ended_on", self._zone) if ended_on.strip() else None,
            *(self._shown(shown) if any(shown) else _NOTHING_SHOWN),
        )

    def _shown(self, values: list[str]) -> Row:
        """Return what the portal shows of a policy; what is unsound is left out and counted, as of customers."""
        given = dict(zip(_SHOWN, values, strict=True))
        currency = _if_sound(money.currency, given["currency"]) if given["currency"].strip() else self._currency
        premium: Callable[[str], int] = partial(_premium, currency=currency)
        read: Mapping[str, Callable[[str], str | int]] = {**self._shown_by, "premium": premium}
        row = tuple(_if_sound(read[field], text) for field, text in given.items())
        for field, text, taken in zip(_SHOWN, values, row, strict=True):
            if taken is None and text.strip(" -"):
                self.left_out[field] += 1
        return row

    def _policy_row(self, values: tuple[str, ...]) -> Row:
        """Return the row; one without a label says of its policy that the file speaks of it, as of phones."""
        policy_number = self._number(values[0], "policy_number")
        mention: Row = (policy_number, None, None, None, None, None)
        try:
            section, label, value = (_text(text, field) for field, text in zip(_TEXTS_OF_ROW, values[1:4], strict=True))
            if not value:
                return mention
            return (
                policy_number,
                section,
                label or _refuse("label", "empty"),
                value,
                _position(values[4]),
                _language(values[5]),
            )
        except Refusal as refusal:
            raise UnfitValue(refusal.field, refusal.reason, row=mention) from None

    def _invoice(self, values: tuple[str, ...]) -> Row:
        """Return the row; the currency is one of the profile's country where there is none."""
        number, policy_number, amount, currency, due_on, period_from, period_until, letter, state = map(
            str.strip, values
        )
        if not _INVOICE_NUMBER.fullmatch(number):
            raise UnfitValue("number", "malformed" if number else "empty")
        money_of = money.currency(currency) if currency else self._currency
        if money_of not in _INVOICED:
            raise UnfitValue("currency", "malformed")
        return (
            number,
            self._number(policy_number, "policy_number"),
            _due(amount, money_of),
            money_of,
            _date(due_on, "due_on", self._zone),
            _date(period_from, "period_from", self._zone) if period_from else None,
            _date(period_until, "period_until", self._zone) if period_until else None,
            _letter(letter) if letter else None,
            _word(state, "state") if state else "due",
        )

    def _phone(self, values: tuple[str, ...]) -> Row:
        """Return the phone's row; one without a number says of its customer that the file speaks of them.

        That row stands for an empty phone, and travels as the fact `row` with every refusal: a customer's numbers are
        replaced as a set, and a number that the file no longer has must not survive by a typing error beside it.
        """
        kutid = self._number(values[0], "kutid")
        mention: Row = (kutid, None, None, None, False)
        if not values[2].strip():
            return mention
        try:
            number = identifiers.phone(values[2], self._region)
            policy_number = self._number(values[1], "policy_number")
            is_default = bool(values[3].strip()) and _word(values[3], "is_default") == "yes"
        except Refusal as refusal:
            raise UnfitValue(refusal.field, refusal.reason, row=mention) from None
        return kutid, policy_number, number, identifiers.is_mobile(number, self._region), is_default

    def _communication_id(self, values: tuple[str, ...]) -> Row:
        """Return the row with the plain password in place of the hash where the file has no hash."""
        communication_id, kutid, password, password_hash = values
        known_hash = password_hash.strip()
        if known_hash and not _BCRYPT.fullmatch(known_hash):
            raise UnfitValue("password_hash", "malformed")
        if not known_hash and not password:
            raise UnfitValue("password", "empty")
        return (
            identifiers.communication_id(communication_id),
            self._number(kutid, "kutid"),
            None if known_hash else _password(password),
            known_hash or None,
        )

    def _customer_account(self, values: tuple[str, ...]) -> Row:
        account_number, kutid, old_number, manager, intermediary = values
        who = _word(manager, "manager")
        name = _text(intermediary, "intermediary") or None
        if who == "intermediary" and name is None:
            # Customers are told whom to turn to.
            raise UnfitValue("intermediary", "empty")
        return (
            self._number(account_number, "account_number"),
            self._number(kutid, "kutid"),
            self._number(old_number, "old_number") if old_number.strip() else None,
            who,
            name,
        )

    def _adviser(self, values: tuple[str, ...]) -> Row:
        kutid, adviser = values
        return self._number(kutid, "kutid"), _text(adviser, "adviser").casefold() or None

    def _number(self, text: str, field: str) -> str:
        """Return the number in `text`, in the form that the profile demands of customers who type it, if it does."""
        number = identifiers.code(text, field)
        looks = self._numbers.get(field)
        if looks is not None and not looks.fits(number):
            raise UnfitValue(field, "form")
        # Where any code will do, 10000001E0 would be one.
        if looks is None and not number.isdigit() and identifiers.is_spreadsheet_number(text):
            raise UnfitValue(field, "malformed")
        return number

    def _birth_date(self, text: str, *, is_needed: bool) -> str | None:
        """Return the birth date; one that identifies nobody is left out where it is unsound, not refused."""
        try:
            day = _date(text, "birth_date", self._zone) if text and not text.isspace() else None
            if day and day > self._today.isoformat():
                raise UnfitValue("birth_date", "future")
            if day and day < "1900":
                raise UnfitValue("birth_date", "too_old")
        except Refusal:
            if is_needed:
                raise
            return None
        return day


def reject(kind: Kind, line: int, values: tuple[str, ...], refusal: Refusal) -> Reject:
    """Return what the rejects say of a record of `kind`, with the refusal's cause where the value shows it."""
    given, reason = dict(zip(kind.fields, values, strict=True)), refusal.reason
    if reason in ("malformed", "form") and identifiers.is_spreadsheet_number(given[refusal.field]):
        reason = "spreadsheet"
    # What is no KÜTID may be anything, by a shifted column: it is not copied.
    return Reject(line, _if_sound(identifiers.kutid, given.get("kutid", "")) or "", refusal.field, reason)


def accepted(profile: Profile) -> Mapping[str, str]:
    """Return, by field, which forms are accepted, for the person who mends the export."""
    dates = "1985-03-14, 1985.03.14., 1985/03/14, 19850314 or a moment with its offset, such as 1985-03-13T23:00:00Z"
    code = "letters and digits, at most 32"
    words = {field: ", ".join(meanings.values()) for field, meanings in _WORDS.items()}
    numbers = {
        str(kind): f"{looks.digits} digits" if looks.digits else f"{looks.characters} letters and digits"
        for kind, looks in profile.identification.identifiers.items()
    }
    return {
        **dict.fromkeys(("kutid", "policy_number", "account_number", "customer_number", "old_number"), code),
        **numbers,
        **words,
        **dict.fromkeys(("birth_date", "ended_on", "due_on", "period_from", "period_until"), dates),
        "number": "letters, digits, dots and hyphens, at most 35",
        "amount": "an integer of the currency's smallest unit, or with exactly the currency's decimals",
        "currency": "HUF, EUR or CZK",
        "phone": identifiers.written(identifiers.example(profile.country)),
        "tax_number": "10 digits" if profile.country == "SK" else "12345676-2-42 or 12345676",
        "communication_id": "K or T and 7 digits",
        "position": "a whole number up to 1 000 000 000",
        "language": "a code such as hu",
        "password_hash": "a hash of bcrypt, of a cost from 4 to 16",
        **{field: f"at most {longest} characters in one line" for field, longest in _LONGEST_TEXTS.items()},
    }


def _refuse(field: str, reason: str) -> str:
    raise UnfitValue(field, reason)


def _text(text: str, field: str) -> str:
    """Return `text` in NFC without spaces around it; every other character stays."""
    if _CONTROL.search(text):
        raise UnfitValue(field, "characters")
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) > _LONGEST_TEXTS[field]:
        raise UnfitValue(field, "too_long")
    return text


def _password(text: str) -> str:
    """Return the password as it is: spaces around it may be part of it."""
    _text(text, "password")
    return text


_VOCABULARIES = {
    field: {word: meaning for meaning, listed in meanings.items() for word in _words(listed)}
    for field, meanings in _WORDS.items()
}


@lru_cache(256)
def _word(text: str, field: str) -> str:
    """Return what the word, English or Hungarian, means; a sign that may turn it round, as in “!yes”, is refused."""
    spelled = unicodedata.normalize("NFC", plain(text))
    if not _WORD.fullmatch(spelled):
        raise UnfitValue(field, "malformed")
    word = folded(spelled)
    if not word:
        raise UnfitValue(field, "empty")
    meaning = _VOCABULARIES[field].get(word)
    return meaning or _refuse(field, "malformed")


def _tax_number(text: str, region: str, *, is_needed: bool) -> str | None:
    """Return the tax number, its check digit unseen; a person's is left out where it is none, not refused."""
    if not text or text.isspace():
        return None
    try:
        number = TaxNumber.parse(text)
        if number.region != region:
            raise UnfitValue("tax_number", "malformed")
        return str(number)
    except Refusal:
        if is_needed:
            raise
        return None


def _if_sound(read: Callable[[str], T], text: str) -> T | None:
    """Return what `read` makes of a value that the register can do without; one that is unsound is left out."""
    if not text or text.isspace():
        return None
    try:
        return read(text)
    except Refusal:
        return None


def _letter(text: str) -> str:
    return text if _OPAQUE.fullmatch(text) else _refuse("letter", "malformed")


def _due(text: str, currency: str) -> int:
    """Return what is to be paid, more than nothing."""
    try:
        amount = money.parse(text, currency)
    except Refusal:
        amount = 0
    if not 0 < amount < _TOO_MUCH:
        raise UnfitValue("amount", "malformed")
    return amount


def _premium(text: str, currency: str | None) -> int:
    """Return the amount; in a currency that cannot be read it would be another one."""
    if currency is None:
        raise UnfitValue("premium", "malformed")
    return money.parse(text, currency)


@lru_cache(1024)
def _anniversary(text: str, zone: tzinfo, region: str) -> str:
    """Return month and day, as 03-14, of a date or of a month and a day: 03-14, and in Hungary 03.14."""
    match = _MONTH_AND_DAY.fullmatch(plain(text))
    if match and match[3] and region != "HU":
        # Elsewhere the day comes first.
        raise UnfitValue("anniversary", "malformed")
    if match:
        try:
            return date(2000, int(match[1]), int(match[2] or match[3])).isoformat()[5:]
        except ValueError:
            raise UnfitValue("anniversary", "impossible") from None
    return _date(text, "anniversary", zone)[5:]


def _end_reason(text: str) -> str:
    """Return the reason's word where it is one of ours, or else the insurer's own words."""
    own = _text(text, "end_reason")
    return _VOCABULARIES["end_reason"].get(folded(own), own)


def _position(text: str) -> int | None:
    if not text.strip():
        return None
    digits = plain(text)
    if not digits.isdecimal() or int(digits) > _HIGHEST_POSITION:
        raise UnfitValue("position", "malformed")
    return int(digits)


def _language(text: str) -> str:
    """Return the language of a row, empty where it is for every language."""
    if not text.strip():
        return ""
    match = _LANGUAGE.fullmatch(text.strip())
    return match[1].lower() if match else _refuse("language", "malformed")


def _postal_code(text: str) -> str:
    """Return the postcode without the letters of its country where it is Hungarian or Slovak."""
    code = _POSTAL_CODE_COUNTRY.sub("", identifiers.code(text, "postal_code"))
    if len(code) > _LONGEST_POSTAL_CODE:
        raise UnfitValue("postal_code", "too_long")
    return code


@lru_cache(65_536)
def _date(text: str, field: str, zone: tzinfo) -> str:
    """Return the ISO date in `text`: 1985-03-14, 1985.03.14., 1985. 3. 14., 1985/03/14 or 19850314.

    A moment with its offset from UTC gives the day that it belongs to in `zone`. Raises Refusal(field, "malformed" |
    "impossible" | "time").
    """
    match = _DATE.fullmatch(plain(text))
    if not match:
        raise UnfitValue(field, "malformed")
    year, month, day = (int(part) for part in match.groups()[:9] if part is not None)
    try:
        written = date(year, month, day)
        return (written if match["hour"] is None else _day_in(zone, written, match, field)).isoformat()
    except (ValueError, OverflowError):
        raise UnfitValue(field, "impossible") from None


def _day_in(zone: tzinfo, written: date, match: re.Match[str], field: str) -> date:
    """Return the day of a moment; without a time zone nobody can tell it, except where the time says nothing more."""
    at = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    if not (match["utc"] or match["sign"]):
        if at not in _WHOLE_DAY:
            raise UnfitValue(field, "time")
        return written
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    moment = datetime.combine(written, at, timezone(-offset if match["sign"] == "-" else offset))
    return moment.astimezone(zone).date()
