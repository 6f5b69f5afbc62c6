"""The import of the register, through its one door, on SQLite and on PostgreSQL."""

import csv
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from services.profiles import load
from services.register.importing import DatabaseFailed, RegisterBusy, RegisterImport, TooManyRejects, UnusableFile
from services.store.engine import Store
from services.store.tables.references import reference_codes
from services.store.tables.register import REGISTER, advisers, communication_ids, contact_changes, customer_accounts
from services.store.tables.register import customers as customers_table
from services.store.tables.register import phones as phones_table
from services.store.tables.register import policies as policies_table
from services.store.tables.worklists import quality_sweep
from tests import ROOT

DEMO = ROOT / "services/profiles/mygenerali/demo"
PROFILE = load("genertel")  # whose customers are not asked for a policy number: those of these files are short
KINDS = ("customers", "policies", "phones", "communication_ids", "customer_accounts", "advisers", "policy_rows")

CUSTOMERS = """kutid;holder_type;name;birth_date;tax_number;postal_code
1;person;Kovács Anna;1985-03-14;;1066
2;company;Minta Kft.;;12345676-2-42;6720
"""
POLICIES = """policy_number;kutid;status;product;ended_on
901;1;live;motor;
902;1;cancelled;home;2024-06-30
903;2;live;;
"""
PHONES = """kutid;policy_number;phone
1;901;06 20 123 4567
1;902;06 1 234 5678
2;903;06 30 987 6543
"""
ACCOUNTS = """account_number;kutid;old_number;manager;intermediary
7000001;1;OLD0001;customer;
7000002;2;;intermediary;Példa Alkusz Kft.
"""
ADVISERS = """kutid;Üzletkötő kódja
1;UK-0007
"""
IDS = """communication_id;kutid;password
K1234567;1;Levelezes2020
"""

NOTHING_SHOWN = (None,) * 11
"""What the portal shows of a policy, where the file has none of those columns."""
ROWS = """policy_number;section;label;value;position;language
901;Fedezetek;Dologi károk;495 000 000 Ft;1;hu
901;Fedezetek;Területi hatály;Európa;2;hu
903;;Limit;1;;
"""

WHOLE = {
    "customers": CUSTOMERS,
    "policies": POLICIES,
    "phones": PHONES,
    "communication_ids": IDS,
    "customer_accounts": ACCOUNTS,
    "advisers": ADVISERS,
    "policy_rows": ROWS,
}


class NoonClock:
    def __init__(self, now=datetime(2026, 11, 21, 12, tzinfo=UTC)):
        self._now = now

    def now(self):
        return self._now


