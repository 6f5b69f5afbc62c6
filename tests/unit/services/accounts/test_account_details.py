"""The address, the mobile, the download and the end of an account."""

import json
from datetime import timedelta

import pytest

from services.accounts import Session
from services.store.tables.accounts import account_changes, accounts, sessions
from services.store.tables.audit import audit
from services.store.tables.codes import one_time_codes
from services.store.tables.messages import outbox
from services.store.tables.register import REGISTER, contact_changes
from services.store.tables.registrations import registrations
from services.values import email_addresses
from tests.world.cast import ANNA, ANNAS_OTHER_MOBILE, CROWD, ESZTER, LAPTOP, OTHER_PASSWORD, PASSWORD, PHONE
from tests.world.outcomes import outcome_of, wrong_code
from tests.world.world import World

NEW = email_addresses.parse("uj@example.hu")
NEW_MOBILE = "+36209998877"


@pytest.fixture
def anna(world: World) -> World:
    """A world in which Anna has had an account for two hours: the codes of her registration still count."""
    world.registered(ANNA)
    world.clock.advance(hours=2)
    return world


@pytest.fixture
def session(anna: World) -> Session:
    """Anna's session."""
    return anna.signed_in(ANNA)


def ask_for(world: World, session: Session, address: str, password: str = PASSWORD) -> str:
    return outcome_of(world.email_changes.ask_for_email, session, password, email_addresses.parse(address))


def account_of(world: World, person=ANNA):
    return next(row for row in world.rows(accounts) if row.kutid == person.kutid)


# --- The address -------------------------------------------------------------------------------------------------


def test_the_link_proves_the_new_address_and_the_old_one_is_told(anna: World, session: Session) -> None:
    assert ask_for(anna, session, NEW.typed) == "ok"
    assert account_of(anna).email == ANNA.email, "nothing changes before the link is used"
    assert anna.email_changes.pending_email(session) == NEW.typed
    assert (anna.told("address_new", NEW.typed), anna.told("address_old", ANNA.email)) == (1, 1)
    assert anna.told("address_new", ANNA.email) == 0
    link = anna.mailed_id("email", NEW.typed)
    before = anna.everything()
    assert anna.email_changes.find_email_change(link) == NEW.typed
    assert anna.everything() == before, "being looked at changes nothing"
    assert anna.told("address_changed", ANNA.email) == 0
    assert anna.email_changes.confirm_email(link) == NEW.typed
    (change,) = anna.rows(contact_changes)
    assert (change.kind, change.before, change.after, change.actor) == ("email", ANNA.email, NEW.typed, "customer")
    assert (account_of(anna).email, account_of(anna).email_key) == (NEW.typed, NEW.key)
    assert anna.email_changes.pending_email(session) is None
    assert outcome_of(anna.email_changes.confirm_email, link) == "dead_link", "once"
    assert (anna.told("address_changed", ANNA.email), anna.told("address_changed", NEW.typed)) == (1, 0)
    assert outcome_of(anna.sign_ins.sign_in, NEW.key, PASSWORD, PHONE) == "ok"
    assert anna.comes_in(ANNA, PASSWORD) == "login.failed"
    assert [row.action for row in anna.rows(audit)] == ["email_change_asked", "email_changed"]
    assert NEW.typed not in repr([row.facts for row in anna.rows(audit)])


def test_only_the_newest_link_confirms_and_within_its_hour(anna: World, session: Session) -> None:
    ask_for(anna, session, "elso@example.hu")
    first = anna.mailed_id("email", "elso@example.hu")
    ask_for(anna, session, NEW.typed)
    second = anna.mailed_id("email", NEW.typed)
    assert outcome_of(anna.email_changes.confirm_email, first) == "dead_link"
    assert anna.email_changes.find_email_change(first) is None
    anna.clock.advance(minutes=60)
    assert anna.email_changes.find_email_change(second) is None
    assert outcome_of(anna.email_changes.confirm_email, second) == "dead_link"
    assert account_of(anna).email == ANNA.email


@pytest.mark.parametrize("made_up", ["", "x", "../..", "'; --"])
def test_a_made_up_link_confirms_nothing(anna: World, session: Session, made_up: str) -> None:
    ask_for(anna, session, NEW.typed)
    assert outcome_of(anna.email_changes.confirm_email, made_up) == "dead_link"


