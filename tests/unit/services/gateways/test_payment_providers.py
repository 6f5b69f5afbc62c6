"""Barion and SimplePay, each against a double of its own on loopback (P49)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.gateways.barion import Barion
from services.gateways.payments import PaymentOrder, PaymentProvider, ProviderUnavailable
from services.gateways.providers import open_provider
from services.gateways.simplepay import SimplePay
from tests.world.providers import BarionDouble, SimplePayDouble

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
ORDER = PaymentOrder(
    "an-attempt", "SZ-1", 24900, "HUF", "hu", "https://portal.example/fizetes/an-attempt",
    "https://portal.example/fizetes/an-attempt/visszahivas", NOW, NOW + timedelta(minutes=30),
)  # fmt: skip
Double = BarionDouble | SimplePayDouble


@pytest.fixture
def barion() -> Iterator[BarionDouble]:
    with BarionDouble.running() as double:
        yield double


@pytest.fixture
def simplepay() -> Iterator[SimplePayDouble]:
    with SimplePayDouble.running() as double:
        yield double


@pytest.fixture(params=["barion", "simplepay"])
def double(request: pytest.FixtureRequest) -> Double:
    found: Double = request.getfixturevalue(request.param)
    return found


def provider(double: Double) -> PaymentProvider:
    found = open_provider(double.url)
    assert found is not None
    return found


def test_barion_prepares_a_payment_as_its_documents_say(barion: BarionDouble) -> None:
    started = provider(barion).start(ORDER)
    (order,) = barion.orders.values()
    assert (started.address, started.provider_id) == (f"{barion.origin}/Pay?Id={order.id}", order.id)
    names = ("PaymentType", "PaymentRequestId", "RedirectUrl", "CallbackUrl", "Currency", "Locale", "PaymentWindow")
    assert [order.wanted[name] for name in names] == [
        "Immediate", ORDER.attempt, ORDER.back_to, ORDER.call_back, "HUF", "hu-HU", "0.00:30:00",
    ]  # fmt: skip
    assert order.wanted["Transactions"][0]["Total"] == 24900


def test_simplepay_begins_a_payment_as_its_documents_say(simplepay: SimplePayDouble) -> None:
    started = provider(simplepay).start(ORDER)
    (order,) = simplepay.orders.values()
    assert (started.address, started.provider_id) == (f"{simplepay.origin}/pay/pay/pspHU/{order.id}", order.id)
    names = ("orderRef", "currency", "total", "language", "methods", "timeout", "url")
    assert [order.wanted[name] for name in names] == [
        ORDER.attempt, "HUF", "24900", "HU", ["CARD"], "2026-11-30T20:30:00+00:00", ORDER.back_to,
    ]  # fmt: skip
    assert "@" not in json.dumps(order.wanted)


def test_cents_are_told_as_euros(barion: BarionDouble, simplepay: SimplePayDouble) -> None:
    order = PaymentOrder(**{**vars(ORDER), "amount": 6640, "currency": "EUR"})
    for one in (barion, simplepay):
        provider(one).start(order)
    (at_barion,), (at_simplepay,) = barion.orders.values(), simplepay.orders.values()
    assert at_barion.wanted["Transactions"][0]["Total"] == 66.4
    assert at_simplepay.wanted["total"] == "66.40"


@pytest.mark.parametrize(
    ("status", "state"),
    [("Prepared", "pending"), ("Started", "pending"), ("InProgress", "pending"), ("Waiting", "pending"),
     ("Canceled", "cancelled"), ("Succeeded", "succeeded"), ("Failed", "failed"), ("Expired", "expired")],
)  # fmt: skip
def test_each_status_of_barion_is_a_state(barion: BarionDouble, status: str, state: str) -> None:
    started = provider(barion).start(ORDER)
    next(iter(barion.orders.values())).status = status
    assert provider(barion).state(ORDER.attempt, started.provider_id) == state


@pytest.mark.parametrize(
    ("status", "state"),
    [("INIT", "pending"), ("INPAYMENT", "pending"), ("INFRAUD", "pending"), ("AUTHORIZED", "pending"),
     ("FINISHED", "succeeded"), ("TIMEOUT", "expired"), ("CANCELLED", "cancelled"), ("NOTAUTHORIZED", "failed"),
     ("FRAUD", "failed")],
)  # fmt: skip
def test_each_status_of_simplepay_is_a_state(simplepay: SimplePayDouble, status: str, state: str) -> None:
    started = provider(simplepay).start(ORDER)
    simplepay.orders[ORDER.attempt].status = status
    assert provider(simplepay).state(ORDER.attempt, started.provider_id) == state


def test_an_unknown_status_is_no_state(double: Double) -> None:
    started = provider(double).start(ORDER)
    next(iter(double.orders.values())).status = "Sideways"
    with pytest.raises(ProviderUnavailable):
        provider(double).state(ORDER.attempt, started.provider_id)


def test_what_was_never_begun_has_expired(double: Double) -> None:
    assert provider(double).state("nothing", None) == "expired"
    assert provider(double).cancel("nothing", None) == "cancelled"


def test_barion_speaks_of_the_payment_that_was_asked_for_alone(barion: BarionDouble) -> None:
    started = provider(barion).start(ORDER)
    with pytest.raises(ProviderUnavailable, match="another"):
        provider(barion).state("another", started.provider_id)


@pytest.mark.parametrize(
    ("status", "state"), [("Prepared", "cancelled"), ("InProgress", "pending"), ("Succeeded", "succeeded")]
)
def test_barion_is_given_up_until_the_bank_has_the_card(barion: BarionDouble, status: str, state: str) -> None:
    started = provider(barion).start(ORDER)
    next(iter(barion.orders.values())).status = status
    assert provider(barion).cancel(ORDER.attempt, started.provider_id) == state


@pytest.mark.parametrize(
    ("status", "state"), [("INIT", "cancelled"), ("INPAYMENT", "pending"), ("FINISHED", "succeeded")]
)
def test_simplepay_cancels_until_the_bank_has_the_card(simplepay: SimplePayDouble, status: str, state: str) -> None:
    started = provider(simplepay).start(ORDER)
    simplepay.orders[ORDER.attempt].status = status
    assert provider(simplepay).cancel(ORDER.attempt, started.provider_id) == state


@pytest.mark.parametrize("fault", ["away", "broken", "garbage"])
def test_a_provider_with_a_fault_is_unavailable_in_words_without_secrets(double: Double, fault: str) -> None:
    started = provider(double).start(ORDER)
    double.fault = fault
    for call in (
        lambda: provider(double).start(ORDER),
        lambda: provider(double).state(ORDER.attempt, started.provider_id),
        lambda: provider(double).cancel(ORDER.attempt, started.provider_id),
    ):
        with pytest.raises(ProviderUnavailable) as raised:
            call()
        for secret in (BarionDouble.pos_key, SimplePayDouble.secret, ORDER.attempt):
            assert secret not in str(raised.value)


def test_nobody_listening_is_unavailable() -> None:
    with BarionDouble.running() as gone:
        url = gone.url
    one = open_provider(url)
    assert one is not None
    with pytest.raises(ProviderUnavailable):
        one.start(ORDER)


def test_an_answer_without_simplepays_signature_is_not_read(simplepay: SimplePayDouble) -> None:
    simplepay.is_unsigned = True
    with pytest.raises(ProviderUnavailable, match="signature"):
        provider(simplepay).start(ORDER)


def test_the_wrong_key_is_found_by_probing(double: Double) -> None:
    provider(double).probe()
    secret = double.pos_key if isinstance(double, BarionDouble) else double.secret
    other = open_provider(double.url.replace(secret, secret[::-1]))
    assert other is not None
    with pytest.raises(ProviderUnavailable):
        other.probe()


def test_a_page_at_another_host_is_not_handed_out(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(double, "origin", "https://elsewhere.example")
    with pytest.raises(ProviderUnavailable, match="elsewhere"):
        provider(double).start(ORDER)


IPN = b'{"salt":"aaaa","orderRef":"an-attempt","merchant":"PUBLICTESTHUF","status":"FINISHED","text":"\\u00e9\\/"}'


def test_simplepays_call_is_answered_with_the_day_of_receipt_and_signed(simplepay: SimplePayDouble) -> None:
    said = provider(simplepay).read(IPN, simplepay.sign(IPN), NOW)
    assert said is not None
    assert said.attempt == "an-attempt"
    assert json.loads(said.answer) == {**json.loads(IPN), "receiveDate": "2026-11-30T20:00:00+00:00"}
    assert said.headers["Signature"] == simplepay.sign(said.answer)


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (IPN.replace(b"FINISHED", b"CANCELLED"), None),  # signed for other bytes
        (IPN.replace(b'","', b'", "'), None),  # the same JSON in other bytes
        (IPN, ""),
        (IPN, "\u00e9"),
        (b"no JSON", "own"),
        (b"[]", "own"),
        (IPN.replace(b"PUBLICTESTHUF", b"ANOTHER"), "own"),
    ],
)
def test_what_simplepay_did_not_sign_is_not_read(
    simplepay: SimplePayDouble, body: bytes, signature: str | None
) -> None:
    given = simplepay.sign(body) if signature == "own" else simplepay.sign(IPN) if signature is None else signature
    assert provider(simplepay).read(body, given, NOW) is None


def test_barion_signs_nothing(barion: BarionDouble) -> None:
    assert provider(barion).read(IPN, "", NOW) is None


def test_a_setting_names_the_provider_and_where_its_pages_are() -> None:
    real = open_provider("barion://key@api.barion.com?payee=a%40b.hu")
    trial = open_provider("barion://key@api.test.barion.com?payee=a@b.hu")
    other = open_provider("simplepay://merchant:se%2Fcret@sandbox.simplepay.hu")
    assert isinstance(real, Barion)
    assert isinstance(other, SimplePay)
    assert [one and one.origin for one in (real, trial, other)] == [
        "https://secure.barion.com", "https://secure.test.barion.com", "https://sandbox.simplepay.hu",
    ]  # fmt: skip
    assert open_provider("") is None


@pytest.mark.parametrize(
    "url",
    [
        "barion://s3cret@api.barion.com",
        "barion://s3cret@api.elsewhere.com?payee=a@b.hu",
        "barion://s3cret@api.barion.com?payee=a@b.hu&more=1",
        "barion://api.barion.com?payee=a@b.hu",
        "simplepay://s3cret@secure.simplepay.hu",
        "simplepay://merchant:s3cret@secure.simplepay.hu/path",
        "stripe://s3cret@api.stripe.com",
        "simplepay://merchant:s3cret/@secure.simplepay.hu",
        "simplepay://merchant:pass@secure.simplepay.hu:s3cret",
    ],
)
def test_a_setting_that_names_none_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        open_provider(url)
    assert "s3cret" not in str(raised.value)
