"""The accounts of staff: who is let in, with what, for how long; on both databases."""

from datetime import timedelta
from functools import partial

import pytest
from pyotp import TOTP, parse_uri

from services.staff import ROLES
from services.staff.second_factor import SecondFactors
from services.store.tables.audit import audit
from services.store.tables.staff import staff, staff_sessions
from services.values import email_addresses
from tests.world.cast import ANNA, LAPTOP, PASSWORD, PHONE
from tests.world.outcomes import at_once, said
from tests.world.world import KEYS, House

ORSI = email_addresses.parse("Kiss.Orsolya@example.hu")
SECRET = "Hosszu-Szolgalati-Jelszo"


@pytest.fixture
def app(house: House) -> TOTP:
    """The authenticator app of Orsi, who has an account."""
    return added(house)


def added(house: House, role: str = "service", address: email_addresses.EmailAddress = ORSI, **more: str) -> TOTP:
    uri = house.staff.add(address, "Kiss Orsolya", role, SECRET, issuer="MyGenerali", **more)
    app = parse_uri(uri)
    assert isinstance(app, TOTP)
    assert (app.name, app.issuer) == (address.typed, "MyGenerali")
    return app


def code(house: House, app: TOTP, steps: int = 0) -> str:
    return app.at(house.clock.now() + timedelta(seconds=30 * steps))


def wrong(right: str) -> str:
    return f"{(int(right) + 1) % 10**6:06}"


def comes_in(house: House, app: TOTP, password: str = SECRET, typed: str | None = None) -> str:
    typed = code(house, app) if typed is None else typed
    return said(house.staff.sign_in, ORSI.key, password, typed, LAPTOP)


def actions(house: House) -> list[tuple[str, str]]:
    return [(row.actor.partition(":")[0], row.action) for row in house.rows(audit)]


def test_whoever_has_the_password_and_the_code_comes_in(house: House, app: TOTP) -> None:
    token = house.staff.sign_in(ORSI.key, SECRET, code(house, app), LAPTOP)
    session = house.staff.resume(token)
    assert session is not None
    assert (session.member.name, session.member.role) == ("Kiss Orsolya", "service")
    assert session.member.id.startswith("staff:")
    assert actions(house) == [("system", "staff_added"), ("staff", "signed_in")]


@pytest.mark.parametrize("missing", ["password", "code", "both", "no code", "nobody", "disabled"])
def test_one_answer_for_every_failure(house: House, app: TOTP, missing: str) -> None:
    right = code(house, app)
    password = "something else entirely" if missing in ("password", "both") else SECRET
    typed = wrong(right) if missing in ("code", "both") else "" if missing == "no code" else right
    who = "nobody@example.hu" if missing == "nobody" else ORSI.key
    if missing == "disabled":
        assert house.staff.disable(ORSI.key)
    assert said(house.staff.sign_in, who, password, typed, LAPTOP) == "staff_login.failed"
    assert house.count(staff_sessions) == 0


def test_a_code_is_good_once(house: House, app: TOTP) -> None:
    right = code(house, app)
    assert comes_in(house, app, typed=right) == "ok"
    assert comes_in(house, app, typed=right) == "staff_login.failed"
    # Nor is an older one that was never used, once a newer one was.
    assert comes_in(house, app, typed=code(house, app, -1)) == "staff_login.failed"
    house.clock.advance(seconds=30)
    assert comes_in(house, app) == "ok"


def test_of_ten_that_bring_the_same_code_at_once_one_is_let_in(house: House, app: TOTP) -> None:
    right = code(house, app)
    found = at_once([partial(comes_in, house, app, SECRET, right)] * 4)
    assert sorted(found) == ["ok", *["staff_login.failed"] * 3]
    assert house.count(staff_sessions) == 1


@pytest.mark.parametrize(("steps", "answer"), [(-1, "ok"), (1, "ok"), (-2, "failed"), (2, "failed")])
def test_a_clock_may_be_half_a_minute_off(house: House, app: TOTP, steps: int, answer: str) -> None:
    assert comes_in(house, app, typed=code(house, app, steps)) in (answer, f"staff_login.{answer}")


def test_waits_grow_as_for_customers_and_end(house: House, app: TOTP) -> None:
    for _ in range(house.profile.sign_in.tries):
        assert comes_in(house, app, "wrong password") == "staff_login.failed"
    assert comes_in(house, app) == "staff_login.wait"
    house.clock.advance(seconds=house.profile.sign_in.first_wait_seconds)
    assert comes_in(house, app) == "ok"


def test_failures_elsewhere_do_not_keep_out_a_browser_that_was_in_before(house: House, app: TOTP) -> None:
    house.staff.sign_in(ORSI.key, SECRET, code(house, app), PHONE)
    for _ in range(house.profile.sign_in.tries):
        comes_in(house, app, "wrong password")
    assert comes_in(house, app) == "staff_login.wait"
    house.clock.advance(seconds=30)
    assert said(house.staff.sign_in, ORSI.key, SECRET, code(house, app), PHONE) == "ok"


