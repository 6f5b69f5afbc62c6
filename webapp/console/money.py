"""The worklist of payments: money to refund, transfers that match no invoice, invoices paid in part (P50, P51)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response, request

from services.payments.bank_entries import BankEntry
from services.payments.payment import Invoice
from services.payments.refunds import Refund
from services.refusal import OutOfTurn, Refusal
from services.staff import StaffSession
from webapp.console import staff_sessions
from webapp.console.figures import for_service
from webapp.console.staff_sessions import blueprint, console_page
from webapp.console.worklists import ROOM
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import amount, date_and_time, date_in_words
from webapp.ui.language import say
from webapp.ui.respond import go_on

_MONEY = "/munkalistak/befizetesek"
_PERIOD = timedelta(days=30)


@blueprint.get(_MONEY)
@for_service
def money(seen: StaffSession) -> Response:
    """Show what is to be done about payments."""
    return _show(seen)


@blueprint.post(f"{_MONEY}/visszautalas/<payment_id>")
@for_service
def refunded(seen: StaffSession, payment_id: str) -> Response:
    """Note that a payment was refunded. It moves no money."""
    return _do(seen, lambda: current_parts().portal.payments.refunds.done(payment_id, actor=seen.member.id), "refunded")


@blueprint.post(f"{_MONEY}/atutalas/<entry_id>")
@for_service
def place_transfer(seen: StaffSession, entry_id: str) -> Response:
    """Count a transfer for an invoice, or note that it was sent back."""
    entries, actor = current_parts().portal.payments.bank_entries, seen.member.id
    if request.form.get("action") == "send_back":
        return _do(seen, lambda: entries.send_back(entry_id, actor=actor), "sent_back")
    field, number = f"invoice-{entry_id}", request.form.get("invoice_number", "").replace("\0", "")[:40].strip()
    try:
        return _do(seen, lambda: entries.assign(entry_id, number, actor=actor), "assigned")
    except Refusal as refusal:
        return _show(seen, explain([("", refusal)], Fields({field: "money.invoice_number"}), {field: number}))


def _do(seen: StaffSession, deed: Callable[[], object], done: str) -> Response:
    """Do something once; what a colleague has done meanwhile is not in the list any more."""
    try:
        deed()
    except OutOfTurn:
        done = "too_late"
    staff_sessions.flash.leave(f"money.done.{done}")
    return go_on(staff_sessions.address("money"), lambda: _show(seen))


def _show(seen: StaffSession, form: SentForm | None = None) -> Response:
    parts, form = current_parts().portal.payments, form or SentForm()
    entries = parts.bank_entries.open(seen.member.id)
    if form.problems and form.problems[0].field_id not in {f"invoice-{one.id}" for one in entries}:
        form = SentForm()  # of a transfer that is not there any more
    return console_page(
        "console/money.html",
        form.status,
        room=ROOM,
        form=form,
        problems=form.problems,
        notice=staff_sessions.flash.take(),
        refunds=[_refund(one) for one in parts.refunds.due()],
        entries=[_entry(one) for one in entries],
        partial=[_partial(one) for one in parts.bank_entries.partial()],
        report=_report(),
    )


def _refund(one: Refund) -> dict[str, Any]:
    return {
        "id": one.payment.id,
        "number": one.number,
        "amount": amount(one.amount, one.payment.currency),
        "way": say()(f"payment.way.{one.payment.way}"),
        "came_in": say()("money.came_in", datetime=date_and_time(one.payment.ended_at or one.payment.begun_at)),
        "provider_id": one.payment.provider_id,
    }


def _entry(one: BankEntry) -> dict[str, Any]:
    return {
        "id": one.id,
        "amount": amount(one.amount, one.currency),
        "booked_on": say()("money.booked_on", date=date_in_words(one.booked_on)),
        "text": one.text,
        "payer": one.payer,
    }


def _partial(one: Invoice) -> dict[str, Any]:
    return {
        "number": one.number,
        "received": amount(one.received, one.currency),
        "remaining": say()("money.remaining", amount=amount(one.remaining, one.currency)),
        "due_on": date_in_words(one.due_on),
    }


def _report() -> dict[str, Any]:
    report = current_parts().portal.payments.figures.report(current_parts().clock.now() - _PERIOD)
    took = report.usual_time
    return {
        "paid": [
            (say()(f"payment.way.{one.way}"), str(one.count), amount(one.amount, one.currency)) for one in report.paid
        ],
        "took": say()("money.took", count=max(1, round(took.total_seconds() / 60))) if took is not None else None,
        "given_up": [(say()(f"money.given_up.{state}"), count) for state, count in sorted(report.given_up.items())],
    }
