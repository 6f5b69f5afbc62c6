"""The API's clients: their keys, what they reach, and that a repeated request does nothing twice; on both databases."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import insert, update

from services.clients import SCOPES, Answer, ApiKey
from services.clients.answers import KEPT_FOR, Turn
from services.refusal import OutOfTurn, Refusal
from services.register.contact_changes import contact_changes
from services.retention import Tidying
from services.store.tables.audit import audit
from services.store.tables.clients import api_answers, api_keys
from services.store.tables.references import reference_codes
from services.store.tables.register import advisers, customers
from services.store.tables.staff import staff_cases
from services.values import email_addresses
from tests.world.cast import ANNA, ANNAS_OTHER_MOBILE, ESZTER, ILONA, PASSWORD
from tests.world.outcomes import at_once, said, wrong_code
from tests.world.world import House

NEW = "+36209998877"
ILONAS = email_addresses.parse("ilona@example.hu")
HOME = "192.0.2.1"


def advise(house: House, kutid: str, code: str) -> None:
    with house.store.write() as connection:
        connection.execute(insert(advisers).values(kutid=kutid, adviser=code))


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_known_by_its_hash_alone(house: House) -> None:
    made, key = house.api_keys.add("G3", ["registrations"], adviser="UK-0007", lifetime=timedelta(days=30))
    seen = house.api_keys.recognise(key, HOME)
    assert (seen.id, seen.name, seen.scopes, seen.adviser) == (made.id, "G3", {"registrations"}, "uk-0007")
    assert seen.expires_at == house.clock.now() + timedelta(days=30)
    secret = key.rpartition("_")[2] if len(key.rpartition("_")[2]) > 20 else key[-30:]
    assert secret not in repr(house.everything())
    assert secret not in repr(seen)


def test_two_keys_are_two(house: House) -> None:
    (one, first), (other, second) = (house.api_keys.add("G3", SCOPES) for _ in range(2))
    assert len({one.id, other.id, first, second}) == 4
    assert house.api_keys.recognise(second, HOME).id == other.id


def test_unknown_revoked_and_expired_keys_are_refused_alike(house: House) -> None:
    _, over = house.api_keys.add("old", SCOPES, lifetime=timedelta(days=1))
    revoked, gone = house.api_keys.add("gone", SCOPES)
    assert house.api_keys.revoke(revoked.id)
    assert not house.api_keys.revoke(revoked.id)
    house.clock.advance(days=1)
    _, good = house.api_keys.add("good", SCOPES)
    for wrong in (over, gone, good[:-1], good + "x", good.upper(), "", "belepo_", "x" * 100_000, "é\0"):
        house.clock.advance(hours=1)
        assert said(house.api_keys.recognise, wrong, HOME) == "api_key.unknown", wrong[:80]
    assert said(house.api_keys.recognise, good, HOME) == "ok"


def test_a_key_can_be_revoked_by_the_id_that_the_list_shows(house: House) -> None:
    made, key = house.api_keys.add("G3", SCOPES)
    assert not house.api_keys.revoke("nonsense")
    assert house.api_keys.revoke(made.id.removeprefix("client:").lower())
    assert said(house.api_keys.recognise, key, HOME) == "api_key.unknown"
    (listed,) = house.api_keys.all()
    assert listed.revoked_at == house.clock.now()
    assert not listed.is_good(house.clock.now())


@pytest.mark.parametrize("scopes", [[], ["everything"], ["registrations", "nonsense"]])
def test_a_key_is_for_something_that_there_is(house: House, scopes: list[str]) -> None:
    assert said(house.api_keys.add, "G3", scopes) == "api_key.scope"


@pytest.mark.parametrize("adviser", ["", "  "])
def test_a_key_is_for_all_customers_only_when_no_adviser_is_named(house: House, adviser: str) -> None:
    assert said(house.api_keys.add, "G3", SCOPES, adviser=adviser) == "api_key.adviser"
    assert house.count(api_keys) == 0
    assert house.client(adviser=" UK-0007 ").adviser == "uk-0007"


def test_wrong_keys_wait_longer_and_longer_but_keep_nobody_out(house: House) -> None:
    _, key = house.api_keys.add("G3", SCOPES)
    rules = house.profile.sign_in
    for _ in range(rules.source_tries):
        assert said(house.api_keys.recognise, "wrong", HOME) == "api_key.unknown"
    assert said(house.api_keys.recognise, "wrong", HOME) == "api_key.wait"
    assert said(house.api_keys.recognise, key, HOME) == "ok"
    assert said(house.api_keys.recognise, "wrong", f"::ffff:{HOME}") == "api_key.wait"
    assert said(house.api_keys.recognise, "wrong", "::ffff:192.0.2.2") == "api_key.unknown"
    house.clock.advance(seconds=rules.first_wait.total_seconds())
    assert said(house.api_keys.recognise, "wrong", HOME) == "api_key.unknown"
    house.clock.advance(seconds=rules.first_wait.total_seconds())
    assert said(house.api_keys.recognise, "wrong", HOME) == "api_key.wait"
    # Who signs in from there is not concerned.
    house.registered(ANNA)
    assert house.comes_in(ANNA, PASSWORD) == "ok"


def test_the_last_use_is_noted_without_a_write_for_each(house: House) -> None:
    _, key = house.api_keys.add("G3", SCOPES)
    first = house.clock.now()
    house.api_keys.recognise(key, HOME)
    house.clock.advance(minutes=59)
    house.api_keys.recognise(key, HOME)
    assert [one.used_at for one in house.rows(api_keys)] == [first]
    house.clock.advance(minutes=1)
    house.api_keys.recognise(key, HOME)
    assert [one.used_at for one in house.rows(api_keys)] == [house.clock.now()]


# --- What a client does with a customer -----------------------------------------------------------------------------


def begun(house: House, client: ApiKey) -> str:
    case_id = house.case(client, ILONA)
    house.contacts.record(client, case_id, ILONAS, NEW, "hu")
    return case_id


def test_a_client_registers_with_a_customer_as_staff_do(house: House) -> None:
    client = house.client()
    case_id = begun(house, client)
    find = partial(house.client_registrations.find, client, case_id)
    assert (find().state, find().email, find().mobile) == ("code_sent", ILONAS.typed, NEW)
    assert said(house.contacts.check_code, client, case_id, wrong_code(house.code_sent(NEW))) == "sms_code.wrong"
    code = find().code
    assert code is not None
    assert code.tries_left == house.profile.one_time_code.tries - 1
    house.contacts.check_code(client, case_id, house.code_sent(NEW))
    assert (find().state, find().code) == ("mailed", None)
    visit = house.visit_by_mail(ILONAS.typed)
    house.registrations.mobiles.choose_mobile(visit, NEW)
    assert find().state == "under_way"
    house.registrations.mobiles.confirm_mobile(visit, house.code_sent(NEW))
    house.accept_terms(visit)
    house.registrations.completion.complete(visit, PASSWORD)
    assert find().state == "completed"
    assert {one.actor for one in contact_changes(house.store)} == {client.id}
    assert house.deeds(client) == [
        "searched", "viewed", "identified", "code_sent", "refused", "email_recorded", "mobile_recorded",
        "registered_with",
    ]  # fmt: skip
    events = find().events
    assert events is not None
    assert {"identified_by", "sms_sent", "refused", "mail_sent", "link_opened", "completed"} <= {e.what for e in events}
    assert {e.facts["staff"] for e in events if "staff" in e.facts} == {"G3"}


def test_a_clients_timeline_holds_its_own_and_the_customers_doings_alone(house: House) -> None:
    session, other, client = house.member(), house.client("Broker"), house.client("G3")
    others = house.case(other, ILONA)
    house.contacts.record(other, others, ILONAS, ANNAS_OTHER_MOBILE, "hu")
    house.contacts.check_code(other, others, house.code_sent(ANNAS_OTHER_MOBILE))
    house.deliver()
    house.clock.advance(minutes=1)
    house.stuck_registrations.end(session, house.case(session, ILONA), "kérte telefonon")
    case_id = begun(house, client)
    house.contacts.check_code(client, case_id, house.code_sent(NEW))
    house.registrations.mobiles.choose_mobile(house.visit_by_mail(ILONAS.typed), NEW)
    house.deliver()
    events = house.client_registrations.find(client, case_id).events
    assert events is not None
    told = repr(events)
    for foreign in ("Broker", other.id, "Kiss Orsolya", session.actor, "kérte"):
        assert foreign not in told
    assert sorted(event.what for event in events) == [
        "identified_by", "link_opened", "mail_sent", "mobile_changed", "sms_sent", "sms_sent", "started", "viewed",
    ]  # fmt: skip


def test_how_a_registration_may_stand(house: House) -> None:
    client = house.client()
    case_id = begun(house, client)

    def state() -> str:
        return house.client_registrations.find(client, case_id).state

    house.deliver()
    house.clock.advance(minutes=31)
    assert state() == "code_over"
    for _ in range(house.profile.one_time_code.codes - 1):
        house.deliver()
        house.clock.advance(minutes=1)
        house.contacts.resend_code(client, case_id)
    house.deliver()
    assert state() == "code_sent"
    house.clock.advance(minutes=31)
    assert state() == "codes_used_up"
    house.clock.advance(days=1)
    case_id = begun(house, client)
    house.contacts.check_code(client, case_id, house.code_sent(NEW))
    session = house.member()
    house.stuck_registrations.end(session, house.case(session, ILONA), "meggondolta magát")
    assert state() == "ended"
    house.clock.advance(minutes=1)
    # In one hour, with the same key: the case in which a code was read back is over, and a new one begins.
    again = begun(house, client)
    assert again != case_id
    case_id = again
    house.contacts.check_code(client, case_id, house.code_sent(NEW))
    house.clock.advance(hours=2)
    assert state() == "expired"
    assert house.client_registrations.find(client, case_id).events is None


def test_an_account_that_came_in_another_way(house: House) -> None:
    client = house.client()
    case_id = house.case(client, ANNA)
    house.contacts.record(client, case_id, ANNA.address, ANNAS_OTHER_MOBILE, "hu")
    house.clock.advance(minutes=1)
    house.registered(ANNA)
    assert house.client_registrations.find(client, case_id).state == "account_elsewhere"
    assert house.client_registrations.why_not(client, case_id) == "already_registered"


def test_a_look_alone_is_no_registration(house: House) -> None:
    client = house.client()
    case_id = house.case(client, ILONA)
    with pytest.raises(OutOfTurn):
        house.client_registrations.find(client, case_id)
    assert house.search.hit(client, case_id).has_mobile is False


@pytest.mark.parametrize("kind", ["policy_number", "kutid", "customer_number", "account_number", "reference"])
def test_each_number_finds_by_its_own_kind_alone(house: House, kind: str) -> None:
    with house.store.write() as connection:
        connection.execute(update(customers).where(customers.c.kutid == ANNA.kutid).values(customer_number="CN1"))
        connection.execute(
            insert(reference_codes).values(code="7KX-2MD", kind="no_mobile", kutid=ANNA.kutid,
                                           created_at=house.clock.now())
        )  # fmt: skip
    numbers = {
        "policy_number": ANNA.policy_number, "kutid": ANNA.kutid, "customer_number": "CN1", "account_number": "",
        "reference": "7kx 2md",
    }  # fmt: skip
    client = house.client()
    for other, number in numbers.items():
        found = said(house.search.look_up, client, kind, number)
        assert (found == "ok") == (other == kind and kind != "account_number"), (kind, other)
    assert said(house.search.look_up, client, kind, "\0") == "customer.unknown"
    assert len([row for row in house.rows(audit) if row.action == "searched"]) == 6


def test_a_bound_key_reaches_its_advisers_customers_alone(house: House) -> None:
    advise(house, ILONA.kutid, "uk-0007")
    bound, free = house.client("broker", "UK-0007"), house.client()
    theirs = house.case(bound, ILONA)
    assert said(house.search.look_up, bound, "policy_number", ANNA.policy_number) == "customer.unknown"
    others = house.case(free, ANNA)
    for case_id in (others, house.case(free, ILONA)):
        assert said(house.client_registrations.find, bound, case_id) == "out_of_turn"
        assert said(house.contacts.record, bound, case_id, ILONAS, NEW, "hu") == "out_of_turn"
    house.contacts.record(bound, theirs, ILONAS, NEW, "hu")
    with house.store.write() as connection:
        connection.execute(update(advisers).values(adviser="uk-0008"))
    for verb in (house.contacts.resend_code, house.client_registrations.find, house.account_help.ask_for_reset):
        assert said(verb, bound, theirs) == "out_of_turn"


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_key_that_ends_meanwhile_does_nothing_more(house: House, end: str) -> None:
    client, _ = house.api_keys.add("G3", SCOPES, lifetime=timedelta(minutes=30))
    case_id = begun(house, client)
    code = house.code_sent(NEW)
    house.clock.advance(minutes=29)
    if end == "revoked":
        house.api_keys.revoke(client.id)
    else:
        house.clock.advance(minutes=1)
    assert said(house.contacts.check_code, client, case_id, code) == "out_of_turn"


def test_sessions_and_keys_hold_nothing_of_each_other(house: House) -> None:
    client, session = house.client(), house.member()
    theirs, ours = house.case(client, ILONA), house.case(session, ILONA)
    assert said(house.cases.case, session, theirs) == "out_of_turn"
    assert said(house.cases.case, client, ours) == "out_of_turn"
    assert said(house.stuck_registrations.give_new_budget, client, theirs, "kérésre") == "reason.not_supervisor"


def test_a_forgotten_password_is_started_with_the_same_mail(house: House) -> None:
    client = house.client()
    assert said(house.account_help.ask_for_reset, client, house.case(client, ESZTER)) == "out_of_turn"
    house.registered(ESZTER)
    house.account_help.ask_for_reset(client, house.case(client, ESZTER))
    assert house.told("reset", ESZTER.email) == 1
    assert "reset_asked" in house.deeds(client)


# --- Once only ------------------------------------------------------------------------------------------------------

ANSWER = Answer(201, {"Content-Type": "application/json"}, '{"id": "x"}')


def test_the_same_request_has_the_same_answer_for_a_day(house: House) -> None:
    turn = house.answers.begin("client:A", "k", b"asked")
    assert isinstance(turn, Turn)
    assert said(house.answers.begin, "client:A", "k", b"asked") == "idempotency_key.under_way"
    assert said(house.answers.begin, "client:A", "k", b"else") == "idempotency_key.reused"
    house.answers.keep(turn, ANSWER)
    assert house.answers.begin("client:A", "k", b"asked") == ANSWER
    assert said(house.answers.begin, "client:A", "k", b"else") == "idempotency_key.reused"
    # Another client's keys are others.
    assert isinstance(house.answers.begin("client:B", "k", b"asked"), Turn)
    house.clock.advance(seconds=KEPT_FOR.total_seconds())
    assert isinstance(house.answers.begin("client:A", "k", b"else"), Turn)


def test_of_the_same_request_at_once_one_is_executed(house: House) -> None:
    answers = at_once([partial(house.answers.begin, "client:A", "k", b"asked")] * 8)
    turns = [one for one in answers if isinstance(one, Turn)]
    assert len(turns) == 1
    refused = [one for one in answers if isinstance(one, Refusal)]
    assert {one.reason for one in refused} == {"under_way"}
    assert len(refused) == 7


def test_what_failed_can_be_repeated(house: House) -> None:
    turn = house.answers.begin("client:A", "k", b"asked")
    assert isinstance(turn, Turn)
    house.answers.forget(turn)
    assert isinstance(house.answers.begin("client:A", "k", b"asked"), Turn)


def test_a_request_that_died_on_its_way_is_taken_over_and_cannot_come_back(house: House) -> None:
    dead = house.answers.begin("client:A", "k", b"asked")
    assert isinstance(dead, Turn)
    house.clock.advance(minutes=2)
    assert said(house.answers.begin, "client:A", "k", b"else") == "idempotency_key.reused"
    taken = house.answers.begin("client:A", "k", b"asked")
    assert isinstance(taken, Turn)
    house.answers.keep(taken, ANSWER)
    house.answers.keep(dead, Answer(500, {}, "late"))
    house.answers.forget(dead)
    assert house.answers.begin("client:A", "k", b"asked") == ANSWER


def test_answers_hold_nothing_of_what_was_asked_and_go_after_a_day(house: House) -> None:
    turn = house.answers.begin("client:A", "a key of mine", b"ilona@example.hu")
    assert isinstance(turn, Turn)
    house.answers.keep(turn, ANSWER)
    held = repr(house.rows(api_answers))
    assert "ilona" not in held
    assert "a key of mine" not in held
    tidying = Tidying(house.base, house.allowances)
    tidying.tidy()
    assert house.count(api_answers) == 1
    house.clock.advance(days=1)
    tidying.tidy()
    assert house.count(api_answers) == 0


def test_cases_of_clients_go_like_those_of_staff(house: House) -> None:
    begun(house, house.client())
    house.clock.advance(days=house.profile.retention.registrations_days, minutes=1)
    Tidying(house.base, house.allowances).tidy()
    assert house.count(staff_cases) == 0
    assert house.count(api_keys) == 1