def test_a_customer_of_the_same_address_has_a_count_of_their_own(house: House, app: TOTP) -> None:
    house.registered(ANNA)
    for _ in range(house.profile.sign_in.tries):
        said(house.staff.sign_in, ANNA.address.key, "wrong password", "000000", LAPTOP)
    assert house.comes_in(ANNA, PASSWORD, PHONE) == "ok"


@pytest.mark.parametrize("typed", ["staff {}", "staff sign-in:{}", "{}"])
def test_failures_at_the_customers_door_keep_no_member_of_staff_waiting(house: House, app: TOTP, typed: str) -> None:
    house.registered(ANNA)
    for _ in range(house.profile.sign_in.tries):
        assert said(house.sign_ins.sign_in, typed.format(ORSI.key), "wrong password", LAPTOP) == "login.failed"
    assert said(house.sign_ins.sign_in, typed.format(ORSI.key), "wrong password", LAPTOP) == "login.wait"
    assert comes_in(house, app) == "ok"


def test_a_session_ends_when_idle_and_after_a_day_of_work(house: House, app: TOTP) -> None:
    token = house.staff.sign_in(ORSI.key, SECRET, code(house, app), LAPTOP)
    rules = house.profile.sign_in
    house.clock.advance(minutes=rules.idle_minutes - 1)
    assert house.staff.resume(token)
    house.clock.advance(minutes=rules.idle_minutes - 1)
    assert house.staff.resume(token, is_activity=False)
    house.clock.advance(minutes=2)
    assert house.staff.resume(token) is None
    token = house.staff.sign_in(ORSI.key, SECRET, code(house, app), LAPTOP)
    for _ in range(rules.hours * 6 - 1):
        house.clock.advance(minutes=10)
        assert house.staff.resume(token)
    house.clock.advance(minutes=10)
    assert house.staff.resume(token) is None


def test_signing_out_and_being_disabled_end_sessions(house: House, app: TOTP) -> None:
    first = house.staff.sign_in(ORSI.key, SECRET, code(house, app), LAPTOP)
    house.staff.sign_out(first)
    assert house.staff.resume(first) is None
    house.clock.advance(seconds=30)
    second = house.staff.sign_in(ORSI.key, SECRET, code(house, app), LAPTOP)
    house.clock.advance(seconds=30)
    third = house.staff.sign_in(ORSI.key, SECRET, code(house, app), LAPTOP, held=second)
    assert house.staff.resume(second) is None
    assert house.staff.resume(third)
    assert house.staff.disable(ORSI.key)
    assert house.staff.resume(third) is None
    assert not house.staff.disable(ORSI.key)
    assert ("staff", "signed_out") in actions(house)
    assert actions(house)[-1] == ("system", "staff_disabled")


def test_who_was_disabled_comes_back_with_another_password_and_secret(house: House, app: TOTP) -> None:
    before = house.staff.sign_in(ORSI.key, SECRET, code(house, app), LAPTOP)
    (member,) = house.staff.everybody()
    house.staff.disable(ORSI.key)
    newer = added(house, "supervisor")
    assert [(one.id, one.role, one.is_disabled) for one in house.staff.everybody()] == [
        (member.id, "supervisor", False)
    ]
    assert house.staff.resume(before) is None
    house.clock.advance(minutes=1)
    assert comes_in(house, app) == "staff_login.failed"
    assert comes_in(house, newer) == "ok"


def test_accounts_are_one_an_address_and_one_an_adviser(house: House) -> None:
    added(house, "adviser", adviser="UK-0007")
    assert said(added, house) == "staff.taken"
    other = email_addresses.parse("masik@example.hu")
    assert said(added, house, "adviser", other, adviser="uk-0007") == "staff.taken"
    added(house, "adviser", other)
    assert [one.adviser for one in house.staff.everybody()] == ["uk-0007", "masik@example.hu"]
    assert said(added, house, "director", email_addresses.parse("x@example.hu")) == "staff.role"
    assert ROLES == ("service", "adviser", "supervisor")


@pytest.mark.parametrize("password", ["Rovid-Jelszo-1", "kiss.orsolya@example.hu", "qwertyqwertyqwerty" * 60])
def test_weak_passwords_are_refused(house: House, password: str) -> None:
    assert said(house.staff.add, ORSI, "Kiss Orsolya", "service", password, issuer="x") == "staff.weak"
    assert house.count(staff) == 0


def test_the_secret_is_encrypted_and_keys_can_be_changed(house: House, app: TOTP) -> None:
    (row,) = house.rows(staff)
    assert app.secret not in row.totp_secret
    assert SECRET not in repr(row)
    now = house.clock.now()
    newer = SecondFactors(("a key that is newer than the others", *KEYS))
    assert newer.step(row.totp_secret, code(house, app), now)
    assert SecondFactors(("a key that never was among the older",)).step(row.totp_secret, code(house, app), now) is None


def test_without_a_second_factor_nobody_comes_in_but_in_a_demonstration(house: House, app: TOTP) -> None:
    with house.store.write() as connection:
        connection.execute(staff.update().values(totp_secret=None))
    assert comes_in(house, app) == "staff_login.failed"
    demonstration = House(house.store, house.clock, is_second_factor_needed=False)
    assert comes_in(demonstration, app, typed="") == "ok"
