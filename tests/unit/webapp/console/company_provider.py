"""A small OpenID provider, a process of its own, on Authlib's server side. It lets in whoever it is told to.

`python company_provider.py <port>`; POST /control with JSON says who signs in, and what is to be wrong with the token.
"""

import json
import sys
import time
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, make_response, request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

PORT = int(sys.argv[1])
ISSUER = f"http://127.0.0.1:{PORT}"
SECRET = "the client's secret, known to both"
KEY, OTHER_KEY, NEXT_KEY = (
    RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"}) for name in ("one", "one", "two")
)

_KEYS = {"own": KEY, "other": OTHER_KEY, "next": NEXT_KEY}

control: dict[str, Any] = {}
codes: dict[str, "Code"] = {}
app = Flask(__name__)


class Client(ClientMixin):
    """The only client: belepo."""

    client_id = "belepo"

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/ugyfelszolgalat/ceges-belepes/vissza")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code:
    """A code that was given, and what it was given for."""

    def __init__(self, code: str, asked: Any, user: dict[str, Any]) -> None:
        self.code, self.user = code, user
        self.redirect_uri, self.scope = asked.payload.redirect_uri, asked.payload.scope
        self.nonce = asked.payload.data.get("nonce")
        self.code_challenge = asked.payload.data.get("code_challenge")
        self.code_challenge_method = asked.payload.data.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class CodeGrant(grants.AuthorizationCodeGrant):
    """The authorization code flow."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012

    def save_authorization_code(self, code: str, request: Any) -> None:
        codes[code] = Code(code, request, request.user)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return codes.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return authorization_code.user


class OpenId(OpenIDCode):
    """The token that says who somebody is."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return any(code.nonce == nonce for code in codes.values())

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return KEY

    def get_client_algorithm(self, client: Client) -> str:
        return "RS256"

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": ISSUER, "aud": ["belepo"], "iat": now, "exp": now + 300}

    def get_encode_header(self, client: Client) -> dict[str, Any]:
        return {"alg": "RS256", "kid": "one"}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
        return UserInfo(sub=user["email"], **user)


server = AuthorizationServer(app, query_client=lambda known: Client() if known == "belepo" else None,
                             save_token=lambda token, asked: None)  # fmt: skip
server.register_grant(CodeGrant, [OpenId(require_nonce=True), CodeChallenge(required=True)])


@app.post("/control")
def told() -> str:
    control.clear()
    control.update(request.get_json())
    return "ok"


@app.get("/.well-known/openid-configuration")
def metadata() -> Any:
    if control.get("down"):
        return make_response("down", 503)
    return jsonify(
        {
            "issuer": control.get("metadata_issuer", ISSUER),
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": control.get("token_endpoint", f"{ISSUER}/token"),
            "jwks_uri": f"{ISSUER}/jwks",
            "id_token_signing_alg_values_supported": control.get("algorithms", ["RS256"]),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        }
    )


@app.get("/jwks")
def keys() -> Any:
    return jsonify({"keys": [_KEYS[control.get("key", "own")].as_dict(private=False)]})


@app.get("/authorize")
def authorize() -> Any:
    """Ask nobody anything: whoever was named has signed in."""
    grant = server.get_consent_grant(end_user=control["user"])
    return server.create_authorization_response(grant_user=control["user"], grant=grant)


@app.post("/token")
def token() -> Any:
    answer = server.create_token_response()
    wrong = control.get("wrong", {})
    if not wrong and "key" in control:
        wrong = {"signed": control["key"]}
    if not wrong or answer.status_code != 200:
        return answer
    given = json.loads(answer.get_data())
    claims = {**jwt.decode(given["id_token"], KEY).claims, **wrong.get("claims", {})}
    claims = {name: value for name, value in claims.items() if value is not None}
    signing = wrong.get("signed", "own")
    if signing in ("other", "next"):
        key = _KEYS[signing]
        given["id_token"] = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
    elif signing == "secret":
        given["id_token"] = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])
    elif signing == "none":
        given["id_token"] = _unsigned(claims)
    else:
        given["id_token"] = jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
    if wrong.get("missing"):
        del given["id_token"]
    return Response(json.dumps(given), mimetype="application/json")


def _unsigned(claims: dict[str, Any]) -> str:
    import base64

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}."


if __name__ == "__main__":
    app.run("127.0.0.1", PORT, threaded=True)
