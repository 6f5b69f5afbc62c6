"""What the register brings of contracts: the policies' further columns, and the rows of policies (P6)."""

from datetime import date

import pytest
from sqlalchemy import select

from services.profiles import load
from services.store.tables.register import policies, policy_rows
from tests.unit.services.register.test_register_import import ACCOUNTS, CUSTOMERS, POLICIES, ROWS, Office, counts

SHOWN = """Kötvényszám;KÜTID;Állapot;Megnevezés;Biztosított;Kezdete;Évforduló;Díj;Pénznem;Díjfizetés gyakorisága;\
Díj kifizetve eddig;Fedezet vége;Megszűnés oka;Ügyfélszámlaszám
901;1;élő;Lakásbiztosítás;1066 Budapest;2021.05.01.;05.01.;24 900;HUF;negyedévente;2026.12.14.;2027-01-13;;7000001
"""
COLUMNS = (
    "account_number", "title", "insured", "starts_on", "anniversary", "premium", "currency", "frequency",
    "paid_until", "cover_until", "end_reason",
)  # fmt: skip


@pytest.fixture
def office(store, tmp_path):
    return Office(store, tmp_path)


def _shown(office, number="901"):
    with office.store.read() as connection:
        query = select(*(policies.c[name] for name in COLUMNS)).where(policies.c.policy_number == number)
        return dict(connection.execute(query).one()._mapping)


def _policy(**given):
    row = {"policy_number": "901", "kutid": "1", "status": "live", **given}
    return f"{';'.join(row)}\n{';'.join(row.values())}\n"


def test_what_the_portal_shows_of_a_policy_arrives(office):
    report = office.run(customers=CUSTOMERS, policies=SHOWN)
    assert _shown(office) == {
        "account_number": "7000001",
        "title": "Lakásbiztosítás",
        "insured": "1066 Budapest",
        "starts_on": date(2021, 5, 1),
        "anniversary": "05-01",
        "premium": 24900,
        "currency": "HUF",
        "frequency": "quarterly",
        "paid_until": date(2026, 12, 14),
        "cover_until": date(2027, 1, 13),
        "end_reason": None,
    }
    assert not report.left_out


def test_an_older_file_changes_nothing_of_it(office):
    office.run(customers=CUSTOMERS, policies=SHOWN)
    before = _shown(office)
    report = office.run(policies=POLICIES)
    assert counts(report, "policies")[1] == 1  # its product
    assert _shown(office) == before
    assert counts(office.run(policies=SHOWN), "policies") == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("premium", "ingyen"), ("premium", "-5"), ("premium", "249,00"), ("currency", "FORINT"), ("currency", "XQX"),
        ("frequency", "ritkán"), ("anniversary", "13.01."), ("starts_on", "tavaly"), ("paid_until", "2026-02-30"),
        ("title", "x" * 201), ("account_number", "7000001.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_out_and_counted_and_refuses_nobody(office, field, text):
    report = office.run(customers=CUSTOMERS, policies=_policy(**{field: text}))
    assert counts(report, "policies") == (1, 0, 0, 0)
    assert _shown(office)[field] is None
    assert report.left_out == {field: 1}


@pytest.mark.parametrize(
    ("profile", "currency", "text", "amount"),
    [
        ("genertel", "", "24 900", 24900),
        ("genertel", "EUR", "120,50", 12050),
        ("genertel", "EUR", "12050", 12050),
        ("generali-sk", "", "62,50", 6250),
        ("generali-sk", "HUF", "24900", 24900),
        ("generali-sk", "", "62,5", None),
    ],
)
def test_a_premium_is_in_the_currencys_smallest_unit(store, tmp_path, *, profile, currency, text, amount):
    office = Office(store, tmp_path, load(profile))
    file = _policy(premium=text, currency=currency).replace("901", "940000901")
    office.run(customers="kutid;holder_type;name;birth_date;tax_number\n1;person;A;1985-03-14;\n", policies=file)
    assert _shown(office, "940000901")["premium"] == amount


@pytest.mark.parametrize(("text", "day"), [("2027-03-14", "03-14"), ("3.14.", "03-14"), ("02-29", "02-29")])
def test_an_anniversary_is_a_day_of_every_year(office, text, day):
    office.run(customers=CUSTOMERS, policies=_policy(anniversary=text))
    assert _shown(office)["anniversary"] == day


def test_where_the_day_comes_first_a_month_and_a_day_with_dots_are_left_out(store, tmp_path):
    office = Office(store, tmp_path, load("generali-sk"))
    file = _policy(anniversary="04.03.").replace("901", "940000901")
    customers = "kutid;holder_type;name;birth_date;tax_number\n1;person;A;1985-03-14;\n"
    assert office.run(customers=customers, policies=file).left_out == {"anniversary": 1}


def test_a_premium_in_a_currency_that_cannot_be_read_is_left_out_too(office):
    report = office.run(customers=CUSTOMERS, policies=_policy(premium="24900", currency="FORINT"))
    assert report.left_out == {"premium": 1, "currency": 1}
    assert _shown(office)["premium"] is None


@pytest.mark.parametrize(("text", "reason"), [("Eladás", "sold"), ("Egyedi ok", "Egyedi ok")])
def test_an_end_has_a_word_of_ours_or_the_insurers_own(office, text, reason):
    office.run(customers=CUSTOMERS, policies=_policy(status="cancelled", end_reason=text))
    assert _shown(office)["end_reason"] == reason


def test_the_rows_of_a_policy_are_replaced_as_a_set(office):
    office.run(customers=CUSTOMERS, policies=POLICIES, customer_accounts=ACCOUNTS, policy_rows=ROWS)
    assert office.rows(policy_rows) == [
        ("901", "hu", "Fedezetek", 1, "Dologi károk", "495 000 000 Ft"),
        ("901", "hu", "Fedezetek", 2, "Területi hatály", "Európa"),
        ("903", "", "", 4, "Limit", "1"),  # without a position: its line
    ]
    head = ROWS.partition("\n")[0]
    report = office.run(policy_rows=f"{head}\n901;Fedezetek;Dologi károk;500 000 000 Ft;1;hu\n902;;Új;igen;1;\n")
    assert counts(report, "policy_rows") == (1, 1, 0, 0)
    assert report.rows_removed == 1
    assert [row[0] for row in office.rows(policy_rows)] == ["901", "902", "903"]
    assert office.rows(policy_rows)[0][5] == "500 000 000 Ft"
    assert office.run(policy_rows=f"{head}\n901;;;;;\n").rows_removed == 1
    assert [row[0] for row in office.rows(policy_rows)] == ["902", "903"]


def test_a_row_that_cannot_be_taken_is_refused_and_nothing_old_of_its_policy_stays(office):
    office.run(customers=CUSTOMERS, policies=POLICIES, policy_rows=ROWS)
    bad = (
        "901;Fedezetek;;500;1;hu\n999;;Kié;ismeretlen;1;\n903;;Limit;2;első;\n902;;Egy;1;1;magyar nyelv\n"
        "902;;Egy;1;7;\n902;;Kettő;2;7;\n"
    )
    report = office.run(policy_rows=f"{ROWS.partition(chr(10))[0]}\n{bad}")
    assert office.rejects() == [
        ("policy_rows", 2, "label", "empty"),
        ("policy_rows", 4, "position", "malformed"),
        ("policy_rows", 5, "language", "malformed"),
        ("policy_rows", 7, "position", "duplicate"),
        ("policy_rows", 3, "policy_number", "unknown_policy"),
    ]
    assert report.rows_removed == 3
    assert [row[:2] for row in office.rows(policy_rows)] == [("902", "")]