def test_a_mobiles_change_is_no_link_of_an_address(anna: World, session: Session) -> None:
    anna.mobile_changes.ask_for_mobile(session, PASSWORD, NEW_MOBILE)
    (row,) = anna.rows(account_changes)
    assert anna.email_changes.find_email_change(row.id) is None
    assert outcome_of(anna.email_changes.confirm_email, row.id) == "dead_link"


def test_the_password_is_asked_for_and_the_same_address_refused(anna: World, session: Session) -> None:
    before = anna.rows(account_changes)
    assert ask_for(anna, session, NEW.typed, "not the password") == "current_password.wrong"
    assert ask_for(anna, session, ANNA.email) == "email.same"
    assert anna.rows(account_changes) == before
    assert anna.told("address_old", ANNA.email) == 0
    assert ask_for(anna, session, ANNA.email.title()) == "ok", "in other letters it may be written"
    anna.email_changes.confirm_email(anna.mailed_id("email", ANNA.email.title()))
    assert account_of(anna).email == ANNA.email.title()
    assert anna.comes_in(ANNA, PASSWORD) == "ok"


def test_taken_is_said_six_times_at_most(anna: World, session: Session) -> None:
    for person in CROWD[:8]:
        anna.registered(person)
    session = anna.signed_in(ANNA)
    answers = [ask_for(anna, session, person.email) for person in CROWD[:8]]
    assert answers == ["email.taken"] * 6 + ["email.too_many"] * 2
    assert ask_for(anna, session, NEW.typed) == "email.too_many", "one that is free is not told apart then"
    assert anna.count(account_changes) == 0
    anna.clock.advance(hours=1)
    assert ask_for(anna, anna.signed_in(ANNA), NEW.typed) == "ok"


def test_no_address_gets_more_than_six_mails_an_hour(anna: World, session: Session) -> None:
    answers = [ask_for(anna, session, NEW.typed) for _ in range(8)]
    assert answers == ["ok"] * 6 + ["email.too_many"] * 2
    anna.deliver()
    assert anna.told("address_old", ANNA.email) <= 6
    other = anna.registered(ESZTER) and anna.signed_in(ESZTER)
    assert ask_for(anna, other, NEW.typed) == "email.too_many", "whoever asks"


def test_nobody_mails_many_strangers_through_an_account(anna: World, session: Session) -> None:
    answers = [ask_for(anna, session, f"idegen{number}@example.hu") for number in range(8)]
    assert answers == ["ok"] * 6 + ["email.too_many"] * 2
    assert anna.told("address_old", ANNA.email) == 6
    anna.clock.advance(hours=1)
    assert ask_for(anna, anna.signed_in(ANNA), "idegen9@example.hu") == "ok"


def test_an_address_taken_meanwhile_is_refused(anna: World, session: Session) -> None:
    ask_for(anna, session, ESZTER.email)
    link = anna.mailed_id("email", ESZTER.email)
    anna.registered(ESZTER)
    assert outcome_of(anna.email_changes.confirm_email, link) == "email.taken"
    assert account_of(anna).email == ANNA.email
    assert account_of(anna, ESZTER).email == ESZTER.email


def test_links_for_a_new_password_mailed_to_the_old_address_die(anna: World, session: Session) -> None:
    ask_for(anna, session, NEW.typed)
    reset = anna.reset_link(ANNA)
    anna.email_changes.confirm_email(anna.mailed_id("email", NEW.typed))
    assert anna.password_changes.find_reset(reset) is None
    assert outcome_of(anna.password_changes.reset, reset, OTHER_PASSWORD) == "dead_link"
    anna.password_changes.ask_for_reset(ANNA.address, "hu")
    assert anna.told("reset_unknown", ANNA.email) == 1
    anna.password_changes.ask_for_reset(NEW, "hu")
    assert outcome_of(anna.password_changes.reset, anna.mailed_id("reset", NEW.typed), OTHER_PASSWORD) == "ok"


# --- The mobile --------------------------------------------------------------------------------------------------


