"""The API: who is let in, what is refused and how, what a client does with a customer, and that it is done once."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from services.clients import SCOPES
from services.staff.contacts import CustomerContacts
from services.store.tables.register import advisers
from tests.world.api_client import FIND, ILONAS_POLICY, MAIL, MOBILE, NOWHERE, RESET, START, Client, about, registration
from tests.world.cast import ANNA, ESZTER, PETER, one_of_many
from tests.world.site import Site
from webapp.demo.seed import STAFF_PASSWORD


def pointers(answer: TestResponse) -> list[str]:
    assert about(answer) == (422, "invalid")
    return [error["pointer"] for error in answer.json["errors"]]


@pytest.fixture
def client(site: Site) -> Client:
    """A client that may do everything."""
    return Client(site)


# --- Who is let in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer belepo_22222222222A_" + "A" * 43},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Basic Zm9vOmJhcg=="},
        {"Authorization": "{key}"},
        {"X-Api-Key": "{key}"},
        {"Cookie": "session={key}; Authorization=Bearer {key}"},
    ],
)
def test_without_a_key_in_its_place_nobody_comes_in(site: Site, client: Client, headers: dict[str, str]) -> None:
    sent = {name: value.replace("{key}", client.secret) for name, value in headers.items()}
    for address in (FIND, START, RESET, f"{START}/{NOWHERE}/code"):
        answer = site.app.test_client().post(address, headers=sent, json={})
        assert about(answer) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="belepo"')


@pytest.mark.parametrize("name", ["access_token", "api_key", "key", "Authorization"])
def test_a_key_in_the_address_or_the_body_is_none(site: Site, client: Client, name: str) -> None:
    browser = site.app.test_client()
    asked = browser.get(f"{START}/{NOWHERE}", query_string={name: client.secret})
    assert about(asked) == (401, "unauthorized")
    assert about(browser.post(START, data={name: client.secret})) == (401, "unauthorized")


def test_revoked_expired_and_unknown_keys_are_told_the_same(site: Site, client: Client) -> None:
    unknown = site.app.test_client().get(f"{START}/{NOWHERE}", headers={"Authorization": "Bearer nonsense"})
    assert about(client.get(f"{START}/{NOWHERE}")) == (404, "not-found")
    site.parts.clients.api_keys.revoke(client.key.id)
    revoked = client.get(f"{START}/{NOWHERE}", **{"Accept-Language": "hu"})
    assert (revoked.status_code, revoked.data) == (unknown.status_code, unknown.data)
    assert revoked.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"]


def test_wrong_keys_wait_after_some_and_good_ones_do_not(site: Site, client: Client) -> None:
    kinds = set()
    for _ in range(site.parts.profile.sign_in.source_tries + 1):
        answer = site.app.test_client().get(f"{START}/{NOWHERE}", headers={"Authorization": "Bearer nonsense"})
        kinds.add(about(answer))
    assert kinds == {(401, "unauthorized"), (429, "too-many")}
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get(f"{START}/{NOWHERE}").status_code == 404


def test_sessions_open_nothing_here_and_keys_nothing_there(site: Site, client: Client) -> None:
    started = client.start().json["id"]
    clerk = site.app.test_client()
    page = clerk.get("/ugyfelszolgalat").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    fields = {"csrf_token": token, "email": "ugyintezo@example.hu", "password": STAFF_PASSWORD}
    assert clerk.post("/ugyfelszolgalat/belepes", data=fields).status_code == 303
    assert clerk.get("/ugyfelszolgalat").status_code == 200
    for address in (f"{START}/{started}", "/api/v1/references/7KX-2MD"):
        assert about(clerk.get(address)) == (401, "unauthorized")
    assert about(clerk.post(START, json=registration())) == (401, "unauthorized")
    for address in (f"/ugyfelszolgalat/ugyfel/{started}", "/fiok"):
        assert client.get(address).status_code == 303


def test_no_answer_sets_or_reads_a_cookie(site: Site, client: Client) -> None:
    browser = site.app.test_client()
    browser.set_cookie("lang", "hu")
    answer = browser.get("/api/v1/docs?lang=hu", headers={"Accept-Language": "en"})
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Language"] == "en"
    assert "Cookie" not in answer.headers.get("Vary", "")
    started = client.start()
    assert "Set-Cookie" not in started.headers
    assert "Cookie" not in started.headers["Vary"]


def test_each_scope_opens_its_own_doors_alone(site: Site) -> None:
    doors = {
        "registrations": [(FIND, {}), (START, {}), (f"{START}/{NOWHERE}", None), (f"{START}/{NOWHERE}/code", {})],
        "password-resets": [(RESET, {})],
        "references": [("/api/v1/references/7KX-2MD", None)],
    }
    for scope in SCOPES:
        client = Client(site, scope)
        for other, addresses in doors.items():
            for address, body in addresses:
                answer = client.get(address) if body is None else client.post(address, body)
                assert (answer.status_code == 403) == (other != scope), (scope, address)


def test_a_bound_key_finds_its_advisers_customers_alone(make_site: Callable[..., Site]) -> None:
    site = make_site()  # of its own: the register stays as it is for the others
    with site.parts.store.write() as connection:
        connection.execute(advisers.delete())
        connection.execute(insert(advisers).values(kutid="10000004", adviser="uk-0007"))
    bound, free = Client(site, adviser="UK-0007"), Client(site)
    assert bound.start().status_code == 201
    theirs = free.start(one_of_many(101).policy_number, "masik@example.hu", "+36201000101").json["id"]
    assert about(bound.get(f"{START}/{theirs}")) == (404, "not-found")
    assert about(bound.post(f"{START}/{theirs}/code")) == (404, "not-found")
    assert about(bound.post(f"{START}/{theirs}/code/check", {"code": "1234"})) == (404, "not-found")
    for number in (ANNA.policy_number, "940999999"):
        asked = {"customer": {"by": "policy_number", "number": number}}
        assert about(bound.post(FIND, asked)) == (404, "customer-unknown")
        assert about(bound.start(number)) == (404, "customer-unknown")
        assert about(bound.post(RESET, {**asked, "identified_by": "call"})) == (404, "customer-unknown")
    code = site.parts.references.issue("no_mobile", kutid="10000001")
    assert about(bound.get(f"/api/v1/references/{code}")) == (404, "customer-unknown")
    assert free.get(f"/api/v1/references/{code}").status_code == 200


def test_each_key_has_its_own_count_of_requests(make_site: Callable[..., Site]) -> None:
    site = make_site(api_requests_a_minute=10)
    busy, other = Client(site), Client(site)
    for left in range(9, -1, -1):
        answer = busy.get(f"{START}/{NOWHERE}")
        assert answer.headers["RateLimit-Limit"] == "10"
        assert answer.headers["RateLimit-Remaining"] == str(left)
        assert 0 < int(answer.headers["RateLimit-Reset"]) <= 60
        assert "Retry-After" not in answer.headers
    refused = busy.get(f"{START}/{NOWHERE}")
    assert about(refused) == (429, "too-many")
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
    assert other.get(f"{START}/{NOWHERE}").status_code == 404
    site.advance(seconds=61)
    assert busy.get(f"{START}/{NOWHERE}").status_code == 404


# --- What cannot be read ---------------------------------------------------------------------------------------------

DEEP = '{"customer":' + "[" * 5000 + "]" * 5000 + "}"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", (400, "malformed")),
        ("{", (400, "malformed")),
        (b"\xff\xfe", (400, "malformed")),
        ('{"customer": "\0"}', (400, "malformed")),
        ('{"customer": "\\ud800"}', (400, "malformed")),
        (DEEP, (400, "malformed")),
        ("NaN", (422, "invalid")),
        ("[]", (422, "invalid")),
        ("null", (422, "invalid")),
        ('"x"', (422, "invalid")),
        ("x" * 20_000, (413, "too-large")),
        (b"\0" * 10_000_000, (413, "too-large")),
    ],
)
def test_what_is_no_request(client: Client, body: str | bytes, problem: tuple[int, str]) -> None:
    for address in (FIND, START, RESET, f"{START}/{NOWHERE}/code/check"):
        assert about(client.post(address, body, Content_Type="application/json")) == problem


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
)
def test_only_json_is_read(client: Client, kind: str) -> None:
    answer = client.post(START, json.dumps(registration()), Content_Type=kind)
    assert about(answer) == (415, "media-type")
    assert answer.headers["Accept"] == "application/json"


def test_only_json_is_given(client: Client) -> None:
    for accepted in ("text/html", "application/xml;q=0.5", "application/json;q=0"):
        assert about(client.post(START, registration(), Accept=accepted)) == (406, "not_acceptable".replace("_", "-"))
    for accepted in ("*/*", "application/*", "text/html, application/json;q=0.1"):
        assert client.get(f"{START}/{NOWHERE}", Accept=accepted).status_code == 404


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"email": "ilona"}, ["/email"]),
        ({"email": "a\0@example.hu"}, ["/email"]),
        ({"email": "a@" + "b" * 400 + ".hu"}, ["/email"]),
        ({"email": 1}, ["/email"]),
        ({"email": None}, ["/email"]),
        ({"mobile": "+3612345678"}, ["/mobile"]),
        ({"mobile": "+436641234567"}, ["/mobile"]),
        ({"mobile": "20 999 887\u0000"}, ["/mobile"]),
        ({"identified_by": "magic"}, ["/identified_by"]),
        ({"language": "xx"}, ["/language"]),
        ({"is_admin": True}, ["/is_admin"]),
        ({"a/b~c": 1}, ["/a~1b~0c"]),
        ({"customer": {"by": "name", "number": "1"}}, ["/customer/by"]),
        ({"customer": {"by": "kutid", "number": "' OR 1=1"}}, ["/customer/number"]),
        ({"customer": {"by": "kutid", "number": "x" * 41}}, ["/customer/number"]),
        ({"customer": {}}, ["/customer/by", "/customer/number"]),
        ({"customer": "940000005"}, ["/customer"]),
    ],
)
def test_every_wrong_field_is_pointed_at(client: Client, values: dict[str, Any], wrong: list[str]) -> None:
    assert sorted(pointers(client.post(START, registration(**values)))) == wrong


def test_thousands_of_wrong_fields_are_answered_in_short(client: Client) -> None:
    answer = client.post(START, registration(**{f"x{number}": 1 for number in range(1000)}))
    assert len(pointers(answer)) == 20


def test_nothing_happens_where_a_field_is_wrong(site: Site, client: Client) -> None:
    before = site.database("api_keys")
    client.post(START, registration(mobile="+3612345678"))
    assert site.database("api_keys") == before


@pytest.mark.parametrize("language", ["hu", "en"])
def test_what_is_said_is_in_the_clients_language(site: Site, language: str) -> None:
    client = Client(site, language=language)
    answer = client.start(mobile="+3612345678")
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]
    assert " ".join(answer.json["title"].split()) == site.say("api.problem.invalid", language)
    assert " ".join(answer.json["errors"][0]["detail"].split()) == site.say("error.mobile.landline", language)


def test_addresses_that_are_not_there_and_methods_that_are_not_taken(site: Site, client: Client) -> None:
    for address in ("/api/", "/api/v1", "/api/v2/registrations", "/api/v1/registrations/", f"{START}/%00"):
        assert about(client.get(address)) == (404, "not-found"), address
    assert about(client.get(f"{START}/{NOWHERE}/../../x")) == (404, "not-found")
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        answer = site.app.test_client().open(START, method=method, headers=client.headers)
        assert about(answer) == (405, "method")
        assert answer.headers["Allow"] == "POST"
    forced = client.post(f"{START}/{NOWHERE}", {}, X_HTTP_Method_Override="GET")
    assert about(forced) == (405, "method")


def test_what_breaks_is_told_without_saying_what(site: Site, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"secret of {MAIL}")

    site.secrets.add(MAIL)
    monkeypatch.setitem(site.app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(CustomerContacts, "record", broken)
    answer = client.start(Idempotency_Key="one")
    assert about(answer) == (500, "broken")
    assert MAIL not in answer.text
    assert answer.json["reference"]

    def gone(*_: object, **__: object) -> None:
        raise OperationalError(MAIL, {}, Exception(MAIL))

    monkeypatch.setattr(CustomerContacts, "record", gone)
    answer = client.start(Idempotency_Key="one")
    assert about(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    # What broke was not kept: the same request is done now.
    assert client.start(Idempotency_Key="one").status_code == 201


# --- What a client does with a customer -------------------------------------------------------------------------------


def test_a_customer_is_found_masked(site: Site, client: Client) -> None:
    asked = {"customer": {"by": "kutid", "number": "10000004"}}
    assert client.post(FIND, asked).json == {
        "name": "N••• I•••", "policy_number": "9400•••05",
        "has_live_policy": True, "has_account": False, "has_mobile": False,
    }  # fmt: skip
    actions = [row.action for row in site.rows("audit") if row.actor == client.key.id]
    assert actions == ["searched", "viewed"]


def _deeds(site: Site, client: Client) -> list[str]:
    return [row.action for row in site.rows("audit") if row.actor == client.key.id]


def test_a_refused_request_identifies_nobody(site: Site, client: Client) -> None:
    site.open_account(ANNA)
    asked = {"customer": {"by": "policy_number", "number": ILONAS_POLICY}}
    for refused in (client.start(email=ANNA.email), client.start(email="=1@example.hu")):
        assert pointers(refused) == ["/email"]
    assert about(client.post(RESET, {**asked, "identified_by": "call"})) == (409, "no-account")
    assert about(client.start(ANNA.policy_number)) == (409, "already-registered")
    assert "identified" not in _deeds(site, client)
    assert client.post(FIND, asked).json["name"] == "N••• I•••"


def test_reads_unknown_references_and_what_was_denied_are_audited_with_their_source(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(trusted_proxies=1)
    client = Client(site)
    client.headers["X-Forwarded-For"] = "2001:db8:1:2:3:4:5:6"
    where = client.start().headers["Location"]
    client.get(where)
    client.get(f"{START}/{NOWHERE}")
    client.get("/api/v1/references/AAA-AAA")
    client.start(PETER.policy_number)
    site.advance(hours=1)
    client.post(f"{where}/code")
    trail = [row for row in site.rows("audit") if row.actor == client.key.id]
    assert [(row.action, row.kutid, row.facts.get("deed")) for row in trail if row.action != "viewed"] == [
        ("searched", None, None), ("identified", "10000004", None), ("code_sent", "10000004", None),
        ("read", "10000004", None), ("denied", None, "read"), ("searched", None, None), ("searched", None, None),
        ("denied", "10000003", "record"), ("denied", "10000004", "resend_code"),
    ]  # fmt: skip
    assert {row.source for row in trail} == {"2001:db8:1:2::/64"}


def test_a_client_sees_masked_data_of_whom_it_has_identified(site: Site, client: Client) -> None:
    assert client.start().status_code == 201
    assert _deeds(site, client).count("identified") == 1
    found = client.post(FIND, {"customer": {"by": "policy_number", "number": ILONAS_POLICY}}).json
    assert (found["name"], found["policy_number"]) == ("N••• I•••", "9400•••05")


def test_the_way_of_nagy_ilona(site: Site, client: Client) -> None:
    started = client.start()
    assert started.status_code == 201
    one = started.json
    assert (one["state"], one["email"], one["mobile"]) == ("code_sent", "i•••a@example.hu", "+36 20 ••• ••77")
    where = started.headers["Location"]
    assert client.get(where).json["id"] == one["id"]
    code = site.code(MOBILE)
    wrong = client.post(f"{where}/code/check", {"code": "0000" if code != "0000" else "1111"})
    assert pointers(wrong) == ["/code"]
    assert wrong.json["tries_left"] == site.parts.profile.one_time_code.tries - 1
    again = client.post(f"{where}/code")
    assert about(again) == (429, "too-early")
    assert 0 < int(again.headers["Retry-After"]) <= 60
    site.advance(seconds=60)
    assert client.post(f"{where}/code").json["state"] == "code_sent"
    right = client.post(f"{where}/code/check", {"code": " ".join(site.code(MOBILE)).strip()})
    assert (right.status_code, right.json["state"], right.json["code"]) == (200, "mailed", None)
    assert "/regisztracioveglegesites?token=" in site.link(MAIL)
    assert about(client.post(f"{where}/code/check", {"code": "1234"})) == (409, "out-of-turn")
    assert about(client.post(f"{where}/code")) == (409, "out-of-turn")
    read = client.get(where)
    events = {event["what"] for event in read.json["events"]}
    assert {"started", "identified_by", "sms_sent", "refused", "mobile_changed", "mail_sent"} <= events
    token = site.link(MAIL).partition("token=")[2]
    kept = repr(site.rows("api_answers")) + read.text + started.text + right.text
    for secret in (token, MAIL, MOBILE, client.secret):
        assert secret not in kept
    site.advance(hours=1, minutes=1)
    assert client.get(where).json["events"] is None


def test_an_hour_after_the_identification_nothing_is_done(site: Site, client: Client) -> None:
    where = client.start().headers["Location"]
    site.advance(hours=1)
    assert about(client.post(f"{where}/code")) == (409, "not-identified")
    assert about(client.post(f"{where}/code/check", {"code": "1234"})) == (409, "not-identified")


def test_who_cannot_register(site: Site, client: Client) -> None:
    site.open_account(ANNA)
    assert about(client.start(ANNA.policy_number)) == (409, "already-registered")
    assert about(client.start(PETER.policy_number)) == (409, "no-policy")
    assert pointers(client.start(email=ANNA.email)) == ["/email"]


def test_where_the_journey_has_no_place_for_it(site_of: Callable[[str], Site]) -> None:
    site = site_of("genertel")
    number = site.rows("policies")[0].policy_number
    live = next(row.policy_number for row in site.rows("policies") if row.status == "live")
    assert number
    assert about(Client(site).start(live)) == (409, "not-possible")


def test_the_customers_allowance_is_one_through_every_door(site: Site, client: Client) -> None:
    where = client.start().headers["Location"]
    for _ in range(site.parts.profile.one_time_code.codes - 1):
        site.code(MOBILE)
        site.advance(seconds=60)
        assert client.post(f"{where}/code").status_code == 200
    site.code(MOBILE)
    site.advance(seconds=60)
    used_up = client.post(f"{where}/code")
    assert about(used_up) == (409, "codes-used-up")
    assert used_up.json["again_at"].endswith("Z")
    site.advance(minutes=30)
    assert client.get(where).json["state"] == "codes_used_up"
    assert about(client.start()) == (409, "codes-used-up")


def test_a_code_that_cannot_be_right_costs_no_try(site: Site, client: Client) -> None:
    where = client.start().headers["Location"]
    for code in ("1", "12345678", "1-2-3"):
        assert pointers(client.post(f"{where}/code/check", {"code": code})) == ["/code"]
    assert client.get(where).json["code"]["tries_left"] == site.parts.profile.one_time_code.tries


def test_one_number_gets_so_many_codes_an_hour_and_a_taken_address_is_told_a_few_times(
    site: Site, client: Client
) -> None:
    limit = site.parts.profile.one_time_code.an_hour_to_a_number
    answers = [client.start(f"940100{101 + number}", f"proba{number}@example.hu") for number in range(limit + 1)]
    assert [answer.status_code for answer in answers[:-1]] == [201] * limit
    assert about(answers[-1]) == (429, "too-early")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600
    site.open_account(ANNA)
    taken = [client.start(email=ANNA.email) for _ in range(site.parts.profile.registration.mails_an_hour + 1)]
    assert all(pointers(answer) == ["/email"] for answer in taken[:-1])
    assert about(taken[-1]) == (429, "too-early")


def test_a_client_that_asked_for_too_many_taken_addresses_is_told_until_when(client: Client, site: Site) -> None:
    rules = site.parts.profile.registration
    site.open_account(ANNA)
    numbers = (f"940100{101 + number}" for number in range(99))
    for number in numbers:
        answers = [client.start(number, ANNA.email) for _ in range(rules.mails_an_hour)]
        if {about(answer) for answer in answers} == {(429, "too-early")}:
            break
    assert int(answers[-1].headers["Retry-After"]) > 3600


def test_a_forgotten_password(site: Site, client: Client) -> None:
    customer = ESZTER
    asked = {"customer": {"by": "policy_number", "number": customer.policy_number}, "identified_by": "branch"}
    assert about(client.post(RESET, asked)) == (409, "no-account")
    site.open_account(customer)
    answer = client.post(RESET, asked)
    assert answer.status_code == 202
    assert answer.json == {"email": "e•••r@example.hu", "minutes": 15}
    assert site.told("reset", customer.email) == 1
    for _ in range(site.parts.profile.registration.mails_an_hour):
        answer = client.post(RESET, asked)
    assert about(answer) == (429, "too-early")


def test_a_reference_code_tells_what_the_customer_met(site: Site, client: Client) -> None:
    code = site.parts.references.issue("no_mobile", kutid="10000004")
    answer = client.get(f"/api/v1/references/{code}")
    assert answer.status_code == 200
    assert (answer.json["kind"], answer.json["customer"]["name"]) == ("no_mobile", "N••• I•••")
    assert answer.json["text"] == "No mobile on record"
    assert client.get(f"/api/v1/references/{code.lower()}").json["code"] == code
    by_code = {**registration(), "customer": {"by": "reference", "number": code}}
    assert client.post(START, by_code).status_code == 201
    for unknown in ("AAA-AAA", "x", "%00", "x" * 5000):
        assert about(client.get(f"/api/v1/references/{unknown}"))[0] == 404


# --- Once only --------------------------------------------------------------------------------------------------------


def test_a_repeated_request_has_the_same_answer_and_does_nothing(site: Site, client: Client) -> None:
    first = client.start(Idempotency_Key='"8e03978e-40d5"')
    site.advance(seconds=90)
    second = client.start(Idempotency_Key="8e03978e-40d5")
    assert (second.status_code, second.data) == (first.status_code, first.data)
    assert second.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(site.messages(MOBILE, "sms")) == 1
    where = first.headers["Location"]
    for _ in range(5):
        wrong = client.post(f"{where}/code/check", {"code": "0000"}, Idempotency_Key="guess")
    if wrong.status_code == 422:  # one in ten thousand is right
        assert wrong.json["tries_left"] == site.parts.profile.one_time_code.tries - 1


def test_a_key_belongs_to_one_request_and_one_client(site: Site, client: Client) -> None:
    client.start(Idempotency_Key="k")
    assert about(client.start(email="masik@example.hu", Idempotency_Key="k")) == (422, "key-reused")
    assert about(client.post(FIND, registration(), Idempotency_Key="k"))[0] == 422
    asked = {"customer": {"by": "policy_number", "number": ILONAS_POLICY}}
    assert about(client.post(FIND, asked, Idempotency_Key="k")) == (422, "key-reused")
    assert Client(site).post(FIND, asked, Idempotency_Key="k").status_code == 200


@pytest.mark.parametrize("key", ["", '""', "a b", "x" * 129, "é", '"a', "a\tb"])
def test_a_key_must_look_like_one(client: Client, key: str) -> None:
    assert about(client.start(Idempotency_Key=key)) == (400, "idempotency-key")


def test_what_has_to_wait_is_not_kept(site: Site, client: Client) -> None:
    where = client.start().headers["Location"]
    site.code(MOBILE)
    assert about(client.post(f"{where}/code", Idempotency_Key="again")) == (429, "too-early")
    site.advance(seconds=60)
    assert client.post(f"{where}/code", Idempotency_Key="again").status_code == 200


def test_of_the_same_request_at_once_one_is_executed(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed, arrived = [], threading.Barrier(6, timeout=20)
    record = CustomerContacts.record

    def slow(*arguments: Any, **named: Any) -> None:
        executed.append(1)
        record(*arguments, **named)

    monkeypatch.setattr(CustomerContacts, "record", slow)

    def send(_: int) -> TestResponse:
        arrived.wait()
        return client.start(Idempotency_Key="once")

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(send, range(6)))
    assert len(executed) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    good = {answer.data for answer in answers if answer.status_code == 201}
    assert len(good) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert about(answer) == (409, "under-way")
            assert answer.headers["Retry-After"] == "1"
    assert len(site.messages(MOBILE, "sms")) == 1
