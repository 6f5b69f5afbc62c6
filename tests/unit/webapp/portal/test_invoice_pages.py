"""Invoices as customers see them, and the data by which banks pay them (P47, P48)."""

import re
from base64 import b32hexdecode
from collections.abc import Callable
from datetime import timedelta
from lzma import FILTER_LZMA1, FORMAT_RAW, LZMADecompressor
from zlib import crc32

import pytest
import zxingcpp
from PIL import Image

from tests.unit.webapp.portal.conftest import NEIGHBOUR, PAYER
from tests.world.api_client import Client
from tests.world.cast import SLOVAK
from tests.world.letters import publish
from tests.world.pages import Page
from tests.world.site import Site, Visitor

DUE, PAID = "SZ100101-2", "SZ100101-1"


def lines(page: Page) -> list[tuple[str, str]]:
    """Return the number and the state of each invoice of a list."""
    rows = (element for element in page.root.all() if "data-invoice" in element)
    return [(next(row.all("a")).text, row["data-state"]) for row in rows]


def opened(visitor: Visitor, number: str) -> Page:
    """Open an invoice by its link in the list."""
    page = visitor.open("/szamlak")
    return visitor.open(next(link["href"] for link in page.root.all("a") if link.text == number))


def transfer_data(page: Page) -> dict[str, str]:
    return {element["data-transfer"]: element.text for element in page.root.all() if "data-transfer" in element}


def read_code(page: Page) -> str:
    """Read the page's QR code as a banking app does: by looking at it."""
    (svg,) = (element for element in page.root.all("svg") if element["class"] == "qr")
    size = int(svg["viewbox"].split()[2])
    modules = Image.new("L", (size, size), 255)
    path = list(svg.all("path"))[-1]["d"]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmhv])([-\d. ]+)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for step in range(int(values[0])):
                modules.putpixel((int(x) + step, int(y)), 0)
            x += values[0]
    (found,) = zxingcpp.read_barcodes(modules.resize((size * 8, size * 8), Image.Resampling.NEAREST))
    return str(found.text)


def bring(site: Site, number: str, **values: object) -> None:
    body = {"policy_number": PAYER.policy_number, "amount": 5000, "currency": "HUF", "due_on": "2030-01-31", **values}
    answer = Client(site, "invoices").put(f"/api/v1/invoices/{number}", body)
    assert answer.status_code == 200, answer.text


def test_what_is_due_comes_first_overdue_before_it_and_paid_last(billed: Site, payer: Visitor) -> None:
    yesterday = billed.parts.portal.payments.invoices.today - timedelta(days=1)
    bring(billed, "SZ-LATE", due_on=yesterday.isoformat())
    assert lines(payer.open("/szamlak")) == [("SZ-LATE", "overdue"), (DUE, "due"), (PAID, "paid")]
    page = opened(payer, "SZ-LATE")
    assert billed.say("invoice.overdue.heading") in page.text
    assert page.step == "invoice"


def test_an_invoice_leads_to_its_letter(billed: Site, payer: Visitor) -> None:
    letter_id = publish(billed, PAYER, type="invoice")
    bring(billed, "SZ-LETTER", letter=letter_id)
    page = opened(payer, "SZ-LETTER")
    (link,) = [one for one in page.root.all("a") if one["href"].startswith("/levelezes/")]
    assert link["href"] == f"/levelezes/{letter_id}"
    assert "PDF" in link.text
    assert not [one for one in opened(payer, DUE).root.all("a") if one["href"].startswith("/levelezes/")]


def test_an_invoice_is_not_overdue_on_its_last_day(billed: Site, payer: Visitor) -> None:
    bring(billed, "SZ-TODAY", due_on=billed.parts.portal.payments.invoices.today.isoformat())
    assert ("SZ-TODAY", "due") in lines(payer.open("/szamlak"))
    assert billed.say("invoice.due.today", amount="5 000 Ft") in opened(payer, "SZ-TODAY").text
    billed.advance(hours=24)
    payer.sign_in(PAYER.email)
    assert ("SZ-TODAY", "overdue") in lines(payer.open("/szamlak"))


def test_older_paid_invoices_follow_page_by_page(billed: Site, payer: Visitor) -> None:
    for number in range(25):
        bring(billed, f"OLD-{number}", state="paid")
    page = payer.open("/szamlak")
    seen = [number for number, state in lines(page) if state == "paid"]
    (older,) = (link["href"] for link in page.root.all("a") if link["rel"] == "next")
    rest = lines(payer.open(older))
    assert len(seen) == 20
    assert not set(seen) & {number for number, _ in rest}
    assert {number for number, _ in rest} | set(seen) == {PAID, *(f"OLD-{number}" for number in range(25))}


