"""Transfers by the bank's statements: read, matched by their reference, in parts, and never counted twice (P51)."""

from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from services.payments.bank_entries import BankEntries
from services.payments.ledger import NewInvoice
from services.payments.payment import Invoice
from services.payments.statement_files import Statement, read
from services.refusal import OutOfTurn, Refusal
from services.register.importing import UnusableFile
from services.store.engine import Store
from tests.unit.services.payments.test_payments_at_once import INVOICE, Shop
from tests.world.cast import ANNA
from tests.world.outcomes import at_once, only_answers, outcome_of

HEAD = "Könyvelés dátuma;Összeg;Devizanem;Közlemény;Fizető"
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt>
<Acct><Id><IBAN>HU42117730161111101800000000</IBAN></Id></Acct>
{entries}
</Stmt></BkToCstmrStmt></Document>"""


def entry(amount: str, details: str, *, sign: str = "CRDT", status: str = "BOOK", ref: str = "B-1") -> str:
    return f"""<Ntry><Amt Ccy="HUF">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts>
<BookgDt><Dt>2026-11-30</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls>{details}</NtryDtls></Ntry>"""


def details(text: str, amount: str = "", name: str = "Kov&#225;cs Anna") -> str:
    part = f'<AmtDtls><TxAmt><Amt Ccy="HUF">{amount}</Amt></TxAmt></AmtDtls>' if amount else ""
    return f"""<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{part}<RltdPties><Dbtr><Nm>{name}</Nm></Dbtr>
</RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"""


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


class Bank:
    """Writes statements, and has them taken in."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop, self.file = shop, folder / "statement"
        self.entries: BankEntries = shop.one.bank_entries

    def csv(self, *lines: str, head: str = HEAD) -> Counter[str]:
        self.file.write_text("\n".join([head, *lines]), "utf-8")
        return self.take_in()

    def camt(self, *entries: str, version: str = "02") -> Counter[str]:
        self.file.write_text(CAMT.format(entries="".join(entries), version=version), "utf-8")
        return self.take_in()

    def read(self) -> Statement:
        return read(self.file)

    def take_in(self) -> Counter[str]:
        return Counter({str(fate): count for fate, count in self.entries.take_in(self.read().entries).items()})

    def invoice(self) -> Invoice:
        return self.shop.one.invoices.find(self.shop.session, self.shop.invoice.id)

    def refunds(self) -> list[tuple[str, int]]:
        return [(one.payment.way, one.amount) for one in self.shop.one.refunds.due()]


@pytest.fixture
def bank(shop: Shop, tmp_path: Path) -> Bank:
    return Bank(shop, tmp_path)


def test_a_transfer_with_the_number_pays(bank: Bank) -> None:
    assert bank.csv("2026.11.30.;24 900,00;HUF;Biztosítási díj SZ-1.;Kovács Anna") == {"paid": 1}
    assert bank.invoice().state == "paid"
    (payment,) = bank.shop.one.invoices.payments(bank.shop.session, bank.shop.invoice.id)
    assert (payment.way, payment.amount, payment.state) == ("transfer", 24900, "succeeded")
    assert bank.shop.mails("payment_received") == 1


def test_the_same_file_again_changes_nothing(bank: Bank) -> None:
    lines = ("2026-11-30;100;HUF;sz-1;A", "2026-11-30;100;HUF;sz-1;A", "2026-11-30;5;HUF;?;B")
    assert bank.csv(*lines) == {"partial": 2, "unmatched": 1}
    before = bank.shop.world.everything()
    assert bank.csv(*lines) == {"known": 3}
    assert bank.shop.world.everything() == before


def test_a_longer_file_brings_what_is_new_alone(bank: Bank) -> None:
    bank.csv("2026-11-30;100;HUF;SZ-1;A")
    assert bank.csv("2026-11-30;100;HUF;SZ-1;A", "2026-12-01;24800;HUF;SZ-1;A") == {"known": 1, "paid": 1}


def test_parts_add_up_and_the_rest_is_what_is_asked_for(bank: Bank) -> None:
    assert bank.csv("2026-11-30;10000;HUF;SZ-1;A") == {"partial": 1}
    assert (bank.invoice().state, bank.invoice().remaining) == ("due", 14900)
    assert [one.number for one in bank.entries.partial()] == ["SZ-1"]
    attempt = bank.shop.begin()
    assert bank.shop.provider.orders[attempt].amount == 14900
    bank.shop.provider.says[attempt] = "succeeded"
    bank.shop.one.attempts.hint(attempt)
    bank.shop.one.worker.ask_due()
    assert (bank.invoice().state, bank.entries.partial(), bank.refunds()) == ("paid", (), [])


