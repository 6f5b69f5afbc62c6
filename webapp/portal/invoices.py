"""The customer's invoices: the list, one of them, and how it is paid (P47, P48)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.payments.payment import Invoice
from services.payments.transfer import code_of, transfer_of
from webapp.account import sessions
from webapp.http import security
from webapp.parts import current_parts
from webapp.ui.formats import amount, date_from, date_in_words, date_until, day, file_size
from webapp.ui.language import say
from webapp.ui.qr_codes import qr_code
from webapp.ui.respond import page

PREFIX = "/szamlak"
"""Where invoices are; paying one and its receipt are below it."""

blueprint = Blueprint("invoices", __name__, url_prefix=PREFIX)


@blueprint.get("")
@sessions.needed
def show_all(session: Session) -> Response:
    """Show the invoices: what is to be paid first, then what is paid."""
    found = current_parts().portal.payments.invoices.page(session, request.args.get("utan"))
    return page(
        "portal/invoices.html",
        open=[shown(invoice) for invoice in found.open],
        paid=[shown(invoice) for invoice in found.paid],
        total=_total(found.open),
        older=url_for("invoices.show_all", utan=found.older) if found.older else None,
        is_first="utan" not in request.args,
    )


@blueprint.get("/<invoice_id>")
@sessions.needed
def show(session: Session, invoice_id: str) -> Response:
    """Show one invoice."""
    invoice = current_parts().portal.payments.invoices.find(session, invoice_id)
    return page(
        "portal/invoice.html", invoice=shown(invoice), due_line=due_line(invoice), letter=_letter(session, invoice)
    )


@blueprint.get("/<invoice_id>/fizetes")
@sessions.needed
def pay(session: Session, invoice_id: str) -> Response:
    """Show the ways of paying an invoice."""
    invoice = current_parts().portal.payments.invoices.find(session, invoice_id)
    return pay_page(invoice)


def pay_page(invoice: Invoice, status: int = 200, *, failure: str | None = None) -> Response:
    """Return the page with the ways of paying an invoice, or with the payment that is under way."""
    attempts = current_parts().portal.payments.attempts
    response = page(
        "portal/invoice_pay.html",
        status,
        invoice=shown(invoice),
        transfer=transfer(invoice),
        provider=attempts.provider_name,
        demanded=attempts.provider_demands,
        site=urlsplit(current_parts().settings.public_url).hostname,
        failure=failure,
    )
    if attempts.provider_origin and invoice.is_open:
        # The form is answered by a redirect to the provider's page, which browsers hold against form-action too.
        security.let_forms_lead_to(response, attempts.provider_origin)
    return response


def shown(invoice: Invoice) -> dict[str, Any]:
    """Return what the templates show of an invoice."""
    is_payable = invoice.is_open and current_parts().profile.payments is not None
    return {
        "id": invoice.id,
        "number": invoice.number,
        "state": invoice.state,
        "contract": invoice.policy_number,
        "amount": amount(invoice.amount, invoice.currency),
        "remaining": amount(invoice.remaining, invoice.currency),
        "received": amount(invoice.received, invoice.currency) if invoice.is_open and invoice.received else None,
        "due_on": date_in_words(invoice.due_on),
        "period": _period(invoice),
        "paid_on": day(invoice.paid_at) if invoice.paid_at else None,
        "address": url_for("invoices.show", invoice_id=invoice.id),
        "receipt_address": url_for("payments.receipt", invoice_id=invoice.id) if invoice.paid_at else None,
        "pay_address": url_for("invoices.pay", invoice_id=invoice.id) if is_payable else None,
    }


def due_line(invoice: Invoice) -> str | None:
    """Return the sentence about the day of an invoice that is not paid and not overdue."""
    if invoice.state not in ("due", "pending"):
        return None
    words = amount(invoice.remaining, invoice.currency)
    if invoice.due_on == current_parts().portal.payments.invoices.today:
        return say()("invoice.due.today", amount=words)
    return say()("invoice.due.line", date_until=date_until(invoice.due_on), amount=words)


def transfer(invoice: Invoice) -> Mapping[str, Any] | None:
    """Return the data of a transfer and its QR code; None where the insurer names no account."""
    profile, now = current_parts().profile, current_parts().clock.now()
    data = transfer_of(profile, invoice)
    if data is None:
        return None
    content = code_of(profile, data, now)
    return {
        "code": qr_code(content) if content else None,
        "rows": [
            ("payee", data.payee, data.payee),
            ("iban", " ".join(data.iban[at : at + 4] for at in range(0, len(data.iban), 4)), data.iban),
            ("amount", amount(data.amount, data.currency), _bare(data.amount, data.currency)),
            ("reference", data.reference, data.reference),
        ],
    }


def _letter(session: Session, invoice: Invoice) -> dict[str, Any] | None:
    """Return the link to the letter that is the invoice itself; None where there is none, or it was withdrawn."""
    if invoice.letter_id is None:
        return None
    letter = current_parts().portal.letters.mailbox.find(session, invoice.letter_id)
    if letter.is_withdrawn:
        return None
    return {
        "address": url_for("letter.show", letter_id=letter.id),
        "text": say()("invoice.letter", file_type="PDF", file_size=file_size(letter.size)),
    }


def _bare(units: int, currency: str) -> str:
    """Return an amount as banks' forms take it: digits, and the language's decimal mark."""
    return "".join(sign for sign in amount(units, currency) if sign.isdecimal() or sign in ",.").strip(".,")


def _period(invoice: Invoice) -> str | None:
    if invoice.period_from is None or invoice.period_until is None:
        return None
    dates = {"date_from": date_from(invoice.period_from), "date_until": date_until(invoice.period_until)}
    return say()("invoice.period.value", **dates)


def _total(invoices: tuple[Invoice, ...]) -> str | None:
    """Return what is to be paid in all, where that is one sum of several invoices."""
    currencies = {invoice.currency for invoice in invoices}
    if len(invoices) < 2 or len(currencies) > 1:
        return None
    return amount(sum(invoice.remaining for invoice in invoices), currencies.pop())
