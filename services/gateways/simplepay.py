"""SimplePay v2: the customer pays on SimplePay's page (P49).

From *SimplePay 2.x (API v2) Development Documentation, Payment process and development* of 15 August 2024:
3.1 *General message format*: JSON by POST, with a `salt` of 32 random characters. 3.2 *Validating messages*: the
header `Signature` is the HMAC-SHA384 of the whole body by the merchant's secret key, in base64, in both directions.
3.3 *start* begins a payment; `timeout` is the moment until which it can be paid. *IPN*: SimplePay posts to the one
address that the merchant's account names; the answer is the same JSON with `receiveDate` added, signed in the header
in the same way, else the call is repeated. *query* tells the state of a transaction, *transactionCancel* ends one that
is not paid yet. 7 *Logo*: it stands where customers pay, and leads to SimplePay's information on paying
(*Fizetési tájékoztató*). 8 *Data transfer statement* (*Adattovábbítási nyilatkozat*): the customer accepts it
expressly before the payment begins; it names the merchant with its seat, the site, the data that are handed over, and
"SimplePay Zrt., mint adatfeldolgozó". 9.6 tests both before an account goes live.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha384
from typing import Any

from services import randomness
from services.gateways.http import NoAnswer, ask
from services.gateways.payments import (
    Demanded,
    Notification,
    PaymentOrder,
    ProviderState,
    ProviderUnavailable,
    StartedPayment,
)
from services.values import money

_STATES: Mapping[str, ProviderState] = {
    "INIT": "pending",
    "INPAYMENT": "pending",
    "INFRAUD": "pending",
    "AUTHORIZED": "pending",
    "FINISHED": "succeeded",
    "TIMEOUT": "expired",
    "CANCELLED": "cancelled",
    "NOTAUTHORIZED": "failed",
    "FRAUD": "failed",
    "REVERSED": "failed",
    "REFUND": "failed",
}
"""By chapter 2, *Transaction and its statuses*; what is refunded before it was seen here has paid nothing."""
_LANGUAGES = ("AR", "BG", "CS", "DE", "EN", "ES", "FR", "IT", "HR", "HU", "PL", "RO", "RU", "SK", "TR", "ZH")
_SDK = "belepo"


class SimplePay:
    """Takes payments by one merchant account, which has one currency."""

    name = "SimplePay"

    demanded = Demanded(
        "pay.simplepay.statement",
        "pay.simplepay.submit",
        {
            "pay.simplepay.paying": "https://simplepartner.hu/PaymentService/Fizetesi_tajekoztato.pdf",
            "pay.simplepay.privacy": "https://simplepay.hu/adatkezelesi-tajekoztatok/",
        },
    )
    """By chapters 7 and 8."""

    def __init__(self, origin: str, *, merchant: str, secret: str) -> None:
        """`origin` is that of the API and of the pages; `merchant` and `secret` are the account's."""
        self._origin = origin
        self._merchant = merchant
        self._secret = secret.encode()

    @property
    def origin(self) -> str:
        """The origin of the page where customers pay."""
        return self._origin

    def start(self, order: PaymentOrder) -> StartedPayment:
        """Begin a payment, once for an attempt. Raises ProviderUnavailable.

        Neither the customer's address nor the name goes along: SimplePay asks for them itself (`maySelectEmail`).
        """
        language = order.language.upper()
        said = self._ask(
            "start",
            orderRef=order.attempt,
            currency=order.currency,
            total=str(money.in_main_unit(order.amount, order.currency)),
            language=language if language in _LANGUAGES else "EN",
            methods=["CARD"],
            timeout=order.pay_by.isoformat(timespec="seconds"),
            url=order.back_to,
            maySelectEmail=True,
            maySelectInvoice=True,
        )
        address, transaction_id = said.get("paymentUrl"), said.get("transactionId")
        if said.get("orderRef") != order.attempt or not isinstance(address, str) or transaction_id is None:
            raise ProviderUnavailable("SimplePay began no payment")
        if not address.startswith(f"{self._origin}/"):
            raise ProviderUnavailable("SimplePay names a page elsewhere")
        return StartedPayment(address, str(transaction_id))

    def state(self, attempt: str, provider_id: str | None) -> ProviderState:
        """Return the state of a payment; `expired` for one that SimplePay has not got. Raises ProviderUnavailable."""
        said = self._ask("query", orderRefs=[attempt])
        found = said.get("transactions")
        if not isinstance(found, list):
            raise ProviderUnavailable("SimplePay answers without transactions")
        states = [_STATES.get(str(one.get("status"))) for one in found if one.get("orderRef") == attempt]
        if not states:
            return "expired"
        if None in states:
            raise ProviderUnavailable("SimplePay says an unknown status")
        # An order that was begun twice has two transactions; the one that paid counts.
        return next((one for one in ("succeeded", "pending") if one in states), states[-1] or "pending")

    def cancel(self, attempt: str, provider_id: str | None) -> ProviderState:
        """Cancel a payment that is not paid yet, and return its state. Raises ProviderUnavailable."""
        state = self.state(attempt, provider_id)
        if state == "expired" and provider_id is None:
            return "cancelled"
        if state != "pending":
            return state
        with suppress(_Refused):  # it is being paid at this moment: the state says so
            self._ask("transactionCancel", orderRef=attempt)
        return self.state(attempt, provider_id)

    def probe(self) -> None:
        """Ask for a payment that nobody has. Raises ProviderUnavailable, also when merchant and secret do not fit."""
        self._ask("query", orderRefs=["belepo-doctor"])

    def read(self, body: bytes, signature: str, now: datetime) -> Notification | None:
        """Return what a call of SimplePay's says, and how it is answered; None for one that SimplePay did not sign.

        The signature is checked over the bytes as they came, in constant time, before anything reads them.
        """
        if not self._is_signed(body, signature):
            return None
        try:
            said = json.loads(body)
        except ValueError:
            return None
        if not isinstance(said, dict) or said.get("merchant") != self._merchant:
            return None
        answer = _as_json({**said, "receiveDate": now.isoformat(timespec="seconds")})
        return Notification(str(said.get("orderRef")), answer, {"Signature": self._signature(answer)})

    def _ask(self, what: str, **wanted: Any) -> dict[str, Any]:
        salt = f"{randomness.secret()}"[:32]
        body = _as_json({"salt": salt, "merchant": self._merchant, "sdkVersion": _SDK, **wanted})
        headers = {"Content-Type": "application/json", "Signature": self._signature(body)}
        try:
            answer = ask("POST", f"{self._origin}/payment/v2/{what}", headers=headers, body=body)
        except NoAnswer as error:
            raise ProviderUnavailable(f"SimplePay: {error}") from None
        if answer.status != 200 or not self._is_signed(answer.body, answer.headers.get("Signature", "")):
            raise ProviderUnavailable(f"SimplePay answers {answer.status} without its signature")
        said = json.loads(answer.body)
        if not isinstance(said, dict) or said.get("errorCodes"):
            codes = said.get("errorCodes") if isinstance(said, dict) else None
            raise _Refused(f"SimplePay refuses {what}: {codes}")
        return said

    def _signature(self, body: bytes) -> str:
        return b64encode(hmac.digest(self._secret, body, sha384)).decode("ascii")

    def _is_signed(self, body: bytes, signature: str) -> bool:
        return hmac.compare_digest(self._signature(body).encode(), signature.encode())


class _Refused(ProviderUnavailable):
    """SimplePay has answered, and refuses."""


def _as_json(values: Mapping[str, Any]) -> bytes:
    # With slashes escaped, as PHP writes them: SimplePay's own examples are PHP, and its server expects its form.
    return json.dumps(values, separators=(",", ":")).replace("/", "\\/").encode()
