"""A client of the API."""

from typing import Any

from werkzeug.test import TestResponse

from services.clients import SCOPES
from tests.world.site import Site

FIND, START, RESET = "/api/v1/customers/find", "/api/v1/registrations", "/api/v1/password-resets"
ILONAS_POLICY, MOBILE, MAIL = "940000005", "+36209998877", "ilona@example.hu"
NOWHERE = "A" * 22


class Client:
    """An insurer's application, and its key."""

    def __init__(self, site: Site, *scopes: str, adviser: str | None = None, language: str = "en") -> None:
        self.site = site
        self.key, secret = site.parts.clients.api_keys.add("G3", scopes or SCOPES, adviser=adviser)
        self.secret = secret
        self.headers = {"Authorization": f"Bearer {secret}", "Accept-Language": language}
        site.secrets.add(secret)

    def get(self, address: str, **headers: str) -> TestResponse:
        return self.site.app.test_client().get(address, headers={**self.headers, **headers})

    def post(self, address: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"data": body} if isinstance(body, (str, bytes)) else {"json": body} if body is not None else {}
        given = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.site.app.test_client().post(address, headers=given, **sent)

    def put(self, address: str, body: Any) -> TestResponse:
        return self.site.app.test_client().put(address, headers=self.headers, json=body)

    def start(
        self, number: str = ILONAS_POLICY, email: str = MAIL, mobile: str = MOBILE, **headers: str
    ) -> TestResponse:
        self.site.secrets.add(email, mobile)
        return self.post(START, registration(number, email=email, mobile=mobile), **headers)


def registration(number: str = ILONAS_POLICY, **values: Any) -> dict[str, Any]:
    return {
        "customer": {"by": "policy_number", "number": number},
        "identified_by": "call",
        "email": MAIL,
        "mobile": MOBILE,
        **values,
    }


def about(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the kind of a problem, having looked at what every problem document has."""
    assert answer.mimetype == "application/problem+json", answer.text
    document = answer.json
    assert document["status"] == answer.status_code
    assert document["title"]
    assert document["detail"]
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, document["type"].rpartition("/problems/")[2]