def test_a_part_that_came_while_the_card_paid_all_is_refunded(bank: Bank) -> None:
    attempt = bank.shop.begin()
    bank.csv("2026-11-30;10000;HUF;SZ-1;A")
    bank.shop.provider.says[attempt] = "succeeded"
    bank.shop.one.attempts.hint(attempt)
    bank.shop.one.worker.ask_due()
    assert bank.invoice().state == "paid"
    assert bank.refunds() == [("card", 10000)]


def test_what_is_too_much_is_refunded(bank: Bank) -> None:
    assert bank.csv("2026-11-30;25000;HUF;SZ-1;A") == {"paid": 1}
    assert bank.refunds() == [("transfer", 100)]


def test_a_second_transfer_is_refunded(bank: Bank) -> None:
    bank.csv("2026-11-30;24900;HUF;SZ-1;A")
    assert bank.csv("2026-12-01;24900;HUF;SZ-1;A") == {"doubled": 1}
    assert bank.refunds() == [("transfer", 24900)]
    assert bank.shop.mails("payment_doubled") == 1


def test_the_money_behind_the_insurers_own_word_is_no_second_payment(bank: Bank) -> None:
    paid = NewInvoice(ANNA.policy_number, 24900, "HUF", INVOICE.due_on, state="paid")
    bank.shop.one.ledger.put("SZ-1", paid)
    assert bank.csv("2026-11-30;24900;HUF;SZ-1;A") == {"paid": 1}
    assert bank.refunds() == []
    assert bank.csv("2026-12-01;24900;HUF;SZ-1;A") == {"doubled": 1}


@pytest.mark.parametrize("text", ["díj", "SZ-2", "SZ-1 SZ-3", "SZ-10"])
def test_what_names_no_invoice_or_several_is_for_staff(bank: Bank, text: str) -> None:
    bank.shop.one.ledger.put("SZ-3", INVOICE)
    assert bank.csv(f"2026-11-30;24900;HUF;{text};Kovács Anna") == {"unmatched": 1}
    (found,) = bank.entries.open()
    assert (found.amount, found.text, found.payer) == (24900, text, "Kovács Anna")


def test_another_currency_is_for_staff(bank: Bank) -> None:
    assert bank.csv("2026-11-30;249,00;EUR;SZ-1;A") == {"unmatched": 1}


def test_a_variable_symbol_is_a_number(bank: Bank) -> None:
    bank.shop.one.ledger.put("1234567", NewInvoice(ANNA.policy_number, 6640, "EUR", INVOICE.due_on))
    assert bank.csv("2026-11-30;66,40;EUR;/VS0001234567/SS/KS;A") == {"paid": 1}


def test_staff_assign_what_did_not_match_once(bank: Bank) -> None:
    bank.csv("2026-11-30;24900;HUF;díj;A")
    (found,) = bank.entries.open()
    for number, reason in (("SZ-9", "unknown"), ("", "unknown")):
        with pytest.raises(Refusal) as refused:
            bank.entries.assign(found.id, number, actor="clerk")
        assert (refused.value.field, refused.value.reason) == ("invoice_number", reason)
    assign = partial(outcome_of, bank.entries.assign, found.id, "SZ-1", actor="clerk")
    assert sorted(at_once([assign] * 6)) == ["ok"] + ["out_of_turn"] * 5
    assert bank.invoice().state == "paid"
    assert (bank.entries.open(), bank.refunds()) == ((), [])


def test_what_is_sent_back_is_assigned_no_more(bank: Bank) -> None:
    bank.csv("2026-11-30;24900;HUF;díj;A")
    (found,) = bank.entries.open()
    bank.entries.send_back(found.id, actor="clerk")
    assert bank.entries.open() == ()
    for call in (partial(bank.entries.send_back, found.id, actor="clerk"),
                 partial(bank.entries.assign, found.id, "SZ-1", actor="clerk")):  # fmt: skip
        with pytest.raises(OutOfTurn):
            call()
    assert bank.invoice().state == "due"


