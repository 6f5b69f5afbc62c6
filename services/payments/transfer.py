"""What a customer's bank needs for a transfer, as data and as what a QR code holds (P48)."""

import lzma
from base64 import b32hexencode
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32

from services.payments.payment import Invoice
from services.profiles import Profile
from services.values import money

_VALID_FOR = timedelta(days=30)
"""How long a Hungarian code can be paid from; it has to say so."""
_LZMA = [{"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2, "dict_size": 128 * 1024}]
"""As PAY by square packs its data (1.2.0, 3.11)."""


@dataclass(frozen=True)
class Transfer:
    """The data of one transfer."""

    payee: str
    iban: str
    bic: str
    amount: int
    """In the currency's smallest unit."""
    currency: str
    due_on: date
    reference: str
    """The invoice's number: by it the insurer knows what the money is for."""


def transfer_of(profile: Profile, invoice: Invoice) -> Transfer | None:
    """Return the transfer that pays an invoice; None where the insurer names no account."""
    account = profile.payments
    if account is None:
        return None
    return Transfer(
        account.payee, account.iban, account.bic, invoice.remaining, invoice.currency, invoice.due_on, invoice.number
    )


def code_of(profile: Profile, transfer: Transfer, now: datetime) -> str | None:
    """Return what the QR code of a transfer holds; None where the insurer has none, or none in this currency.

    Banking apps take the Hungarian code in forints, and the Slovak one in euros.
    """
    kind = profile.payments.qr if profile.payments else None
    if kind == "hct" and transfer.currency == "HUF":
        return hct(transfer, (now + _VALID_FOR).astimezone(profile.zone))
    if kind == "pay_by_square" and transfer.currency == "EUR":
        return pay_by_square(transfer)
    return None


def hct(transfer: Transfer, valid_until: datetime) -> str:
    """Return the code of a Hungarian transfer, as the MNB's guide of 12 July 2019 writes it: 17 lines.

    `valid_until` is in local time, whose whole hours from UTC the code names.
    """
    hours = int((valid_until.utcoffset() or timedelta()).total_seconds() // 3600)
    lines = {
        1: "HCT",
        2: "001",
        3: "1",  # UTF-8
        4: transfer.bic.ljust(11, "X"),
        5: transfer.payee,
        6: transfer.iban,
        7: f"{transfer.currency}{transfer.amount}",
        8: f"{valid_until:%Y%m%d%H%M%S}{hours:+d}",
        10: transfer.reference,
        13: transfer.reference,  # the number of the invoice
    }
    return "".join(f"{lines.get(number, '')}\n" for number in range(1, 18))


def pay_by_square(transfer: Transfer) -> str:
    """Return the code of a Slovak payment order, as PAY by square 1.2.0 writes it.

    A number of at most ten digits is the variable symbol; every reference is the note.
    """
    reference = transfer.reference
    is_symbol = reference.isascii() and reference.isdecimal() and len(reference) <= 10
    payment = [
        "1",  # a payment order
        f"{money.in_main_unit(transfer.amount, transfer.currency)}",
        transfer.currency,
        f"{transfer.due_on:%Y%m%d}",
        reference if is_symbol else "",
        "",  # constant symbol
        "",  # specific symbol
        "",  # reference information, in place of the symbols
        reference,
        "1",  # one account
        transfer.iban,
        transfer.bic,
        "0",  # no standing order
        "0",  # no direct debit
    ]
    fields = [reference if len(reference) <= 10 else "", "1", *payment, transfer.payee, "", ""]
    data = "\t".join(fields).encode()
    checked = crc32(data).to_bytes(4, "little") + data
    packed = lzma.compress(checked, format=lzma.FORMAT_RAW, filters=_LZMA)
    # Kind 0, version 2 (1.2.0); document 0, nothing reserved.
    whole = bytes([0x02, 0x00]) + len(checked).to_bytes(2, "little") + packed
    return b32hexencode(whole).decode("ascii").rstrip("=")
