"""Barion: the customer pays at the Barion Smart Gateway (P49).

From docs.barion.com. *Payment-Start-v2*: "POST /v2/Payment/Start sets up a new payment in the Barion Smart Gateway."
*Payment-PaymentState-v4*: "GET /v4/payment/<PaymentId>/paymentstate … This is the preferred API endpoint for querying
the state of a payment." *Callback mechanism*: "The Barion system sends an HTTP POST request to the merchant's system
… with the payment's unique identifier, indicating that something has just happened, so the merchant's system should
check the payment now." The call is unsigned, so it is a hint and nothing more.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.gateways.http import Answer, NoAnswer, ask
from services.gateways.payments import PaymentOrder, ProviderState, ProviderUnavailable, StartedPayment
from services.values import money

_STATES: Mapping[str, ProviderState] = {
    "Prepared": "pending",
    "Started": "pending",
    "InProgress": "pending",
    "Waiting": "pending",
    "Reserved": "pending",
    "Authorized": "pending",
    "Canceled": "cancelled",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Expired": "expired",
}
"""By *PaymentStatus*. `PartiallySucceeded` needs several transactions, and a payment here has one."""
_NOT_BEGUN = ("Prepared", "Started")
"""The customer has given no card yet, or it is not with the bank: "InProgress … No alterations can be made"."""
_LOCALES = {"hu": "hu-HU", "en": "en-US", "sk": "sk-SK", "cs": "cs-CZ", "de": "de-DE"}
_ID = re.compile(r"[0-9A-Fa-f-]{32,36}")
_NOBODYS = "00000000000000000000000000000000"


class Barion:
    """Takes payments by the shop of one POS key into one wallet."""

    name = "Barion"

    demanded = None

    def __init__(self, api: str, pages: str, *, pos_key: str, payee: str) -> None:
        """`api` and `pages` are the origins of the API and of the gateway; `payee` is the wallet's email address."""
        self._api = api
        self._pages = pages
        self._pos_key = pos_key
        self._payee = payee

    @property
    def origin(self) -> str:
        """The origin of the gateway."""
        return self._pages

    def start(self, order: PaymentOrder) -> StartedPayment:
        """Prepare a payment, and return the gateway's page. Raises ProviderUnavailable.

        Prepared twice, Barion has two payments. That is no harm while one address alone is handed to the customer.
        """
        total = _number(money.in_main_unit(order.amount, order.currency))
        wanted = {
            "POSKey": self._pos_key,
            "PaymentType": "Immediate",
            "GuestCheckOut": True,
            "FundingSources": ["All"],
            "PaymentRequestId": order.attempt,
            "OrderNumber": order.reference,
            "RedirectUrl": order.back_to,
            "CallbackUrl": order.call_back,
            "Locale": _LOCALES.get(order.language, "en-US"),
            "Currency": order.currency,
            "PaymentWindow": _window(order),
            "Transactions": [
                {
                    "POSTransactionId": order.attempt,
                    "Payee": self._payee,
                    "Total": total,
                    "Items": [
                        {
                            "Name": order.reference,
                            "Description": order.reference,
                            "Quantity": 1,
                            "Unit": "1",
                            "UnitPrice": total,
                            "ItemTotal": total,
                        }
                    ],
                }
            ],
        }
        said = self._said(self._ask("POST", "/v2/Payment/Start", json.dumps(wanted).encode()))
        address, payment_id = said.get("GatewayUrl"), said.get("PaymentId")
        if said.get("Status") != "Prepared" or not isinstance(address, str) or not _ID.fullmatch(str(payment_id)):
            raise ProviderUnavailable("Barion prepared no payment")
        if not address.startswith(f"{self._pages}/"):
            raise ProviderUnavailable("Barion names a page elsewhere")
        return StartedPayment(address, str(payment_id))

    def state(self, attempt: str, provider_id: str | None) -> ProviderState:
        """Return the state of a payment; `expired` for one whose address nobody has got. Raises ProviderUnavailable."""
        if provider_id is None:
            return "expired"
        status = self._status(attempt, provider_id)
        if status not in _STATES:
            raise ProviderUnavailable("Barion says an unknown status")
        return _STATES[status]

    def cancel(self, attempt: str, provider_id: str | None) -> ProviderState:
        """Give up a payment. Raises ProviderUnavailable.

        Barion takes back nothing that is prepared: it expires by itself. One that is paid meanwhile is found out by
        its call or by asking again, as every late success.
        """
        if provider_id is None:
            return "cancelled"
        status = self._status(attempt, provider_id)
        return "cancelled" if status in _NOT_BEGUN else _STATES.get(status, "pending")

    def read(self, body: bytes, signature: str, now: datetime) -> None:
        """Return None: Barion signs nothing."""

    def probe(self) -> None:
        """Ask for a payment that nobody has. Raises ProviderUnavailable, also when the POS key is refused."""
        answer = self._ask("GET", f"/v4/payment/{_NOBODYS}/paymentstate")
        if answer.status >= 500 or b"AuthenticationFailed" in answer.body:
            raise ProviderUnavailable(f"Barion answers {answer.status}")

    def _status(self, attempt: str, provider_id: str) -> str:
        said = self._said(self._ask("GET", f"/v4/payment/{provider_id}/paymentstate"))
        if said.get("PaymentRequestId") != attempt:
            raise ProviderUnavailable("Barion speaks of another payment")
        return str(said.get("Status"))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {"x-pos-key": self._pos_key, "Accept": "application/json", "Content-Type": "application/json"}
        try:
            return ask(method, f"{self._api}{path}", headers=headers, body=body)
        except NoAnswer as error:
            raise ProviderUnavailable(f"Barion: {error}") from None

    @staticmethod
    def _said(answer: Answer) -> dict[str, Any]:
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = None
        if answer.status != 200 or not isinstance(said, dict) or said.get("Errors"):
            raise ProviderUnavailable(f"Barion answers {answer.status}")
        return said


def _window(order: PaymentOrder) -> str:
    """Return the time to pay as *Payment-Start-v2* writes it: d.hh:mm:ss, from a minute to a week."""
    seconds = int((order.pay_by - order.begun_at).total_seconds())
    return f"0.{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