def start_mobile(world: World, session: Session, mobile: str = NEW_MOBILE) -> str:
    return outcome_of(world.mobile_changes.ask_for_mobile, session, PASSWORD, mobile)


def test_the_code_proves_the_new_mobile(anna: World, session: Session) -> None:
    assert start_mobile(anna, session) == "ok"
    assert account_of(anna).mobile == ANNA.mobile
    found = anna.mobile_changes.mobile_change(session)
    assert found is not None
    assert found[0] == NEW_MOBILE
    assert outcome_of(anna.mobile_changes.confirm_mobile, session, anna.code_sent(NEW_MOBILE)) == "ok"
    (change,) = anna.rows(contact_changes)
    assert (change.before, change.after, change.actor) == (ANNA.mobile, NEW_MOBILE, "customer")
    assert change.settled_at, "it counts for the account alone"
    assert account_of(anna).mobile == NEW_MOBILE
    assert anna.mobile_changes.mobile_change(session) is None
    assert anna.told("mobile_changed", ANNA.email) == 1
    assert [row.action for row in anna.rows(audit)] == ["mobile_changed"]
    again = outcome_of(anna.mobile_changes.confirm_mobile, session, anna.code_sent(NEW_MOBILE))
    assert again == "out_of_turn"


def test_a_new_mobile_needs_the_password_and_is_new(anna: World, session: Session) -> None:
    assert outcome_of(anna.mobile_changes.ask_for_mobile, session, "no", NEW_MOBILE) == "current_password.wrong"
    assert start_mobile(anna, session, ANNA.mobile) == "mobile.same"
    assert anna.letters("sms", NEW_MOBILE) == []


def test_wrong_codes_are_counted_and_end(anna: World, session: Session) -> None:
    start_mobile(anna, session)
    right = anna.code_sent(NEW_MOBILE)
    confirm = anna.mobile_changes.confirm_mobile
    tries = anna.profile.one_time_code.tries
    for _ in range(tries):
        assert outcome_of(confirm, session, wrong_code(right)) == "sms_code.wrong"
    assert outcome_of(confirm, session, right) == "sms_code.wrong"
    assert account_of(anna).mobile == ANNA.mobile
    found = anna.mobile_changes.mobile_change(session)
    assert found is not None
    assert found[1] is not None
    assert found[1].tries_left == 0


def test_codes_come_from_the_one_budget_that_the_registration_spent_from(anna: World, session: Session) -> None:
    """The registration took one of the three codes of the day (M21)."""
    assert start_mobile(anna, session) == "ok"
    anna.clock.advance(minutes=1)
    anna.deliver()
    assert outcome_of(anna.mobile_changes.resend_code, session) == "ok"
    anna.clock.advance(minutes=1)
    anna.deliver()
    assert outcome_of(anna.mobile_changes.resend_code, session) == "sms_resend.used_up", "the last one is still good"
    assert start_mobile(anna, session, "+36201112233") == "codes_used_up"
    assert anna.mobile_changes.mobile_change(session)[0] == NEW_MOBILE, "and what waits is left alone"
    assert outcome_of(anna.mobile_changes.confirm_mobile, session, anna.code_sent(NEW_MOBILE)) == "ok"
    assert len(anna.letters("sms")) == 3
    anna.clock.advance(hours=24)
    assert start_mobile(anna, anna.signed_in(ANNA), ANNAS_OTHER_MOBILE) == "ok"


def test_codes_that_have_not_left_use_up_nothing(anna: World, session: Session) -> None:
    for _ in range(anna.profile.one_time_code.codes + 1):
        anna.clock.advance(minutes=1)
        assert start_mobile(anna, session) == "ok"
    found = anna.mobile_changes.mobile_change(session)
    assert found is not None
    assert found[1] is not None
    assert found[1].codes_left(anna.clock.now()) == anna.profile.one_time_code.codes - 2, (
        "the registration's and this one"
    )


def test_guesses_come_from_the_one_budget_too(anna: World, session: Session) -> None:
    with anna.store.write() as connection:
        connection.execute(one_time_codes.update().values(guesses_used=anna.profile.one_time_code.guesses))
    assert start_mobile(anna, session) == "codes_used_up"


