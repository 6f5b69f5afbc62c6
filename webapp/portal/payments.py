"""Paying an invoice by card, and what became of it (P49, P50, P52)."""

from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, make_response, request, url_for

from services.accounts import Session
from services.payments.attempts import PaymentPages
from services.payments.payment import Invoice, Payment
from services.pdf import Facts, Fine, Letterhead, Paper, Text, typeset
from services.refusal import OutOfTurn, Refusal
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal.invoices import PREFIX, pay_page, shown
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


@blueprint.post(f"{PREFIX}/<invoice_id>/fizetes")
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


@blueprint.get(f"{PREFIX}/<invoice_id>/nyugta")
@sessions.needed
def receipt(session: Session, invoice_id: str) -> Response:
    """Show that an invoice is paid, as a PDF where `pdf` asks for it; before that, say that there will be a receipt."""
    payments = current_parts().portal.payments
    invoice = payments.invoices.find(session, invoice_id)
    facts = _receipt(session, invoice)
    if facts is not None and invoice.paid_at is not None and request.args.get("pdf"):
        response = make_response(typeset(_paper(facts), invoice.paid_at))
        response.headers["Content-Type"] = "application/pdf"
        # The name says nothing of the customer.
        response.headers["Content-Disposition"] = f'attachment; filename="{say().plain("receipt.file")}.pdf"'
        return response
    return page("portal/receipt.html", invoice=shown(invoice), receipt=facts)


@hints.post("/fizetes/ertesites")
def notification() -> Response:
    """Take a provider's signed call, which names the payment itself, and answer as the provider wants it."""
    body, signature = request.get_data(), request.headers.get("Signature", "")
    said = current_parts().portal.payments.attempts.notified(body, signature)
    if said is None:
        abort(403)
    return make_response(said.answer, 200, {**said.headers, "Content-Type": "application/json"})


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
        "provider_id": attempt.provider_id,
        "is_doubled": attempt.doubled_at is not None and attempt.refund in (None, attempt.amount),
        "refund": amount(attempt.refund, attempt.currency) if attempt.refund else None,
        "refund_days": rules.refund_days if rules else 0,
    }


def _paper(facts: dict[str, Any]) -> Paper:
    """Return the receipt as a paper: in the same words as the page."""
    t = say().plain
    received = t("receipt.received", datetime=facts["received"], what=facts["way"])
    reference = [Text(t("receipt.reference", reference=facts["reference"]))] if facts["reference"] else []
    return Paper(
        language=language(),
        title=t("receipt.title", invoice=facts["number"]),
        head=Letterhead.of(current_parts().profile, language()),
        blocks=[
            Text(t("receipt.issuer", legal_name=facts["legal_name"], postal_address=facts["postal_address"])),
            Text(t("receipt.text")),
            Facts([(t("invoice.amount"), facts["amount"])]),
            Text(t("receipt.invoice", invoice=facts["number"], date=facts["due_on"])),
            Text(received),
            *reference,
            Fine(t("receipt.not_invoice")),
        ],
    )


def _receipt(session: Session, invoice: Invoice) -> dict[str, Any] | None:
    if invoice.paid_at is None:
        return None
    attempts = current_parts().portal.payments.invoices.payments(session, invoice.id) if invoice.paid_by else ()
    paid_by = next((one for one in attempts if one.id == invoice.paid_by), None)
    is_card = paid_by is not None and paid_by.way == "card"
    facts = current_parts().profile.texts.facts(language())
    return {
        "number": invoice.number,
        "amount": amount(invoice.amount, invoice.currency),
        "due_on": date_in_words(invoice.due_on),
        "received": date_and_time(invoice.paid_at),
        "way": say()("payment.way.card" if is_card else "payment.way.transfer"),
        "reference": invoice.paid_by if is_card else None,
        "legal_name": facts["legal_name"],
        "postal_address": facts["postal_address"],
    }