def test_without_invoices_the_page_says_so(site: Site) -> None:
    site.open_account(PAYER)
    visitor = site.visitor()
    visitor.sign_in(PAYER.email)
    page = visitor.open("/szamlak")
    assert page.step == "invoices"
    assert site.say("invoice.list.none") in page.text


def test_somebody_elses_invoice_is_not_there(billed: Site, payer: Visitor) -> None:
    billed.open_account(NEIGHBOUR)
    other = billed.visitor()
    other.sign_in(NEIGHBOUR.email)
    address = opened(payer, DUE).path
    for end in ("", "/fizetes"):
        assert other.open(f"{address}{end}").status == 404
        assert payer.open(f"{address}{end}").status == 200
    assert other.open(f"/szamlak?utan={address.rpartition('/')[2]}").status == 404


def test_signed_out_the_pages_lead_to_the_sign_in_and_back(billed: Site, payer: Visitor) -> None:
    address = f"{opened(payer, DUE).path}/fizetes"
    stranger = billed.visitor()
    assert stranger.open(address).step == "login"
    assert stranger.send(email=PAYER.email, password="Kek7Hold8Fenyes").path == address


def test_a_paid_invoice_offers_no_way_of_paying(billed: Site, payer: Visitor) -> None:
    page = payer.open(f"{opened(payer, PAID).path}/fizetes")
    assert billed.say("pay.paid_already") in page.text
    assert not transfer_data(page)


def test_the_hungarian_code_holds_what_the_page_says(billed: Site, payer: Visitor) -> None:
    page = payer.open(f"{opened(payer, DUE).path}/fizetes")
    data = transfer_data(page)
    assert data == {
        "payee": "Generali Biztosító Zrt.",
        "iban": "HU42 1177 3016 1111 1018 0000 0000",
        "amount": "24 900 Ft",
        "reference": DUE,
    }
    fields = read_code(page).split("\n")
    assert len(fields) == 18  # each of the 17 ends its line
    assert fields[:7] == ["HCT", "001", "1", "OTPVHUHBXXX", data["payee"], data["iban"].replace(" ", ""), "HUF24900"]
    assert re.fullmatch(r"\d{14}\+[12]", fields[7])
    assert fields[8:] == ["", DUE, "", "", DUE, "", "", "", "", ""]


def test_the_slovak_code_holds_what_the_page_says(site_of: Callable[[str], Site]) -> None:
    site = site_of("generali-sk")
    for number in ("2026000123", "SK-2026-000123"):
        body = {"policy_number": SLOVAK.policy_number, "amount": 6640, "currency": "EUR", "due_on": "2030-01-31"}
        assert Client(site, "invoices").put(f"/api/v1/invoices/{number}", body).status_code == 200
    visitor = site.visitor("sk")
    visitor.walk_to("done", SLOVAK)
    visitor.sign_in(SLOVAK.email)
    for number, symbol in (("2026000123", "2026000123"), ("SK-2026-000123", "")):
        page = visitor.open(f"{opened(visitor, number).path}/fizetes")
        data = transfer_data(page)
        assert data["amount"] == "66,40 €"
        assert data["reference"] == number
        fields = unpacked(read_code(page))
        account = ["1", data["iban"].replace(" ", ""), "FIOZSKBA", "0", "0", data["payee"], "", ""]
        order = ["1", "1", "66.40", "EUR", "20300131", symbol, "", "", "", number]
        assert fields[1:] == [*order, *account]


def unpacked(code: str) -> list[str]:
    """Return the fields of a PAY by square code, read by the specification's steps backwards."""
    content = b32hexdecode(code + "=" * (-len(code) % 8))
    assert content[:2] == b"\x02\x00"  # version 1.2.0
    length = int.from_bytes(content[2:4], "little")
    lzma = LZMADecompressor(FORMAT_RAW, filters=[{"id": FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2, "dict_size": 2**17}])
    checked = lzma.decompress(content[4:], length)
    assert len(checked) == length
    assert int.from_bytes(checked[:4], "little") == crc32(checked[4:])
    return checked[4:].decode().split("\t")


@pytest.mark.parametrize("language", ["hu", "en"])
def test_the_pages_are_in_the_customers_language(billed: Site, language: str) -> None:
    visitor = billed.visitor(language)
    visitor.sign_in(PAYER.email)
    page = visitor.open(f"/szamlak?lang={language}")
    assert billed.say("invoice.list.heading", language) in page.text
    assert {"hu": "24 900 Ft", "en": "HUF24,900"}[language] in page.text.replace("\u00a0", " ")


def test_no_page_follows_an_invoice_that_is_not_paid(billed: Site, payer: Visitor) -> None:
    assert payer.open(f"/szamlak?utan={opened(payer, DUE).path.rpartition('/')[2]}").status == 404
