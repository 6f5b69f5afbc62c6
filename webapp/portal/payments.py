"""Paying an invoice by card, and what became of it (P49, P50, P52)."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, make_response, request, url_for

from services.accounts import Session
from services.payments.attempts import PaymentPages
from services.payments.payment import Invoice, Payment
from services.refusal import OutOfTurn, Refusal
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal.invoices import pay_page, shown
from webapp.ui.formats import amount, date_and_time, date_in_words
from webapp.ui.language import language, say
from webapp.ui.respond import go_on, page

blueprint = Blueprint("payments", __name__)
hints = Blueprint("payment_hints", __name__)

_LOOKS = 24
"""How often the page looks for the result by itself, every five seconds."""
_PAGES = PaymentPages(
    back_to=lambda attempt_id: url_for("payments.show", attempt_id=attempt_id),
    call_back=lambda attempt_id: url_for("payment_hints.hint", attempt_id=attempt_id),
)


@blueprint.post("/szamlak/<invoice_id>/fizetes")
@sessions.needed
def submit(session: Session, invoice_id: str) -> Response:
    """Begin, resume or cancel a payment; the data of a transfer are on the page already."""
    payments = current_parts().portal.payments
    invoice = payments.invoices.find(session, invoice_id)
    here = url_for("invoices.pay", invoice_id=invoice_id)
    action, way = request.form.get("action", ""), request.form.get("way", "")
    try:
        if action == "resume":
            return go_on(payments.attempts.resume(session, invoice, _PAGES))
        if action == "cancel":
            payments.attempts.cancel(session, invoice)
        elif way == "card":
            return go_on(payments.attempts.begin(session, invoice_id, _PAGES))
        elif way not in ("qr", "transfer"):
            abort(400)
    except Refusal as refusal:
        # Nothing typed is to be mended: the page says what can be done instead.
        return pay_page(payments.invoices.find(session, invoice_id), 503, failure=say()(refusal.key))
    except OutOfTurn:
        pass  # it is paid, or being paid elsewhere: the page says so
    return go_on(here)


@blueprint.get("/fizetes/<attempt_id>")
@sessions.needed
def show(session: Session, attempt_id: str) -> Response:
    """Show what became of a payment. What is said comes from the provider, never from the address."""
    payments = current_parts().portal.payments
    attempt = payments.attempts.find(session, attempt_id)
    invoice = payments.invoices.find(session, attempt.invoice_id)
    looks = request.args.get("n", 0, type=int)
    address = partial(url_for, "payments.show", attempt_id=attempt_id)
    return page(
        "portal/payment.html",
        payment=_shown(attempt),
        invoice=shown(invoice),
        is_repeated=looks > 0,
        look_again=address(n=looks + 1) if attempt.is_live and looks < _LOOKS else None,
        address=address(),
    )


@blueprint.get("/szamlak/<invoice_id>/nyugta")
@sessions.needed
def receipt(session: Session, invoice_id: str) -> Response:
    """Show that an invoice is paid; before it is, say that there will be a receipt."""
    payments = current_parts().portal.payments
    invoice = payments.invoices.find(session, invoice_id)
    return page("portal/receipt.html", invoice=shown(invoice), receipt=_receipt(invoice))


@hints.post("/fizetes/<attempt_id>/visszahivas")
def hint(attempt_id: str) -> Response:
    """Take a provider's call: what it says is not believed, the worker asks."""
    current_parts().portal.payments.attempts.hint(attempt_id)
    return make_response("", 200)


def _shown(attempt: Payment) -> dict[str, Any]:
    rules = current_parts().profile.payments
    return {
        "state": attempt.state,
        "amount": amount(attempt.amount, attempt.currency),
        "is_doubled": attempt.doubled_at is not None,
        "refund_days": rules.refund_days if rules else 0,
    }


def _receipt(invoice: Invoice) -> dict[str, Any] | None:
    if invoice.paid_at is None:
        return None
    facts = current_parts().profile.texts.facts(language())
    return {
        "number": invoice.number,
        "amount": amount(invoice.amount, invoice.currency),
        "due_on": date_in_words(invoice.due_on),
        "received": date_and_time(invoice.paid_at),
        "way": say()("payment.way.card" if invoice.paid_by else "payment.way.transfer"),
        "reference": invoice.paid_by,
        "legal_name": facts["legal_name"],
        "postal_address": facts["postal_address"],
    }