class Office:
    """Somebody who imports files into one store and looks at what came of it."""

    def __init__(self, store, folder, profile=PROFILE):
        self.store = store
        self.profile = profile
        self.folder = folder
        self.now = NoonClock().now()
        self.hashed = []
        self.importer = None

    def run(self, *, is_dry_run=False, progress=lambda *_: None, encoding="utf-8", max_rejects=None, **texts):
        files = {}
        for kind, text in texts.items():
            files[kind] = self.folder / f"{kind}.csv"
            files[kind].write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        self.importer = RegisterImport(
            self.store,
            NoonClock(self.now),
            self.profile,
            make_hash=self.make_hash,
            is_password=lambda text, hashed: hashed == f"hash of {text}",
            progress=progress,
        )
        return self.importer.run(
            files, rejects=self.folder / "rejects.csv", max_rejects=max_rejects, is_dry_run=is_dry_run
        )

    def make_hash(self, text):
        self.hashed.append(text)
        return f"hash of {text}"

    def rows(self, table):
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]

    def register(self):
        return [self.rows(table) for table in REGISTER]

    def rejects(self):
        with (self.folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as stream:
            return [
                (row["file"].removesuffix(".csv"), int(row["line"]), row["field"], row["reason"])
                for row in csv.DictReader(stream, delimiter=";")
            ]

    def is_anybody_waiting(self):
        """Whether a transaction waits for another's lock; SQLite cannot tell, and has but the one lock anyway."""
        if self.store.is_sqlite:
            return True
        with self.store.read() as connection:
            return connection.exec_driver_sql("SELECT bool_or(NOT granted) FROM pg_locks").scalar()

    def phones_of(self, kutid):
        return [number for owner, _, number, *_ in self.rows(phones_table) if owner == kutid]


@pytest.fixture
def office(store, tmp_path):
    return Office(store, tmp_path)


@pytest.fixture
def filled(office):
    office.run(customers=CUSTOMERS, policies=POLICIES, phones=PHONES)
    return office


def counts(report, kind):
    file = next(file for file in report.files if file.kind == kind)
    return file.added, file.changed, file.unchanged, file.refused


def test_everything_arrives_in_the_register(office):
    report = office.run(customers=CUSTOMERS, policies=POLICIES, phones=PHONES, communication_ids=IDS)
    assert office.register() == [
        [
            ("1", "person", "Kovács Anna", date(1985, 3, 14), None, "1066", None, None, None),
            ("2", "company", "Minta Kft.", None, "12345676-2-42", "6720", None, None, None),
        ],
        [
            ("901", "1", "live", "motor", None, *NOTHING_SHOWN),
            ("902", "1", "cancelled", "home", date(2024, 6, 30), *NOTHING_SHOWN),
            ("903", "2", "live", None, None, *NOTHING_SHOWN),
        ],
        [
            ("1", "901", "+36201234567", True, False),
            ("1", "902", "+3612345678", False, False),
            ("2", "903", "+36309876543", True, False),
        ],
        [("K1234567", "1", "hash of Levelezes2020")],
        [],
        [],
        [],
    ]
    assert [counts(report, kind) for kind in KINDS[:4]] == [(2, 0, 0, 0), (3, 0, 0, 0), (3, 0, 0, 0), (1, 0, 0, 0)]
    assert office.importer.is_committed
    assert office.rejects() == []


def test_the_demo_data_set_is_the_contracts(office):
    report = office.run(**{kind: (DEMO / f"{kind}.csv").read_bytes() for kind in KINDS[:4]})
    assert [file.refused for file in report.files] == [0, 0, 0, 0]
    customers = {row[0]: row for row in office.rows(customers_table)}
    policies = {row[0]: row for row in office.rows(policies_table)}
    phones = {(kutid, policy): number for kutid, policy, number, *_ in office.rows(phones_table)}
    assert (len(customers), len(policies), len(phones)) == (529, 1031, 529)
    assert customers["10000001"] == (
        "10000001",
        "person",
        "Kovács Anna",
        date(1985, 3, 14),
        None,
        "1066",
        None,
        None,
        None,
    )
    assert customers["10000005"][1:6] == ("company", "Tóth Gábor e.v.", None, "23456787", "9021")
    assert customers["10000009"][2] == 'Fekete <b>Márta</b> & "Fiai"'
    assert policies["940000004"][1:3] + policies["940000004"][4:5] == ("10000003", "cancelled", date(2024, 6, 30))
    assert phones["10000001", "940000002"] == "+36301112233"
    assert not any(kutid == "10000007" for kutid, _ in phones)
    for number in range(500):
        kutid, policy = str(10000101 + number), str(940100101 + number)
        assert customers[kutid][3:6] == (date(1990, 1, 1), None, "1011")
        assert policies[policy][1:3] == (kutid, "live")
        assert phones[kutid, policy] == f"+36201000{101 + number}"
    for number in range(20):
        kutid, policy = str(10000701 + number), str(940200001 + number)
        assert customers[kutid][1] == "company"
        assert customers[kutid][5] == "1117"
        assert phones[kutid, policy] == f"+363010000{1 + number:02}"
    assert (customers["10000701"][4], customers["10000720"][4]) == ("20000019-2-41", "20000208-2-41")
    assert office.hashed == ["Levelezes2020"]
    assert report.quality.without_mobile.examples == ("10000004", "10000007")
    assert report.quality.tax_number_check_fails.count == 0
    assert report.quality.tax_number_without_rest.examples == ("10000005",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_encodings_separators_and_hungarian_headers(office, encoding, separator):
    text = (
        " KÜT-azonosító ;NÉV;Szerződő típusa;Ország;Születési Dátum;ADÓSZÁM\r\n"
        '1;"Űző ""Ő"" Éva";Magánszemély;HU;1985.03.14.;\r\n'
        "2;Tóth Gábor e.v.;egyéni vállalkozó;HU;;23456787\r\n"
        "3;Cég Kft.;CÉG;HU;;12345676-2-42"
    )
    report = office.run(customers=text.replace(";", separator), encoding=encoding)
    assert [row[:5] for row in office.rows(customers_table)] == [
        ("1", "person", 'Űző "Ő" Éva', date(1985, 3, 14), None),
        ("2", "company", "Tóth Gábor e.v.", None, "23456787"),
        ("3", "company", "Cég Kft.", None, "12345676-2-42"),
    ]
    assert counts(report, "customers") == (3, 0, 0, 0)


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;;;", "sep=,"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_excels_line_about_the_separator_is_no_header(office, first, end):
    office.run(customers=(f"{first}\n" + CUSTOMERS + "3;nobody;A;;;\n").replace("\n", end), encoding="utf-8-sig")
    assert [row[0] for row in office.rows(customers_table)] == ["1", "2"]
    assert office.rejects() == [("customers", 5, "holder_type", "malformed")]


@pytest.mark.parametrize(
    "written",
    [
        "1985-03-14", "1985.03.14.", "1985.03.14", "1985. 3. 14.", "1985/03/14", "19850314",
        "1985-03-14 00:00:00", "1985.03.14. 0:00", "1985-03-14T23:59:59.999",
        # Moments: the insurer's day counts, with winter and summer time.
        "1985-03-13T23:00:00Z", "1985-03-13 23:00:00.000 UTC", "1985-03-14T00:00+01:00", "1985-03-13T18:00:00-0500",
        "1985-03-14T22:59:59Z", "1985-03-14T08:00:00+09",
    ],
)  # fmt: skip
def test_dates(office, written):
    office.run(customers=CUSTOMERS.replace("1985-03-14", written))
    assert office.rows(customers_table)[0][3] == date(1985, 3, 14)


def test_a_moment_in_summer_time_belongs_to_the_insurers_day(office):
    office.run(
        customers=CUSTOMERS.replace("1985-03-14", "1985-07-13T22:00:00Z"),
        policies="policy_number;kutid;status;ended_on\n901;1;cancelled;2024-06-29T22:00:00Z\n",
    )
    assert office.rows(customers_table)[0][3] == date(1985, 7, 14)
    assert office.rows(policies_table)[0][4] == date(2024, 6, 30)


def test_today_is_the_insurers_day(office):
    office.now = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    office.run(customers=CUSTOMERS.replace("1985-03-14", "2026-11-21"))
    assert office.rejects() == []


def test_names_keep_every_character_in_one_normal_form(office):
    name = 'Fekete <b>Ma\u0301rta</b> & "Fiai"'
    office.run(
        customers=f'kutid,holder_type,name,birth_date,tax_number\n1,person," {name.replace(chr(34), chr(34) * 2)} ",,\n'
    )
    assert office.rows(customers_table)[0][2] == 'Fekete <b>Márta</b> & "Fiai"'


REFUSED = [
    ("customers", ";person;A;;;", "kutid", "empty"),
    ("customers", "é1;person;A;;;", "kutid", "malformed"),
    ("customers", f"{'9' * 33};person;A;;;", "kutid", "malformed"),
    ("customers", "9;alien;A;;;", "holder_type", "malformed"),
    ("customers", "9;;A;;;", "holder_type", "empty"),
    ("customers", "9;person; ;;;", "name", "empty"),
    ("customers", "9;person;A\0B;;;", "name", "characters"),
    ("customers", '9;person;"A\nB";;;', "name", "characters"),
    ("customers", f"9;person;{'A' * 301};;;", "name", "too_long"),
    ("customers", f"9;person;{'A' * 70_000};;;", "row", "too_long"),
    ("customers", '9;person;"A;;;', "row", "quotes"),
    ("customers", '9;person;"A" B;;;', "row", "quotes"),
    ("customers", "9;person;A;;", "row", "columns"),
    ("customers", "9;person;A;;;;1", "row", "columns"),
    ("customers", "9;person;A;14.03.1985;;", "birth_date", "malformed"),
    ("customers", "9;person;A;1985-02-29;;", "birth_date", "impossible"),
    ("customers", "9;person;A;1985-03-13 23:00:00;;", "birth_date", "time"),
    ("customers", "9;person;A;1985-03-13T24:00:00Z;;", "birth_date", "impossible"),
    ("customers", "9;person;A;1985-03-13T12:00+25:00;;", "birth_date", "impossible"),
    ("customers", "9;person;A;0001-01-01T00:00+14:00;;", "birth_date", "impossible"),
    ("customers", "9;person;A;1985-03-13 23:00:00 CET;;", "birth_date", "malformed"),
    ("customers", "9;person;A;2026-11-21T23:30:00Z;;", "birth_date", "future"),
    ("customers", "9;person;A;2026-11-22;;", "birth_date", "future"),
    ("customers", "9;person;A;1899-12-31;;", "birth_date", "too_old"),
    ("customers", "9;company;A;;none;", "tax_number", "malformed"),
    ("customers", "1;person;A;;;", "kutid", "duplicate"),
    ("policies", "9;1;sleeping;;", "status", "malformed"),
    ("policies", "9;1;live;;soon", "ended_on", "malformed"),
    ("policies", "9;1;live;;2024-06-30 14:30", "ended_on", "time"),
    ("policies", f"9;1;live;{'A' * 33};", "product", "too_long"),
    ("policies", "9;77;live;;", "kutid", "unknown_customer"),
    ("policies", "901;2;live;;", "policy_number", "duplicate"),
    ("phones", "1;901;20 12", "phone", "malformed"),
    ("phones", "1;901;06 20 123 4567?", "phone", "malformed"),
    ("policies", "9;1;!live;;", "status", "malformed"),
    ("policies", "9;1;live?;;", "status", "malformed"),
    ("customers", "9;company;A;;SK12345676;", "tax_number", "malformed"),
    ("phones", "1;;06 20 123 4567", "policy_number", "empty"),
    ("phones", "77;901;06 20 123 4567", "kutid", "unknown_customer"),
    ("phones", "1;999;06 20 123 4567", "policy_number", "unknown_policy"),
    ("phones", "1;903;06 20 123 4567", "policy_number", "policy_of_another_customer"),
    ("phones", "1;901;+36-20/1234567", "phone", "duplicate"),
    ("communication_ids", "X1234567;1;a", "communication_id", "malformed"),
    ("communication_ids", "K7654321;1;", "password", "empty"),
    ("communication_ids", "K7654321;77;a", "kutid", "unknown_customer"),
    ("communication_ids", "K1234567;2;a", "communication_id", "duplicate"),
    ("customer_accounts", "7000003;77;;customer;", "kutid", "unknown_customer"),
    ("advisers", "77;UK-0007", "kutid", "unknown_customer"),
    ("advisers", f"2;{'x' * 65}", "adviser", "too_long"),
    ("advisers", "1;UK-0008", "kutid", "duplicate"),
    ("customer_accounts", "7000003;1;;nobody;", "manager", "malformed"),
    ("customer_accounts", "7000003;1;;intermediary;", "intermediary", "empty"),
    ("customer_accounts", "7000001;2;;customer;", "account_number", "duplicate"),
]


@pytest.mark.parametrize(("kind", "row", "field", "reason"), REFUSED, ids=[f"{r[0]}-{r[2]}-{r[3]}" for r in REFUSED])
def test_a_bad_row_is_refused_with_line_field_and_reason_and_the_others_arrive(office, kind, row, field, reason):
    texts = dict(WHOLE)
    line = texts[kind].count("\n") + 1
    good = {"customers": "8;person;Last One;;;", "policies": "908;1;live;;", "phones": "1;901;06 30 555 5555"}
    good |= {"customer_accounts": "7000009;1;;customer;", "advisers": "2;UK-0007"}
    texts[kind] += row + "\n" + good.get(kind, "T1111111;1;b") + "\n"
    office.run(customers=CUSTOMERS, policies=POLICIES)
    report = office.run(**texts)
    assert office.rejects() == [(kind, line, field, reason)]
    assert counts(report, kind)[3] == 1
    assert sum(counts(report, kind)) == next(file.rows for file in report.files if file.kind == kind)
    # The row after the bad one has arrived.
    table = dict(zip(KINDS, REGISTER, strict=True))[kind]
    assert any(
        key in str(office.rows(table)) for key in ("Last One", "908", "+36305555555", "T1111111", "7000009", "uk-0007")
    )


SPREADSHEETS = [
    ("customers", "9;person;A;31120.0;;", "birth_date"),
    ("customers", "9;company;A;;1234567.0;", "tax_number"),
    *(("policies", f"{number};10000001;live;;", "policy_number") for number in (
        "940000001.0", "940000001,00", "940000001E0", "9.4E8", "9,4E+08", "94000001.0"
    )),
    *(("policies", f"940000009;{kutid};live;;", "kutid") for kutid in (
        "10000001.0", "1000000.0", "10000001E0", "10000001e0", "1.0000001E7", "'10000001.0"
    )),
    ("phones", "10000001;940000001.0;06 20 123 4567", "policy_number"),
    ("phones", "10000001;940000001;36201234567.0", "phone"),
    ("phones", "10000001;940000001;20123456.0", "phone"),
    ("communication_ids", "K1234567;10000001.0;a", "kutid"),
    ("customer_accounts", "7000001.0;10000001;;customer;", "account_number"),
    ("customer_accounts", "7000002;10000001;600001.0;customer;", "old_number"),
    ("advisers", "10000001.0;UK-0007", "kutid"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "bad"), [(kind, bad) for kind, *bad in SPREADSHEETS], ids=[row for _, row, _ in SPREADSHEETS]
)
def test_a_number_that_a_spreadsheet_made_is_refused_and_never_another_number(sqlite_store, tmp_path, kind, bad):
    office = Office(sqlite_store, tmp_path, load("mygenerali"))
    texts = {name: text.splitlines()[0] + "\n" for name, text in WHOLE.items()}
    texts["customers"] += "10000001;person;Kovács Anna;1985-03-14;;1066\n"
    texts["policies"] += "940000001;10000001;live;;\n"
    good = {"phones": "10000001;940000001;06 30 555 5555", "communication_ids": "T1111111;10000001;b"}
    good |= {"customer_accounts": "7000009;10000001;;customer;", "advisers": "10000001;UK-0008"}
    texts[kind] += f"{good.get(kind, '')}\n{bad[0]}\n"
    report = office.run(**{name: texts[name] for name in dict.fromkeys(["customers", "policies", kind])})
    assert [reject[2:] for reject in office.rejects()] == [(bad[1], "spreadsheet")]
    assert counts(report, kind)[0] == 1


@pytest.mark.parametrize(
    ("profile", "kind", "bad"),
    [
        ("mygenerali", "policies", ("94000001;1;live;;", "policy_number")),
        ("mygenerali", "policies", ("9400000011;1;live;;", "policy_number")),
        ("mygenerali", "policies", ("A40000001;1;live;;", "policy_number")),
        ("mygenerali", "phones", ("1;94000001;06 20 123 4567", "policy_number")),
        ("allianz", "customer_accounts", ("70000015;1;;customer;", "account_number")),
    ],
)
def test_a_number_that_no_customer_could_type_is_refused(sqlite_store, tmp_path, profile, kind, bad):
    texts = {name: text.replace("90", "94000000") for name, text in WHOLE.items()}
    texts[kind] += bad[0] + "\n"
    office = Office(sqlite_store, tmp_path, load(profile))
    office.run(**{name: texts[name] for name in dict.fromkeys(["customers", "policies", kind])})
    assert [reject[2:] for reject in office.rejects()] == [(bad[1], "form")]


def test_a_customer_number_has_the_profiles_form(office):
    header = "kutid;ügyfélszám;holder_type;name;birth_date;tax_number\n"
    office.run(customers=f"{header}1;G10000001;person;A;;\n2;G1000002;person;B;;\n")
    assert office.rejects() == [("customers", 3, "customer_number", "form")]


def test_line_numbers_count_the_lines_of_the_file(office):
    text = (
        "kutid;holder_type;name;birth_date;tax_number;remark\n"
        '1;person;A;;;"two\nlines, even ""three""\n"\n'
        "\n"
        ";;;;;\n"
        "2;nobody;B;;;\n"
    )
    report = office.run(customers=text)
    assert office.rejects() == [("customers", 7, "holder_type", "malformed")]
    assert counts(report, "customers") == (1, 0, 0, 1)


def test_an_unclosed_quote_loses_its_own_row_alone(office):
    rows = [f"{number};person;Name {number};;;" for number in range(10, 3000)]
    rows[5] = '15;person;"Name 15;;;'
    office.run(customers="kutid;holder_type;name;birth_date;tax_number;postal_code\n" + "\n".join(rows))
    assert office.rejects() == [("customers", 7, "row", "quotes")]
    assert len(office.rows(customers_table)) == len(rows) - 1


def test_a_line_without_end_is_refused_in_little_memory(office):
    text = CUSTOMERS.encode() + b"3;person;" + b"A" * 30_000_000 + b"\n4;person;After It;;;\n"
    tracemalloc.start()
    try:
        office.run(customers=text)
        # Writing the file is part of what was measured.
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert office.rejects() == [("customers", 4, "row", "too_long")]
    assert "After It" in str(office.rows(customers_table))


def test_the_same_files_again_change_nothing(office):
    files = WHOLE
    office.run(**files)
    before = office.register()
    report = office.run(**files)
    assert office.register() == before
    assert [counts(report, kind) for kind in KINDS] == [
        (0, 0, 2, 0), (0, 0, 3, 0), (0, 0, 3, 0), (0, 0, 1, 0), (0, 0, 2, 0), (0, 0, 1, 0),
        (0, 0, 3, 0),
    ]  # fmt: skip
    assert office.hashed == ["Levelezes2020"]


def test_other_numbers_arrive_and_stay_where_a_file_has_no_column_for_them(office):
    office.run(
        customers="kutid;ügyfélszám;rodné číslo;holder_type;name;birth_date;tax_number\n"
        "1;g 10000001;855314/0002;person;Anna;;\n2;G10000002;855314/0001;person;Typo;;\n",
        policies=POLICIES,
        phones="kutid;policy_number;phone;alapértelmezett sms telefonszám\n"
        "1;901;06 20 123 4567;igen\n1;901;06 30 111 2233;nem\n1;901;06 70 111 2233;\n",
        customer_accounts=ACCOUNTS,
    )
    assert [row[6:8] for row in office.rows(customers_table)] == [("G10000001", "8553140002"), ("G10000002", None)]
    assert [row[4] for row in office.rows(phones_table)] == [True, False, False]
    assert office.rows(customer_accounts) == [
        ("7000001", "1", "OLD0001", "customer", None),
        ("7000002", "2", None, "intermediary", "Példa Alkusz Kft."),
    ]
    before = office.register()
    plain = "kutid;policy_number;phone\n1;901;06 20 123 4567\n1;901;06 30 111 2233\n1;901;06 70 111 2233\n"
    report = office.run(
        customers="kutid;holder_type;name;birth_date;tax_number\n1;person;Anna;;\n2;person;Typo;;\n",
        phones=plain,
        customer_accounts="account_number;kutid;manager\n7000001;1;customer\n",
    )
    assert office.register() == before
    assert counts(report, "phones") == (0, 0, 3, 0)
    office.run(
        phones=plain.replace("phone\n", "phone;is default\n").replace("4567", "4567;no").replace("33\n", "33;yes\n")
    )
    assert [row[4] for row in office.rows(phones_table)] == [False, True, True]


def test_who_advises_whom_arrives_changes_and_ends(office):
    office.run(customers=CUSTOMERS, advisers=ADVISERS)
    assert office.rows(advisers) == [("1", "uk-0007")]
    report = office.run(advisers="kutid;adviser\n1;UK-0007\n")
    assert counts(report, "advisers") == (0, 0, 1, 0)
    office.run(advisers="kutid;adviser\n2;UK-0007\n1;\n")
    assert office.rows(advisers) == [("1", None), ("2", "uk-0007")]


def test_what_staff_learnt_counts_until_an_import_brings_it(office):
    office.run(customers=CUSTOMERS, policies=POLICIES, phones=PHONES)
    learnt = {"before": "", "actor": "staff:x", "at": NoonClock().now()}
    with office.store.write() as connection:
        connection.execute(
            contact_changes.insert(),
            [
                {"kutid": "1", "kind": "mobile", "after": "+36209998877", **learnt},
                {"kutid": "2", "kind": "mobile", "after": "+36201234567", **learnt},
                {"kutid": "1", "kind": "email", "after": "anna@example.hu", **learnt},
            ],
        )
    office.run(phones=PHONES)
    assert [row[-1] for row in office.rows(contact_changes)] == [None] * 3
    office.run(phones=PHONES + "1;901;06 20 999 8877\n")
    assert [row[-1] is None for row in office.rows(contact_changes)] == [False, True, True]


@pytest.mark.parametrize(
    ("kind", "older", "newer"),
    [("mobile", "+36209998877", "+36209998866"), ("email", "regi@example.hu", "uj@example.hu")],
)
def test_what_staff_learnt_ends_with_what_they_learnt_later_of_the_same_customer(office, kind, older, newer):
    office.run(customers=CUSTOMERS, policies=POLICIES, phones=PHONES)
    learnt = {"kind": kind, "before": "", "actor": "staff:x", "at": NoonClock().now()}
    others = "email" if kind == "mobile" else "mobile"
    with office.store.write() as connection:
        connection.execute(
            contact_changes.insert(),
            [
                {"kutid": "1", **learnt, "after": older},
                {"kutid": "1", **learnt, "after": "of the other kind", "kind": others},
                {"kutid": "2", **learnt, "after": older},
                {"kutid": "1", **learnt, "after": newer},
                {"kutid": "1", **learnt, "after": "newest"},
            ],
        )
    if kind == "mobile":
        office.run(phones=PHONES + f"1;901;{newer}\n")
    else:
        office.run(customers=ADDRESSES.replace("Anna.Kovacs@EXAMPLE.hu", newer))
    is_settled = [row[-1] is not None for row in office.rows(contact_changes)]
    assert is_settled == [True, False, False, True, False]


def test_what_was_learnt_before_something_that_came_long_ago_ends_with_the_next_import(office):
    office.run(customers=CUSTOMERS)
    learnt = {"kutid": "1", "kind": "mobile", "before": "", "actor": "staff:x", "at": NoonClock().now()}
    came = datetime(2026, 1, 1, tzinfo=UTC)
    with office.store.write() as connection:
        connection.execute(
            contact_changes.insert(),
            [
                {**learnt, "after": "+36209998877", "settled_at": None},
                {**learnt, "after": "+36209998866", "settled_at": came},
            ],
        )
    office.run(customers=CUSTOMERS)
    assert [row[-1] for row in office.rows(contact_changes)] == [NoonClock().now(), came]


ADDRESSES = """kutid;holder_type;name;birth_date;tax_number;E-mail cím
1;person;Kovács Anna;1985-03-14;; Anna.Kovacs@EXAMPLE.hu
2;company;Minta Kft.;;12345676-2-42;nincs
"""


def emails(office):
    return [row[-1] for row in office.rows(customers_table)]


def test_an_address_is_normalised_and_one_that_is_none_is_left_out(office):
    report = office.run(customers=ADDRESSES)
    assert emails(office) == ["Anna.Kovacs@example.hu", None]
    assert counts(report, "customers") == (2, 0, 0, 0)


def test_files_without_addresses_leave_those_that_are_known(office):
    office.run(customers=ADDRESSES)
    report = office.run(customers=CUSTOMERS)
    assert counts(report, "customers")[3] == 0
    assert emails(office) == ["Anna.Kovacs@example.hu", None]
    office.run(customers=ADDRESSES.replace(" Anna.Kovacs@EXAMPLE.hu", ""))
    assert emails(office) == [None, None]


def test_an_address_that_staff_learnt_counts_until_an_import_brings_it(office):
    office.run(customers=ADDRESSES)
    learnt = {"kutid": "1", "kind": "email", "before": "", "after": "Anna@example.hu", "actor": "staff:x"}
    with office.store.write() as connection:
        connection.execute(contact_changes.insert(), [{**learnt, "at": NoonClock().now()}])
    office.run(customers=ADDRESSES)
    assert [row[-1] for row in office.rows(contact_changes)] == [None]
    office.run(customers=ADDRESSES.replace("Anna.Kovacs", "anna"))
    assert [row[-1] for row in office.rows(contact_changes)] == [NoonClock().now()]


def test_every_import_that_is_kept_has_the_register_looked_through(office):
    office.run(customers=CUSTOMERS, is_dry_run=True)
    assert office.rows(quality_sweep) == []
    for wanted in (1, 2):
        office.run(customers=CUSTOMERS)
        assert office.rows(quality_sweep) == [(1, wanted, 0, "")]


def test_changes_are_counted_and_what_is_missing_stays(filled):
    report = filled.run(customers=CUSTOMERS.replace("Anna", "Hanna").replace("2;company", "3;company"))
    assert counts(report, "customers") == (1, 1, 0, 0)
    assert [row[2] for row in filled.rows(customers_table)] == ["Kovács Hanna", "Minta Kft.", "Minta Kft."]
    assert len(filled.rows(policies_table)) == 3


def test_a_missing_optional_column_leaves_what_is_there(filled):
    report = filled.run(
        customers="kutid,name,holder_type,birth_date,tax_number\n1,Kovács Anna,person,1985-03-14,\n",
        policies="policy_number,kutid,status\n901,1,cancelled\n",
    )
    assert filled.rows(customers_table)[0][5] == "1066"
    assert filled.rows(policies_table)[0] == ("901", "1", "cancelled", "motor", None, *NOTHING_SHOWN)
    assert (counts(report, "customers"), counts(report, "policies")) == ((0, 0, 1, 0), (0, 1, 0, 0))


def test_a_datum_that_identifies_nobody_never_refuses_a_row(office):
    text = CUSTOMERS.replace("1985-03-14;;", "1985-03-14;8123456789;").replace("Kft.;;", "Kft.;0000-00-00;")
    office.run(customers=text)
    assert office.rejects() == []
    assert [row[3:5] for row in office.rows(customers_table)] == [
        (date(1985, 3, 14), None),
        (None, "12345676-2-42"),
    ]


OPTIONAL = "kutid;holder_type;name;birth_date;tax_number;postal_code;személyi azonosító\n1;person;Kovács Anna;;;{};{}\n"


@pytest.mark.parametrize(
    "text", ["1-850314-1234", "1 850314 1234", "1011235", "855314/0001", "8553140002 ?", "\x01", "9" * 201, "-", ""]
)
def test_what_is_no_birth_number_is_left_out_and_the_customer_arrives_with_all_theirs(office, text):
    report = office.run(customers=OPTIONAL.format("1066", text), policies=POLICIES, phones=PHONES)
    assert office.rows(customers_table) == [("1", "person", "Kovács Anna", None, None, "1066", None, None, None)]
    assert office.phones_of("1") == ["+36201234567", "+3612345678"]
    assert report.quality.without_second_datum.examples == ("1",)


def test_a_birth_number_that_is_none_does_not_keep_other_news_away(office):
    office.run(customers=OPTIONAL.format("1066", "855314/0002"))
    report = office.run(customers=OPTIONAL.format("1067", "1-850314-1234"))
    assert counts(report, "customers") == (0, 1, 0, 0)
    assert [row[5:8] for row in office.rows(customers_table)] == [("1067", None, None)]


def test_the_report_counts_what_was_left_out_of_rows_that_were_taken(office):
    report = office.run(
        customers="kutid;holder_type;name;birth_date;tax_number;postal_code;birth_number;email\n"
        "1;person;A;1985-03-14;0;10%66;1-850314-1234;nincs\n"
        "2;company;B;0000-00-00;12345676;H-1066;1011235;b@example.hu\n"
        "3;person;C;1985-03-14;;-;  ;\n"
        "4;nobody;D;;;10%66;1011235;\n"
    )
    assert counts(report, "customers") == (3, 0, 0, 1)
    assert report.left_out == {"tax_number": 1, "postal_code": 1, "birth_number": 2, "email": 1, "birth_date": 1}


@pytest.mark.parametrize(
    ("text", "postal_code"),
    [
        ("1066", "1066"),
        ("'1066", "1066"),
        ("H-1066", "1066"),
        ("h 1066", "1066"),
        ("HU-1066", "1066"),
        ("811 01", "81101"),
        ("811\u00a001", "81101"),
        ("811\u202f01\t", "81101"),
        ("SK-811 01", "81101"),
        ("SK81101", "81101"),
        # Without its letter, Vienna's first district would be a part of Budapest.
        ("A-1010", "A1010"),
        ("H-81101", "H81101"),
        ("XH1066", "XH1066"),
        ("sw1a 1aa", "SW1A1AA"),
        ("10%66", None),
        ("1" * 17, None),
        ("-", None),
    ],
)
def test_a_postcode_is_brought_to_one_form_and_what_is_none_is_left_out(office, text, postal_code):
    report = office.run(customers=OPTIONAL.format(text, ""))
    assert [row[5] for row in office.rows(customers_table)] == [postal_code]
    assert counts(report, "customers") == (1, 0, 0, 0)


def test_a_customers_phones_are_replaced_as_a_set(filled):
    report = filled.run(phones="kutid;policy_number;phone\n1;901;06 70 111 2222\n")
    assert filled.phones_of("1") == ["+36701112222"]
    assert filled.phones_of("2") == ["+36309876543"]
    assert counts(report, "phones") == (1, 0, 0, 0)
    assert report.phones_removed == 2


@pytest.mark.parametrize("phone", ["", "20 12"])
def test_an_empty_or_unreadable_phone_leaves_no_old_number_behind(filled, phone):
    filled.run(phones=f"kutid;policy_number;phone\n1;901;{phone}\n2;903;06 30 987 6543\n")
    assert filled.phones_of("1") == []
    assert filled.phones_of("2") == ["+36309876543"]


def test_a_policy_that_passes_to_another_customer_leaves_the_old_phones(filled):
    report = filled.run(
        policies=POLICIES.replace("901;1", "901;2"), phones="kutid;policy_number;phone\n2;901;06201234567\n"
    )
    assert filled.rows(phones_table) == [
        ("1", "902", "+3612345678", False, False),
        ("2", "901", "+36201234567", True, False),
    ]
    assert report.phones_removed == 2


def test_a_policys_own_file_decides_whose_phone_it_is(filled):
    filled.run(
        policies=POLICIES.replace("901;1", "901;2"), phones="kutid;policy_number;phone\n1;901;06201234567\n2;903;\n"
    )
    assert filled.rejects() == [("phones", 2, "policy_number", "policy_of_another_customer")]
    assert filled.phones_of("1") == []


def test_a_refused_policy_row_changes_nothing_for_its_phones(filled):
    filled.run(policies="policy_number,kutid,status\n901,77,live\n903,2,live\n", phones=PHONES)
    assert filled.rejects() == [("policies", 2, "kutid", "unknown_customer")]
    assert filled.phones_of("1") == ["+36201234567", "+3612345678"]


def test_plain_passwords_are_hashed_and_hashes_are_kept(office):
    made_elsewhere = "$2b$12$" + "a" * 53
    text = (
        "Kommunikációs azonosító;KÜTID;Jelszó;Jelszó hash\n"
        f"K1111111;1;;{made_elsewhere}\nK2222222;1;Jel szó ;\nK3333333;1;x;$2b$broken\n"
        f"K4444444;1;;$2b$17${'a' * 53}\nK5555555;1;;$2b$31${'a' * 53}\n"
    )
    office.run(customers=CUSTOMERS, communication_ids=text)
    assert office.rows(communication_ids) == [
        ("K1111111", "1", made_elsewhere),
        ("K2222222", "1", "hash of Jel szó "),
    ]
    assert office.rejects() == [("communication_ids", line, "password_hash", "malformed") for line in (4, 5, 6)]
    report = office.run(communication_ids=text.replace("Jel szó ", "Más szó"))
    assert counts(report, "communication_ids") == (0, 1, 1, 3)
    assert office.rows(communication_ids)[1][2] == "hash of Más szó"


def test_the_rejects_hold_no_datum_of_anybody(office):
    office.run(customers=CUSTOMERS + "9;person;Titkos Tibor;1850-01-01;;1066\n")
    assert "Titkos" not in (office.folder / "rejects.csv").read_text(encoding="utf-8")


UNUSABLE = {
    "empty": (b"", "empty"),
    "without a column": (CUSTOMERS.replace("birth_date", "born").encode(), "birth_date"),
    "a column twice": (CUSTOMERS.replace("postal_code", "név").encode(), "more than one column for name"),
    "utf-16": (CUSTOMERS.encode("utf-16"), "UTF-16"),
    "a workbook": (b"PK\x03\x04" + b"\0" * 100, "Excel"),
    "damaged utf-8": (CUSTOMERS.encode() + b"3;person;Ut\xf3;;;\n", "damaged in line 4"),
    "neither encoding": (b"kutid\n\x81\n", "line 2"),
}


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_file_imports_nothing_of_any(filled, content, sentence):
    before = filled.register()
    with pytest.raises(UnusableFile, match=sentence):
        filled.run(policies=POLICIES.replace("live", "cancelled"), customers=content)
    assert filled.register() == before


def test_rejects_never_overwrite_an_input(office):
    file = office.folder / "customers.csv"
    file.write_text(CUSTOMERS)
    office.run()
    with pytest.raises(UnusableFile, match="overwrite"):
        office.importer.run({"customers": file}, rejects=file)
    assert file.read_text() == CUSTOMERS


def test_rejects_follow_no_link(office, tmp_path):
    secret = tmp_path / "of somebody else"
    secret.write_text("untouched")
    (office.folder / "rejects.csv").symlink_to(secret)
    with pytest.raises(UnusableFile, match="symbolic link"):
        office.run(customers=CUSTOMERS)
    assert secret.read_text() == "untouched"
    assert office.rows(customers_table) == []


def test_rejects_are_written_to_a_file_alone(office):
    os.mkfifo(office.folder / "rejects.csv")
    with pytest.raises(UnusableFile, match="not a regular file"):
        office.run(customers=CUSTOMERS)
    assert (office.folder / "rejects.csv").is_fifo()


def test_a_file_without_a_header_is_refused_without_showing_anybody(office):
    with pytest.raises(UnusableFile, match="Of the 6 values in its first line 0 name a column") as caught:
        office.run(customers=CUSTOMERS.partition("\n")[2])
    assert not [value for value in ("Kovács", "1985", "1066") if value in str(caught.value)]
    assert not (office.folder / "rejects.csv").exists()


def test_a_header_alone_imports_nothing_of_any_file(filled):
    before = filled.register()
    with pytest.raises(UnusableFile, match=r"phones\.csv has a header and no rows"):
        filled.run(customers=CUSTOMERS.replace("Anna", "Hanna"), phones=PHONES.partition("\n")[0])
    assert filled.register() == before
    assert not (filled.folder / "rejects.csv").exists()


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("phones", "kutid;policy_number;phone\n1;901;20 12\n1;902;nincs\n", "malformed"),
        ("phones", "kutid;policy_number;phone\n77;901;06 20 123 4567\n77;902;06 30 111 2233\n", "unknown_customer"),
        ("policies", "policy_number;kutid;status\n904;1;sleeping\n905;1;asleep\n", "malformed"),
    ],
)
@pytest.mark.parametrize("is_dry_run", [True, False])
def test_a_file_refused_whole_imports_nothing_of_any_file_and_leaves_the_rejects(
    filled, kind, text, reason, is_dry_run
):
    before = filled.register()
    with pytest.raises(TooManyRejects, match=rf"All rows of {kind} were refused \(2\)"):
        filled.run(customers=CUSTOMERS.replace("Anna", "Hanna"), **{kind: text}, is_dry_run=is_dry_run)
    assert filled.register() == before
    assert [(file, line, why) for file, line, _, why in filled.rejects()] == [(kind, 2, reason), (kind, 3, reason)]


