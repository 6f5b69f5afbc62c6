"""Doubles of Barion and SimplePay on loopback: they check, sign, redirect, call back and fail as the real ones do."""

import hmac
import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha384
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlencode

Call = Callable[[str, bytes, dict[str, str]], tuple[int, bytes, dict[str, str]]]
"""Posts a body with headers to an address of the insurer's; returns status, body and headers of the answer."""


@dataclass
class Order:
    """A payment in the books of a double."""

    id: str
    wanted: dict[str, Any]
    status: str
    calls: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    """How the insurer answered each call."""


class Double:
    """A provider's server. `fault` is what is wrong with it: `away`, `broken`, `garbage`, or nothing."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.fault = ""
        self.requests: list[tuple[str, str, bytes, dict[str, str]]] = []
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                double._serve(self, b"")

            def do_POST(self) -> None:
                double._serve(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.origin = f"http://{self.host}"

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Let a double serve while the block lasts."""
        double = cls()
        thread = threading.Thread(target=double._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield double
        finally:
            double._server.shutdown()
            double._server.server_close()
            thread.join()

    def answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        raise NotImplementedError

    def _serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.command, request.path, body, headers))
        if self.fault == "away":
            request.close_connection = True
            request.connection.close()
            return
        status, content, more = self.answer(request.command, request.path, body, headers)
        if self.fault == "broken":
            status, content = 503, b"<h1>Service Unavailable</h1>"
        elif self.fault == "garbage":
            content = b"<html>maintenance</html>"
        request.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "Connection": "close", **more}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)


class BarionDouble(Double):
    """Barion, by docs.barion.com: the POS key in the header, GUIDs without dashes, an unsigned call back."""

    pos_key = "0123456789abcdef0123456789abcdef"
    payee = "penztar@example.hu"

    @property
    def url(self) -> str:
        return f"barion://{self.pos_key}@{self.host}?payee={self.payee}"

    def answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        if headers.get("x-pos-key") != self.pos_key:
            return _json(400, {"Errors": [{"ErrorCode": "AuthenticationFailed", "Title": "AuthenticationFailed"}]})
        if (method, path) == ("POST", "/v2/Payment/Start"):
            return self._start(json.loads(body))
        payment_id = path.removeprefix("/v4/payment/").removesuffix("/paymentstate")
        if method != "GET" or payment_id not in self.orders:
            return _json(400, {"Errors": [{"ErrorCode": "PaymentNotFound", "Title": "PaymentNotFound"}]})
        order = self.orders[payment_id]
        said = {"PaymentId": order.id, "PaymentRequestId": order.wanted["PaymentRequestId"], "Status": order.status}
        return _json(200, {**said, "Errors": []})

    def _start(self, wanted: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        (transaction,) = wanted["Transactions"]
        total = sum(item["ItemTotal"] for item in transaction["Items"])
        if wanted["POSKey"] != self.pos_key or transaction["Payee"] != self.payee or transaction["Total"] != total:
            return _json(400, {"Errors": [{"ErrorCode": "ModelValidationError"}]})
        payment_id = f"{len(self.orders) + 1:032x}"
        self.orders[payment_id] = Order(payment_id, wanted, "Prepared")
        address = f"{self.origin}/Pay?Id={payment_id}"
        return _json(200, {"PaymentId": payment_id, "PaymentRequestId": wanted["PaymentRequestId"],
                           "Status": "Prepared", "GatewayUrl": address, "Errors": []})  # fmt: skip

    def finish(self, order: Order, status: str, call: Call, times: int = 1) -> str:
        """Let a payment end, call the insurer, and return where the customer is sent back."""
        order.status = status
        for _ in range(times):
            body = urlencode({"PaymentId": order.id}).encode()
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            order.calls.append(call(order.wanted["CallbackUrl"], body, form))
        return f"{order.wanted['RedirectUrl']}?paymentId={order.id}"


class SimplePayDouble(Double):
    """SimplePay v2, by its documentation of 15 August 2024: everything is signed, in both directions."""

    merchant, secret = "PUBLICTESTHUF", "FxDa5w314kLlNseq2sKuVwaqZshZT5d6"

    def __init__(self) -> None:
        super().__init__()
        self.is_unsigned = False

    @property
    def url(self) -> str:
        return f"simplepay://{self.merchant}:{self.secret}@{self.host}"

    def sign(self, body: bytes) -> str:
        return b64encode(hmac.digest(self.secret.encode(), body, sha384)).decode()

    def answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        wanted = json.loads(body)
        if headers.get("signature") != self.sign(body) or not 32 <= len(wanted["salt"]) <= 64:
            said: dict[str, Any] = {"errorCodes": [5321]}
        elif wanted["merchant"] != self.merchant:
            said = {"errorCodes": [5081]}
        else:
            said = {
                "salt": "f" * 32,
                "merchant": self.merchant,
                **self._said(path.removeprefix("/payment/v2/"), wanted),
            }
        content = json.dumps(said).encode()
        return 200, content, {} if self.is_unsigned else {"Signature": self.sign(content)}

    def _said(self, what: str, wanted: dict[str, Any]) -> dict[str, Any]:
        if what == "start":
            order = self.orders.setdefault(
                wanted["orderRef"], Order(str(99_000_000 + len(self.orders)), wanted, "INIT")
            )
            return {"orderRef": wanted["orderRef"], "transactionId": int(order.id), "total": float(wanted["total"]),
                    "currency": wanted["currency"], "timeout": wanted["timeout"],
                    "paymentUrl": f"{self.origin}/pay/pay/pspHU/{order.id}"}  # fmt: skip
        if what == "query":
            found = [self.orders[one] for one in wanted["orderRefs"] if one in self.orders]
            rows = [{"orderRef": one.wanted["orderRef"], "transactionId": int(one.id), "status": one.status,
                     "total": float(one.wanted["total"])} for one in found]  # fmt: skip
            return {"transactions": rows, "totalCount": len(rows)}
        order = self.orders[wanted["orderRef"]]
        if order.status != "INIT":
            return {"errorCodes": [5344]}
        order.status = "CANCELLED"
        return {"orderRef": wanted["orderRef"], "status": order.status}

    def finish(self, order: Order, status: str, call: Call, times: int = 1, signature: str | None = None) -> str:
        """Let a payment end, call the insurer where it was paid, and return where the customer is sent back."""
        order.status = status
        said = {"salt": "a" * 32, "orderRef": order.wanted["orderRef"], "method": "CARD", "merchant": self.merchant,
                "finishDate": "2026-11-30T21:00:00+01:00", "paymentDate": "2026-11-30T20:59:00+01:00",
                "transactionId": int(order.id), "status": status}  # fmt: skip
        body = json.dumps(said, separators=(",", ":")).encode()
        for _ in range(times if status == "FINISHED" else 0):
            headers = {"Content-Type": "application/json", "Signature": signature or self.sign(body)}
            order.calls.append(call("/fizetes/ertesites", body, headers))
        events = {"FINISHED": "SUCCESS", "NOTAUTHORIZED": "FAIL", "TIMEOUT": "TIMEOUT", "CANCELLED": "CANCEL"}
        result = json.dumps({"r": 0, "t": int(order.id), "e": events[status], "m": self.merchant,
                             "o": order.wanted["orderRef"]}).encode()  # fmt: skip
        return f"{order.wanted['url']}?{urlencode({'r': b64encode(result).decode(), 's': self.sign(result)})}"


def _json(status: int, said: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
    return status, json.dumps(said).encode(), {"Content-Type": "application/json"}
