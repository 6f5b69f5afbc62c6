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
from tests.world.outcomes import at_once, outcome_of
from tests.world.world import KEYS, World

ORSI = email_addresses.parse("Kiss.Orsolya@example.hu")
SECRET = "Hosszu-Szolgalati-Jelszo"


@pytest.fixture
def app(world: World) -> TOTP:
    """The authenticator app of Orsi, who has an account."""
    return added(world)


def added(world: World, role: str = "service", address: email_addresses.EmailAddress = ORSI, **more: str) -> TOTP:
    uri = world.staff.add(address, "Kiss Orsolya", role, SECRET, issuer="MyGenerali", **more)
    app = parse_uri(uri)
    assert isinstance(app, TOTP)
    assert (app.name, app.issuer) == (address.typed, "MyGenerali")
    return app


def code(world: World, app: TOTP, steps: int = 0) -> str:
    return app.at(world.clock.now() + timedelta(seconds=30 * steps))


def wrong(right: str) -> str:
    return f"{(int(right) + 1) % 10**6:06}"


def comes_in(world: World, app: TOTP, password: str = SECRET, typed: str | None = None) -> str:
    typed = code(world, app) if typed is None else typed
    return outcome_of(world.staff_sign_ins.sign_in, ORSI.key, password, typed, LAPTOP)


def actions(world: World) -> list[tuple[str, str]]:
    return [(row.actor.partition(":")[0], row.action) for row in world.rows(audit)]


def test_whoever_has_the_password_and_the_code_comes_in(world: World, app: TOTP) -> None:
    token = world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), LAPTOP)
    session = world.staff_sign_ins.resume(token)
    assert session is not None
    assert (session.member.name, session.member.role) == ("Kiss Orsolya", "service")
    assert session.member.id.startswith("staff:")
    assert actions(world) == [("system", "staff_added"), ("staff", "signed_in")]


@pytest.mark.parametrize("missing", ["password", "code", "both", "no code", "nobody", "disabled"])
def test_one_answer_for_every_failure(world: World, app: TOTP, missing: str) -> None:
    right = code(world, app)
    password = "something else entirely" if missing in ("password", "both") else SECRET
    typed = wrong(right) if missing in ("code", "both") else "" if missing == "no code" else right
    who = "nobody@example.hu" if missing == "nobody" else ORSI.key
    if missing == "disabled":
        assert world.staff.disable(ORSI.key)
    assert outcome_of(world.staff_sign_ins.sign_in, who, password, typed, LAPTOP) == "staff_login.failed"
    assert world.count(staff_sessions) == 0


def test_a_code_is_good_once(world: World, app: TOTP) -> None:
    right = code(world, app)
    assert comes_in(world, app, typed=right) == "ok"
    assert comes_in(world, app, typed=right) == "staff_login.failed"
    # Nor is an older one that was never used, once a newer one was.
    assert comes_in(world, app, typed=code(world, app, -1)) == "staff_login.failed"
    world.clock.advance(seconds=30)
    assert comes_in(world, app) == "ok"


def test_of_ten_that_bring_the_same_code_at_once_one_is_let_in(world: World, app: TOTP) -> None:
    right = code(world, app)
    found = at_once([partial(comes_in, world, app, SECRET, right)] * 4)
    assert sorted(found) == ["ok", *["staff_login.failed"] * 3]
    assert world.count(staff_sessions) == 1


@pytest.mark.parametrize(("steps", "answer"), [(-1, "ok"), (1, "ok"), (-2, "failed"), (2, "failed")])
def test_a_clock_may_be_half_a_minute_off(world: World, app: TOTP, steps: int, answer: str) -> None:
    assert comes_in(world, app, typed=code(world, app, steps)) in (answer, f"staff_login.{answer}")


def test_waits_grow_as_for_customers_and_end(world: World, app: TOTP) -> None:
    for _ in range(world.profile.sign_in.tries):
        assert comes_in(world, app, "wrong password") == "staff_login.failed"
    assert comes_in(world, app) == "staff_login.wait"
    world.clock.advance(seconds=world.profile.sign_in.first_wait_seconds)
    assert comes_in(world, app) == "ok"


def test_failures_elsewhere_do_not_keep_out_a_browser_that_was_in_before(world: World, app: TOTP) -> None:
    world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), PHONE)
    for _ in range(world.profile.sign_in.tries):
        comes_in(world, app, "wrong password")
    assert comes_in(world, app) == "staff_login.wait"
    world.clock.advance(seconds=30)
    assert outcome_of(world.staff_sign_ins.sign_in, ORSI.key, SECRET, code(world, app), PHONE) == "ok"


def test_a_customer_of_the_same_address_has_a_count_of_their_own(world: World, app: TOTP) -> None:
    world.registered(ANNA)
    for _ in range(world.profile.sign_in.tries):
        outcome_of(world.staff_sign_ins.sign_in, ANNA.address.key, "wrong password", "000000", LAPTOP)
    assert world.comes_in(ANNA, PASSWORD, PHONE) == "ok"