def test_more_rejects_than_allowed_import_nothing(filled):
    before = filled.register()
    files = {"customers": CUSTOMERS.replace("Anna", "Hanna"), "policies": POLICIES + "904;77;live;;\n905;1;asleep;;\n"}
    with pytest.raises(TooManyRejects, match="2 rows were refused, and at most 1 may be"):
        filled.run(**files, max_rejects=1)
    assert filled.register() == before
    assert len(filled.rejects()) == 2
    report = filled.run(**files, max_rejects=2)
    assert counts(report, "policies") == (0, 0, 3, 2)


def test_a_reject_names_the_customer_and_the_forms_that_are_accepted(sqlite_store, tmp_path):
    office = Office(sqlite_store, tmp_path, load("mygenerali"))
    office.run(
        customers=CUSTOMERS + "3;person;A;14.03.1985;;\nKovács Béla;person;;;;\n1;person;A;;;\n",
        policies="policy_number;kutid;status\n940000001;1;live\n94001;2;live\n940000002;77;live\n",
        phones="kutid;policy_number;phone\n1;940000001;06 20 123 4567\n2;;20 12\n1;940000001\n",
    )
    with (office.folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [
            (row["kutid"], row["field"], row["reason"], row["accepted"])
            for row in csv.DictReader(stream, delimiter=";")
        ]
    assert [row[:3] for row in rows] == [
        ("3", "birth_date", "malformed"),
        ("", "kutid", "malformed"),
        ("1", "kutid", "duplicate"),
        ("2", "policy_number", "form"),
        ("2", "phone", "malformed"),
        ("", "row", "columns"),
        ("77", "kutid", "unknown_customer"),
    ]
    assert "1985-03-14" in rows[0][3]
    assert rows[3][3] == "9 digits"
    assert rows[4][3].startswith("+36 20")
    assert [row[3] for row in rows if row[2] in ("duplicate", "columns", "unknown_customer")] == [""] * 3


@pytest.mark.parametrize(
    ("profile", "kind", "row"),
    [("mygenerali", kind, ";".join("?" * (line.count(";") + 1))) for kind, text in WHOLE.items()
     for line in text.splitlines()[:1]],
)  # fmt: skip
def test_every_field_says_which_forms_it_takes(sqlite_store, tmp_path, profile, kind, row):
    office = Office(sqlite_store, tmp_path, load(profile))
    with pytest.raises(TooManyRejects):
        office.run(**{kind: f"{WHOLE[kind].splitlines()[0]}\n{row}\n"})
    with (office.folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [bool(row["accepted"]) for row in csv.DictReader(stream, delimiter=";")] == [True]


def test_a_dry_run_reports_all_and_keeps_nothing(filled):
    before = filled.register()
    changed = {"customers": CUSTOMERS.replace("Anna", "Hanna") + "3;person;Új;;;\n", "phones": PHONES[:-20] + "x\n"}
    dry = filled.run(**changed, is_dry_run=True)
    assert filled.register() == before
    assert not filled.importer.is_committed
    real = filled.run(**changed)
    assert (dry.files, dry.quality) == (real.files, real.quality)
    assert counts(real, "customers") == (1, 1, 1, 0)


def test_progress_tells_rows_and_bytes(office):
    told = []
    office.run(customers=CUSTOMERS, policies=POLICIES, progress=lambda *news: told.append(news))
    assert ("customers", 2, len(CUSTOMERS.encode()), len(CUSTOMERS.encode())) in told
    steps = list(dict.fromkeys(step for step, *_ in told))
    assert steps[:2] == ["customers", "policies"]
    assert set(steps[2:]) == {"comparing", "merging", "measuring"}


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("moment", [("policies", 3), ("comparing", 0), ("merging", 0), ("merging", 1), ("merging", 3)])
def test_an_import_that_breaks_leaves_the_register_as_it_was(filled, fault, moment):
    before = filled.register()

    def breaks(step, rows, *_):
        if (step, rows) == moment:
            raise fault

    new = {
        "customers": CUSTOMERS.replace("Anna", "Hanna"),
        "policies": POLICIES,
        "phones": PHONES.replace("4567", "4568"),
    }
    with pytest.raises(fault):
        filled.run(**new, progress=breaks)
    assert filled.register() == before
    assert not filled.importer.is_committed
    assert not (filled.folder / "rejects.csv").exists()
    filled.run(**new)
    assert filled.rows(customers_table)[0][2] == "Kovács Hanna"


def test_an_import_that_is_interrupted_after_its_commit_leaves_its_rejects(office):
    def breaks(step, *_):
        if step == "measuring":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.run(customers=CUSTOMERS + "3;nobody;A;;;\n", progress=breaks)
    assert office.importer.is_committed
    assert office.rejects() == [("customers", 4, "holder_type", "malformed")]


KILLED_IN_MID_MERGE = """
import os, signal, sys
from pathlib import Path
from services.clock import SystemClock
from services.profiles import load
from services.register.importing import RegisterImport
from services.store.engine import Store

def progress(step, rows, *_):
    if (step, rows) == ("merging", 2):
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[2])
RegisterImport(
    Store(sys.argv[1]), SystemClock(), load("genertel"), make_hash=str, is_password=str.__eq__, progress=progress
).run({kind: folder / f"{kind}.csv" for kind in ("customers", "policies", "phones")})
"""


def test_an_import_killed_in_mid_merge_leaves_the_register_as_it_was(filled, tmp_path):
    before = filled.register()
    new = {
        "customers": CUSTOMERS.replace("Anna", "Hanna"),
        "policies": POLICIES.replace("live", "cancelled"),
        "phones": PHONES,
    }
    for kind, text in new.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
    url = filled.store.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_IN_MID_MERGE, url, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    assert filled.register() == before
    filled.run(**new)
    assert filled.rows(customers_table)[0][2] == "Kovács Hanna"


def test_two_imports_at_once_never_mix(filled, tmp_path):
    """The second one's policy is of a customer whom the first one brings, and it has compared before that."""
    (tmp_path / "second").mkdir()
    second = Office(filled.store, tmp_path / "second")
    is_waiting = threading.Event()
    reports = []

    def second_run():
        text = "policy_number,kutid,status\n909,9,live\n901,1,cancelled\n"
        reports.append(
            second.run(policies=text, progress=lambda step, *_: is_waiting.set() if step == "merging" else None)
        )

    thread = threading.Thread(target=second_run)

    def start_second(step, rows, *_):
        if (step, rows) == ("merging", 1):
            thread.start()
            assert is_waiting.wait(20)
            while thread.is_alive() and not filled.is_anybody_waiting():
                pass

    filled.run(
        customers=CUSTOMERS + "9;person;Új Ügyfél;;;\n",
        policies="policy_number,kutid,status\n901,1,live\n904,9,live\n",
        progress=start_second,
    )
    thread.join(30)
    assert second.rejects() == []
    assert counts(reports[0], "policies") == (1, 1, 0, 0)
    policies = {number: (kutid, status) for number, kutid, status, *_ in filled.rows(policies_table)}
    assert policies["901"] == ("1", "cancelled")
    assert policies["904"] == policies["909"] == ("9", "live")


def test_a_register_that_stays_locked_is_said_so(sqlite_store, tmp_path):
    impatient = Store(sqlite_store.url.render_as_string(), busy_seconds=0.001)
    with sqlite_store.write(), pytest.raises(RegisterBusy):
        Office(impatient, tmp_path).run(customers=CUSTOMERS)
    impatient.close()
    assert Office(sqlite_store, tmp_path).rows(customers_table) == []


def test_what_is_compared_again_is_compared_under_the_lock(sqlite_store, tmp_path):
    """SQLite: another import came between comparing and merging; from now on nobody writes."""
    office = Office(sqlite_store, tmp_path)
    (tmp_path / "other").mkdir()
    other = Office(sqlite_store, tmp_path / "other")
    impatient = Store(sqlite_store.url.render_as_string(), busy_seconds=0.01)
    seen = []

    def between(step, *_):
        seen.append(step)
        if seen.count("merging") == 1 and step == "merging":
            other.run(customers=CUSTOMERS)
        if seen.count("comparing") == 2 and step == "comparing":
            with pytest.raises(OperationalError, match="locked"), impatient.write():
                pass

    report = office.run(customers=CUSTOMERS, progress=between)
    impatient.close()
    assert seen.count("comparing") == 2
    assert counts(report, "customers") == (0, 0, 2, 0)


def test_others_write_while_files_are_read_and_compared(filled):
    steps = ["customers", "policies", "comparing"] if filled.store.is_sqlite else ["customers", "policies", "merging"]
    written = []

    def write(step, *_):
        if step in steps and step not in written:
            written.append(step)
            with filled.store.write() as connection:
                connection.execute(
                    reference_codes.insert().values(code=step, kind="x", kutid="1", created_at=NoonClock().now())
                )

    filled.run(customers=CUSTOMERS.replace("Anna", "Hanna"), policies=POLICIES, progress=write)
    assert written == steps
    assert len(filled.rows(reference_codes)) == 3


def test_the_quality_of_the_register_is_reported(office):
    text = CUSTOMERS + "".join(f"{number};person;P;1990-01-01;;\n" for number in range(3, 8))
    text += (
        "11;person;No Date;;;\n12;company;No Number;;;\n13;company;Wrong;;12345675-2-42;\n14;company;Short;;23456787;\n"
    )
    policies = "policy_number;kutid;status\n" + "".join(f"90{number};{number};live\n" for number in range(1, 8))
    phones = "kutid;policy_number;phone\n" + "".join(f"{number};90{number};06 20 765 4321\n" for number in range(3, 7))
    phones += "1;901;06 1 234 5678\n2;902;06 30 987 6543\n7;907;+421905100101\n"
    quality = office.run(customers=text, policies=policies, phones=phones).quality
    assert quality.customers == 11
    assert (quality.without_mobile.count, quality.without_mobile.examples) == (6, ("1", "11", "12", "13", "14"))
    assert quality.without_second_datum.examples == ("11", "12")
    assert quality.tax_number_without_rest.examples == ("14",)
    assert quality.tax_number_check_fails.examples == ("13",)
    assert quality.shared_phones.count == 1
    assert quality.shared_phones.examples == ("+36 20 ••• ••21 (4)",)


DAMAGED = [
    "KovÃ¡cs",
    "KovĂˇcs",
    "SzĹ±cs GyĹ‘zĹ‘",
    "SzÅ±cs",
    "Ko\ufffdacs",
    "Kov?cs",
    "Gyuri?",
    "KovÃƒÂ¡cs",
    "HorvÃ¡th É.",
]
SOUND = [
    "Kovács", "SZŰCS GYŐZŐ", "MATÚŠ Úžasný", "Dĺžka Ľuboš", "ČERNÝŠ", "Äöü", "Fekete <b>Márta</b> & \"Fiai\"",
    "Łukasz Đorđe", "Kft. (?)", "Ångström", "Ÿ", "Mi ez ?",
]  # fmt: skip


def test_names_that_a_wrong_encoding_has_damaged_are_counted_and_no_others(office):
    header = "kutid|holder_type|name|birth_date|tax_number\n"
    names = [name.replace('"', '""') for name in (*DAMAGED, *SOUND)]
    report = office.run(
        customers=header + "".join(f'{number}|person|"{name}"||\n' for number, name in enumerate(names, 101))
    )
    assert office.rejects() == []
    assert report.quality.damaged_names.examples == ("101", "102", "103", "104", "105")
    assert report.quality.damaged_names.count == len(DAMAGED)


def test_a_failing_database_is_named_without_anybodys_data(office, tmp_path):
    with office.store.write() as connection:
        communication_ids.drop(connection)
    try:
        with pytest.raises(DatabaseFailed, match="communication_ids") as caught:
            office.run(customers=CUSTOMERS, communication_ids=IDS)
        assert "Levelezes" not in str(caught.value)
    finally:
        with office.store.write() as connection:
            communication_ids.create(connection)
    assert office.rows(customers_table) == []