def test_a_new_code_kills_the_older_one_and_comes_after_its_wait(anna: World, session: Session) -> None:
    start_mobile(anna, session)
    first = anna.code_sent(NEW_MOBILE)
    assert outcome_of(anna.mobile_changes.resend_code, session) == "sms_resend.too_early"
    assert start_mobile(anna, session, "+36201112233") == "sms_resend.too_early"
    anna.clock.advance(seconds=59)
    assert outcome_of(anna.mobile_changes.resend_code, session) == "sms_resend.too_early"
    anna.clock.advance(seconds=1)
    assert outcome_of(anna.mobile_changes.resend_code, session) == "ok"
    second = anna.code_sent(NEW_MOBILE)
    if second != first:
        assert outcome_of(anna.mobile_changes.confirm_mobile, session, first) == "sms_code.wrong"
    assert outcome_of(anna.mobile_changes.confirm_mobile, session, second) == "ok"


def test_a_code_belongs_to_the_number_it_was_sent_to(anna: World, session: Session) -> None:
    start_mobile(anna, session)
    first = anna.code_sent(NEW_MOBILE)
    anna.clock.advance(minutes=1)
    assert start_mobile(anna, session, ANNAS_OTHER_MOBILE) == "ok"
    second = anna.code_sent(ANNAS_OTHER_MOBILE)
    if second != first:
        assert outcome_of(anna.mobile_changes.confirm_mobile, session, first) == "sms_code.wrong"
    assert outcome_of(anna.mobile_changes.confirm_mobile, session, second) == "ok"
    assert account_of(anna).mobile == ANNAS_OTHER_MOBILE


def test_a_code_lives_half_an_hour_and_the_change_an_hour(anna: World, session: Session) -> None:
    start_mobile(anna, session)
    code = anna.code_sent(NEW_MOBILE)
    anna.clock.advance(minutes=30)
    session = anna.signed_in(ANNA)
    assert outcome_of(anna.mobile_changes.confirm_mobile, session, code) == "sms_code.expired"
    anna.clock.advance(minutes=30)
    session = anna.signed_in(ANNA)
    assert outcome_of(anna.mobile_changes.confirm_mobile, session, code) == "out_of_turn"
    assert outcome_of(anna.mobile_changes.resend_code, session) == "out_of_turn"


def test_the_number_can_be_dropped(anna: World, session: Session) -> None:
    start_mobile(anna, session)
    code = anna.code_sent(NEW_MOBILE)
    anna.mobile_changes.drop_mobile_change(session)
    assert anna.mobile_changes.mobile_change(session) is None
    assert outcome_of(anna.mobile_changes.confirm_mobile, session, code) == "out_of_turn"
    assert outcome_of(anna.mobile_changes.resend_code, session) == "out_of_turn"


def test_a_registrations_code_confirms_no_change(world: World) -> None:
    """The row of codes is one a customer; what it was sent for tells them apart."""
    world.registered(ANNA)
    code = world.code_sent(ANNA.mobile)
    world.clock.advance(minutes=2)
    session = world.signed_in(ANNA)
    start_mobile(world, session)
    if world.code_sent(NEW_MOBILE) != code:
        assert outcome_of(world.mobile_changes.confirm_mobile, session, code) == "sms_code.wrong"


# --- All of it ---------------------------------------------------------------------------------------------------


def test_the_download_holds_no_reasons_of_staff(anna: World, session: Session) -> None:
    supervisor = anna.member("supervisor")
    anna.stuck_registrations.give_new_budget(supervisor, anna.case(supervisor, ANNA), "panaszkodott a hangnemre")
    held = anna.account_details.export(session)
    assert "budget_renewed" in [row["action"] for row in held["history"]]
    assert "panaszkodott" not in json.dumps(held, default=str)


