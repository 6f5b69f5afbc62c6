"""Invoices: the insurer's system brings them, and learns what was paid (P47)."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.clients import ApiKey
from services.payments.ledger import NewInvoice
from services.refusal import OutOfTurn, Refusal
from webapp.api.operation import operation
from webapp.api.problems import Problem
from webapp.parts import current_parts
from webapp.ui.language import say

Given = tuple[Any, Mapping[str, str]]

_NUMBER = r"[0-9A-Za-z][0-9A-Za-z._-]{0,34}"
_ADDRESS = "/invoices/{number}"
_PATH = {
    "number": {
        "description": "The invoice's number, which customers also write on a transfer.",
        "schema": {"type": "string", "pattern": f"^{_NUMBER}$"},
        "example": "SZ100101-2",
    }
}
_PLACES = {"policy": "/policy_number", "letter": "/letter"}


class InvoiceFile(BaseModel):
    """An invoice, as a row of the file `invoices` has it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    policy_number: Annotated[str, StringConstraints(min_length=1, max_length=32)] = Field(
        description="The policy that it is for.", examples=["940100101"]
    )
    amount: Annotated[int, Field(ge=1, le=999_999_999_999)] = Field(
        description="In the currency's smallest unit: forints, cents.", examples=[24900]
    )
    currency: Literal["HUF", "EUR", "CZK"] = Field(examples=["HUF"])
    due_on: date = Field(description="The last day for paying it.", examples=["2026-12-15"])
    period_from: date | None = Field(default=None, description="The first day that it is for.")
    period_until: date | None = Field(default=None, description="The last one.")
    letter: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = Field(
        default=None, description="The id of the letter that is the invoice itself."
    )
    state: Literal["due", "paid", "refunded"] = Field(
        default="due",
        description="The insurer notes `paid` and `refunded`. `due` takes neither back.",
        examples=["due"],
    )


class PaymentOfInvoice(BaseModel):
    """One attempt to pay it."""

    model_config = ConfigDict(extra="forbid")

    attempt: str
    way: str = Field(examples=["card"])
    amount: int
    state: Literal["pending", "succeeded", "failed", "cancelled", "expired"]


class InvoiceInFull(BaseModel):
    """An invoice and what became of it."""

    model_config = ConfigDict(extra="forbid")

    number: str
    policy_number: str
    amount: int = Field(description="In the currency's smallest unit.")
    currency: str
    due_on: date
    period_from: date | None
    period_until: date | None
    letter: str | None
    state: Literal["due", "overdue", "pending", "paid", "refunded"] = Field(
        description="`pending`: the customer has begun to pay. `paid`: the first payment has come in."
    )
    payments: list[PaymentOfInvoice] = Field(description="The oldest first.")


@operation(
    "PUT", _ADDRESS, scope="invoices", takes=InvoiceFile, gives=InvoiceInFull, parameters=_PATH,
    problems=("not_found", "invoice_paid"),
)  # fmt: skip
def put_invoice(client: ApiKey, number: str, body: InvoiceFile) -> Given:
    """Create or change an invoice. Sending the same data again changes nothing. Once it is paid or being paid, another
    amount or customer is refused; other data may change at any time.
    """
    if not re.fullmatch(_NUMBER, number):
        raise Problem("not_found")
    given = NewInvoice(
        policy_number=body.policy_number,
        amount=body.amount,
        currency=body.currency,
        due_on=body.due_on,
        period_from=body.period_from,
        period_until=body.period_until,
        letter_id=body.letter,
        state=body.state,
    )
    try:
        current_parts().portal.payments.ledger.put(number, given, adviser=client.adviser)
    except Refusal as refusal:
        if refusal.reason == "paid":
            raise Problem("invoice_paid") from None
        raise Problem("invalid", errors=[(_PLACES[refusal.reason], say().plain("api.field.wrong"))]) from None
    return _invoice(client, number), {}


@operation("GET", _ADDRESS, scope="invoices", gives=InvoiceInFull, parameters=_PATH, problems=("not_found",))
def read_invoice(client: ApiKey, number: str) -> Given:
    """Get an invoice's state and the attempts to pay it."""
    return _invoice(client, number), {}


def _invoice(client: ApiKey, number: str) -> InvoiceInFull:
    try:
        invoice, payments = current_parts().portal.payments.ledger.find(number, adviser=client.adviser)
    except OutOfTurn:
        raise Problem("not_found") from None
    return InvoiceInFull(
        number=invoice.number,
        policy_number=invoice.policy_number,
        amount=invoice.amount,
        currency=invoice.currency,
        due_on=invoice.due_on,
        period_from=invoice.period_from,
        period_until=invoice.period_until,
        letter=invoice.letter_id,
        state=invoice.state,
        payments=[
            PaymentOfInvoice(attempt=one.id, way=one.way, amount=one.amount, state=one.state) for one in payments
        ],
    )