@pytest.mark.parametrize("typed", ["staff {}", "staff sign-in:{}", "{}"])
def test_failures_at_the_customers_door_keep_no_member_of_staff_waiting(world: World, app: TOTP, typed: str) -> None:
    world.registered(ANNA)
    for _ in range(world.profile.sign_in.tries):
        assert outcome_of(world.sign_ins.sign_in, typed.format(ORSI.key), "wrong password", LAPTOP) == "login.failed"
    assert outcome_of(world.sign_ins.sign_in, typed.format(ORSI.key), "wrong password", LAPTOP) == "login.wait"
    assert comes_in(world, app) == "ok"


def test_a_session_ends_when_idle_and_after_a_day_of_work(world: World, app: TOTP) -> None:
    token = world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), LAPTOP)
    rules = world.profile.sign_in
    world.clock.advance(minutes=rules.idle_minutes - 1)
    assert world.staff_sign_ins.resume(token)
    world.clock.advance(minutes=rules.idle_minutes - 1)
    assert world.staff_sign_ins.resume(token, is_activity=False)
    world.clock.advance(minutes=2)
    assert world.staff_sign_ins.resume(token) is None
    token = world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), LAPTOP)
    for _ in range(rules.hours * 6 - 1):
        world.clock.advance(minutes=10)
        assert world.staff_sign_ins.resume(token)
    world.clock.advance(minutes=10)
    assert world.staff_sign_ins.resume(token) is None


def test_signing_out_and_being_disabled_end_sessions(world: World, app: TOTP) -> None:
    first = world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), LAPTOP)
    world.staff_sign_ins.sign_out(first)
    assert world.staff_sign_ins.resume(first) is None
    world.clock.advance(seconds=30)
    second = world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), LAPTOP)
    world.clock.advance(seconds=30)
    third = world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), LAPTOP, held=second)
    assert world.staff_sign_ins.resume(second) is None
    assert world.staff_sign_ins.resume(third)
    assert world.staff.disable(ORSI.key)
    assert world.staff_sign_ins.resume(third) is None
    assert not world.staff.disable(ORSI.key)
    assert ("staff", "signed_out") in actions(world)
    assert actions(world)[-1] == ("system", "staff_disabled")


def test_who_was_disabled_comes_back_with_another_password_and_secret(world: World, app: TOTP) -> None:
    before = world.staff_sign_ins.sign_in(ORSI.key, SECRET, code(world, app), LAPTOP)
    (member,) = world.staff.everybody()
    world.staff.disable(ORSI.key)
    newer = added(world, "supervisor")
    assert [(one.id, one.role, one.is_disabled) for one in world.staff.everybody()] == [
        (member.id, "supervisor", False)
    ]
    assert world.staff_sign_ins.resume(before) is None
    world.clock.advance(minutes=1)
    assert comes_in(world, app) == "staff_login.failed"
    assert comes_in(world, newer) == "ok"


def test_accounts_are_one_an_address_and_one_an_adviser(world: World) -> None:
    added(world, "adviser", adviser="UK-0007")
    assert outcome_of(added, world) == "staff.taken"
    other = email_addresses.parse("masik@example.hu")
    assert outcome_of(added, world, "adviser", other, adviser="uk-0007") == "staff.taken"
    added(world, "adviser", other)
    assert [one.adviser for one in world.staff.everybody()] == ["uk-0007", "masik@example.hu"]
    assert outcome_of(added, world, "director", email_addresses.parse("x@example.hu")) == "staff.role"
    assert ROLES == ("service", "adviser", "supervisor")


@pytest.mark.parametrize("password", ["Rovid-Jelszo-1", "kiss.orsolya@example.hu", "qwertyqwertyqwerty" * 60])
def test_weak_passwords_are_refused(world: World, password: str) -> None:
    assert outcome_of(world.staff.add, ORSI, "Kiss Orsolya", "service", password, issuer="x") == "staff.weak"
    assert world.count(staff) == 0


def test_the_secret_is_encrypted_and_keys_can_be_changed(world: World, app: TOTP) -> None:
    (row,) = world.rows(staff)
    assert app.secret not in row.totp_secret
    assert SECRET not in repr(row)
    now = world.clock.now()
    newer = SecondFactors(("a key that is newer than the others", *KEYS))
    assert newer.step(row.totp_secret, code(world, app), now)
    assert SecondFactors(("a key that never was among the older",)).step(row.totp_secret, code(world, app), now) is None


def test_without_a_second_factor_nobody_comes_in_but_in_a_demonstration(world: World, app: TOTP) -> None:
    with world.store.write() as connection:
        connection.execute(staff.update().values(totp_secret=None))
    assert comes_in(world, app) == "staff_login.failed"
    demonstration = World(world.store, world.clock, is_second_factor_needed=False)
    assert comes_in(demonstration, app, typed="") == "ok"