def test_the_download_holds_everything_but_secrets(anna: World, session: Session) -> None:
    anna.signed_in(ANNA, LAPTOP)
    ask_for(anna, session, NEW.typed)
    start_mobile(anna, session)
    anna.reset_link(ANNA)
    anna.registered(ESZTER)
    held = anna.account_details.export(session)
    assert (anna.rows(audit)[-1].action, anna.rows(audit)[-1].facts) == ("exported", {"what": "account"})
    account = held["account"]
    assert (account["customer_id"], account["name"]) == (ANNA.kutid, ANNA.name)
    assert (account["email"], account["mobile"], account["language"]) == (ANNA.email, ANNA.mobile, "hu")
    assert account["terms"]["version"] == "2026-1"
    assert account["terms"]["sha256"] == anna.terms.in_force(anna.clock.now()).hash
    assert held["registration"]["identifier"] == ANNA.policy_number
    assert {(change["kind"], change["value"]) for change in held["changes_to_confirm"]} == {
        ("email", NEW.typed), ("mobile", NEW_MOBILE),
    }  # fmt: skip
    assert {row["device"] for row in held["sessions"]} == {PHONE.name, LAPTOP.name}
    assert [row["action"] for row in held["history"]] == ["email_change_asked"]
    text = json.dumps(held, default=str)
    for row in (*anna.rows(sessions), *anna.rows(account_changes), *anna.rows(accounts)):
        for secret in ("token_hash", "device_hash", "password_hash", "id", "registration_id"):
            assert getattr(row, secret, "no such") not in text
    assert ESZTER.email not in text


def test_closing_erases_the_account_and_leaves_the_register(anna: World, session: Session) -> None:
    token = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, LAPTOP)
    ask_for(anna, session, NEW.typed)
    start_mobile(anna, session)
    anna.password_changes.ask_for_reset(ANNA.address, "hu")
    register = {table.name: anna.rows(table) for table in REGISTER}
    assert outcome_of(anna.account_details.close, session, "not the password") == "current_password.wrong"
    assert anna.count(accounts) == 1
    anna.postman.letters.clear()
    assert outcome_of(anna.account_details.close, session, PASSWORD) == "ok"
    assert anna.sign_ins.resume(token) is None
    for table in (accounts, sessions, account_changes, registrations):
        assert anna.count(table) == 0, table.name
    assert {table.name: anna.rows(table) for table in REGISTER} == register
    assert anna.comes_in(ANNA, PASSWORD) == "login.failed"
    assert anna.told("account_closed", ANNA.email) == 1
    assert anna.letters("email", NEW.typed) == [], "no link leaves that is dead"
    assert anna.letters("sms") == []
    assert anna.told("reset", ANNA.email) == 0
    assert [row.action for row in anna.rows(audit)] == ["email_change_asked", "account_closed"]
    assert outcome_of(anna.account_details.close, session, PASSWORD) in ("signed_out", "current_password.wrong")


def test_a_link_of_a_registration_does_not_leave_once_it_was_erased_with_the_account(
    anna: World, session: Session
) -> None:
    registration_id, now = account_of(anna).registration_id, anna.clock.now()
    with anna.store.write() as connection:
        connection.execute(
            outbox.update()
            .where(outbox.c.topic == f"confirm:{registration_id}")
            .values(state="doubtful", due_at=now, expires_at=now + timedelta(hours=1), facts={"link_id": "an old one"})
        )
    anna.account_details.close(session, PASSWORD)
    assert anna.told("confirm", ANNA.email) == 1


def test_after_closing_one_can_register_again_with_what_is_left_of_the_codes(world: World) -> None:
    old = world.registered(ANNA)
    link = world.mailed_id("confirm", ANNA.email)
    session = world.signed_in(ANNA)
    world.account_details.close(session, PASSWORD)
    world.deliver()
    assert world.registrations.records.find(old) is None
    assert link
    assert outcome_of(world.registrations.completion.complete, old, PASSWORD) == "out_of_turn"
    assert world.count(accounts) == 0, "the old link opens nothing again"
    world.clock.advance(minutes=2)
    new = world.sent_code(ANNA)
    assert world.see(new).code.codes_left(world.clock.now()) == world.profile.one_time_code.codes - 2, (
        "closing gives no new codes"
    )
    world.registrations.mobiles.confirm_mobile(new, world.code_sent(ANNA.mobile))
    world.accept_terms(new)
    world.registrations.completion.complete(new, OTHER_PASSWORD)
    assert world.comes_in(ANNA, OTHER_PASSWORD) == "ok"
    assert world.comes_in(ANNA, PASSWORD) == "login.failed"
    assert world.signed_in(ANNA, PHONE, OTHER_PASSWORD).created_at - world.clock.now() == timedelta()