def test_the_same_file_many_times_at_once_counts_once(bank: Bank) -> None:
    bank.file.write_text(f"{HEAD}\n2026-11-30;24900;HUF;SZ-1;A", "utf-8")
    fates: Counter[str] = sum(only_answers(at_once([bank.take_in] * 6)), Counter())
    assert fates == {"paid": 1, "known": 5}
    assert bank.refunds() == []


def test_an_amount_does_not_change_once_a_part_has_come_in(bank: Bank) -> None:
    bank.csv("2026-11-30;100;HUF;SZ-1;A")
    with pytest.raises(Refusal, match=r"invoice\.paid"):
        bank.shop.one.ledger.put("SZ-1", NewInvoice(ANNA.policy_number, 50, "HUF", INVOICE.due_on))


@pytest.mark.parametrize("version", ["02", "08"])
def test_camt_is_read_by_its_entries(bank: Bank, version: str) -> None:
    booked = entry("24900.00", details("SZ-1 díj"))
    if version == "08":
        booked = booked.replace("<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>")
        booked = booked.replace("<Dbtr><Nm>", "<Dbtr><Pty><Nm>").replace("</Nm></Dbtr>", "</Nm></Pty></Dbtr>")
    others = (
        entry("5", details("SZ-1"), sign="DBIT", ref="B-2"),
        entry("5", details("SZ-1"), status="PDNG", ref="B-3"),
    )
    assert bank.camt(booked, *others, version=version) == {"paid": 1}
    assert bank.read().passed_over == 2
    (found,) = bank.read().entries
    assert (found.booked_on, found.payer, found.text) == (date(2026, 11, 30), "Kovács Anna", "SZ-1 díj")
    assert bank.camt(booked, version=version) == {"known": 1}


def test_a_sum_of_several_transfers_is_taken_apart(bank: Bank) -> None:
    parts = details("SZ-1", "24900") + details("valami", "100")
    assert bank.camt(entry("25000", parts)) == {"paid": 1, "unmatched": 1}
    assert bank.camt(entry("25000", parts)) == {"known": 2}


def test_a_sum_whose_parts_do_not_add_up_is_for_staff(bank: Bank) -> None:
    assert bank.camt(entry("25000", details("SZ-1", "24900") + details("SZ-1", "99"))) == {"unmatched": 1}


def test_a_sum_as_one_unreadable_entry_stops_nothing_else(bank: Bank) -> None:
    broken = entry("1e400", details("SZ-1"), ref="B-9")
    assert bank.camt(broken, entry("24900", details("SZ-1"))) == {"paid": 1}
    assert bank.read().unread == (1,)


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"<?xml version='1.0'?>{BOMB}<Document>&b;</Document>", "document type"),
        ('<!DOCTYPE d SYSTEM "file:///etc/passwd"><Document/>', "document type"),
        ("<Document>", "damaged"),
        ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"/>', "no camt.053"),
        ("a;b;c", "no column"),
        ("", "empty"),
        ("PK\x03\x04", "Excel"),
    ],
)
def test_what_is_no_statement_is_refused_whole(bank: Bank, content: str, words: str) -> None:
    bank.file.write_text(content, "utf-8")
    with pytest.raises(UnusableFile, match=words):
        bank.read()


@pytest.mark.parametrize("line", ["yesterday;5;HUF;SZ-1;A", "2026-11-30;five;HUF;SZ-1;A", "2026-11-30;0,5;HUF;SZ-1;A",
                                  "2026-11-30;5;forint;SZ-1;A", "2026-13-30;5;HUF;SZ-1;A"])  # fmt: skip
def test_a_line_that_cannot_be_read_is_named(bank: Bank, line: str) -> None:
    assert bank.csv("2026-11-30;24900;HUF;SZ-1;A", line, "2026-11-30;-5;HUF;SZ-1;A") == {"paid": 1}
    assert (bank.read().unread, bank.read().passed_over) == ((3,), 1)


def test_an_entry_that_may_have_been_erased_is_not_counted_again(bank: Bank) -> None:
    assert bank.csv("2026.11.10.;24 900;HUF;SZ-1;Kovács Anna") == {"paid": 1}
    bank.shop.world.clock.advance(days=1820)
    assert bank.csv("2026.11.10.;24 900;HUF;SZ-1;Kovács Anna") == {"old": 1}
    assert bank.shop.one.refunds.due() == ()
