"""The API's clients: their keys, what they reach, and that a repeated request does nothing twice; on both databases."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import insert, update

from services.clients import SCOPES, Answer, ApiKey
from services.clients.idempotency import KEPT_FOR, Turn
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
from tests.world.outcomes import at_once, outcome_of, wrong_code
from tests.world.world import World

NEW = "+36209998877"
ILONAS = email_addresses.parse("ilona@example.hu")
HOME = "192.0.2.1"


def advise(world: World, kutid: str, code: str) -> None:
    with world.store.write() as connection:
        connection.execute(insert(advisers).values(kutid=kutid, adviser=code))


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_known_by_its_hash_alone(world: World) -> None:
    made, key = world.api_keys.add("G3", ["registrations"], adviser="UK-0007", lifetime=timedelta(days=30))
    seen = world.api_keys.recognise(key, HOME)
    assert (seen.id, seen.name, seen.scopes, seen.adviser) == (made.id, "G3", {"registrations"}, "uk-0007")
    assert seen.expires_at == world.clock.now() + timedelta(days=30)
    secret = key.rpartition("_")[2] if len(key.rpartition("_")[2]) > 20 else key[-30:]
    assert secret not in repr(world.everything())
    assert secret not in repr(seen)


def test_two_keys_are_two(world: World) -> None:
    (one, first), (other, second) = (world.api_keys.add("G3", SCOPES) for _ in range(2))
    assert len({one.id, other.id, first, second}) == 4
    assert world.api_keys.recognise(second, HOME).id == other.id


def test_unknown_revoked_and_expired_keys_are_refused_alike(world: World) -> None:
    _, over = world.api_keys.add("old", SCOPES, lifetime=timedelta(days=1))
    revoked, gone = world.api_keys.add("gone", SCOPES)
    assert world.api_keys.revoke(revoked.id)
    assert not world.api_keys.revoke(revoked.id)
    world.clock.advance(days=1)
    _, good = world.api_keys.add("good", SCOPES)
    for wrong in (over, gone, good[:-1], good + "x", good.upper(), "", "belepo_", "x" * 100_000, "é\0"):
        world.clock.advance(hours=1)
        assert outcome_of(world.api_keys.recognise, wrong, HOME) == "api_key.unknown", wrong[:80]
    assert outcome_of(world.api_keys.recognise, good, HOME) == "ok"


def test_a_key_can_be_revoked_by_the_id_that_the_list_shows(world: World) -> None:
    made, key = world.api_keys.add("G3", SCOPES)
    assert not world.api_keys.revoke("nonsense")
    assert world.api_keys.revoke(made.id.removeprefix("client:").lower())
    assert outcome_of(world.api_keys.recognise, key, HOME) == "api_key.unknown"
    (listed,) = world.api_keys.all()
    assert listed.revoked_at == world.clock.now()
    assert not listed.is_good(world.clock.now())


@pytest.mark.parametrize("scopes", [[], ["everything"], ["registrations", "nonsense"]])
def test_a_key_is_for_something_that_there_is(world: World, scopes: list[str]) -> None:
    assert outcome_of(world.api_keys.add, "G3", scopes) == "api_key.scope"


@pytest.mark.parametrize("adviser", ["", "  "])
def test_a_key_is_for_all_customers_only_when_no_adviser_is_named(world: World, adviser: str) -> None:
    assert outcome_of(world.api_keys.add, "G3", SCOPES, adviser=adviser) == "api_key.adviser"
    assert world.count(api_keys) == 0
    assert world.client(adviser=" UK-0007 ").adviser == "uk-0007"


def test_wrong_keys_wait_longer_and_longer_but_keep_nobody_out(world: World) -> None:
    _, key = world.api_keys.add("G3", SCOPES)
    rules = world.profile.sign_in
    for _ in range(rules.source_tries):
        assert outcome_of(world.api_keys.recognise, "wrong", HOME) == "api_key.unknown"
    assert outcome_of(world.api_keys.recognise, "wrong", HOME) == "api_key.wait"
    assert outcome_of(world.api_keys.recognise, key, HOME) == "ok"
    assert outcome_of(world.api_keys.recognise, "wrong", f"::ffff:{HOME}") == "api_key.wait"
    assert outcome_of(world.api_keys.recognise, "wrong", "::ffff:192.0.2.2") == "api_key.unknown"
    world.clock.advance(seconds=rules.first_wait.total_seconds())
    assert outcome_of(world.api_keys.recognise, "wrong", HOME) == "api_key.unknown"
    world.clock.advance(seconds=rules.first_wait.total_seconds())
    assert outcome_of(world.api_keys.recognise, "wrong", HOME) == "api_key.wait"
    # Who signs in from there is not concerned.
    world.registered(ANNA)
    assert world.comes_in(ANNA, PASSWORD) == "ok"


def test_the_last_use_is_noted_without_a_write_for_each(world: World) -> None:
    _, key = world.api_keys.add("G3", SCOPES)
    first = world.clock.now()
    world.api_keys.recognise(key, HOME)
    world.clock.advance(minutes=59)
    world.api_keys.recognise(key, HOME)
    assert [one.used_at for one in world.rows(api_keys)] == [first]
    world.clock.advance(minutes=1)
    world.api_keys.recognise(key, HOME)
    assert [one.used_at for one in world.rows(api_keys)] == [world.clock.now()]


# --- What a client does with a customer -----------------------------------------------------------------------------


def begun(world: World, client: ApiKey) -> str:
    case_id = world.case(client, ILONA)
    world.contacts.record(client, case_id, ILONAS, NEW, "hu")
    return case_id


def test_a_client_registers_with_a_customer_as_staff_do(world: World) -> None:
    client = world.client()
    case_id = begun(world, client)
    find = partial(world.client_registrations.find, client, case_id)
    assert (find().state, find().email, find().mobile) == ("code_sent", ILONAS.typed, NEW)
    assert outcome_of(world.contacts.check_code, client, case_id, wrong_code(world.code_sent(NEW))) == "sms_code.wrong"
    code = find().code
    assert code is not None
    assert code.tries_left == world.profile.one_time_code.tries - 1
    world.contacts.check_code(client, case_id, world.code_sent(NEW))
    assert (find().state, find().code) == ("mailed", None)
    access = world.access_by_mail(ILONAS.typed)
    world.registrations.mobiles.choose_mobile(access, NEW)
    assert find().state == "under_way"
    world.registrations.mobiles.confirm_mobile(access, world.code_sent(NEW))
    world.accept_terms(access)
    world.registrations.completion.complete(access, PASSWORD)
    assert find().state == "completed"
    assert {one.actor for one in contact_changes(world.store)} == {client.id}
    assert world.deeds(client) == [
        "searched", "viewed", "identified", "code_sent", "refused", "email_recorded", "mobile_recorded",
        "registered_with",
    ]  # fmt: skip
    events = find().events
    assert events is not None
    assert {"identified_by", "sms_sent", "refused", "mail_sent", "link_opened", "completed"} <= {e.what for e in events}
    assert {e.facts["staff"] for e in events if "staff" in e.facts} == {"G3"}


def test_a_clients_timeline_holds_its_own_and_the_customers_doings_alone(world: World) -> None:
    session, other, client = world.member(), world.client("Broker"), world.client("G3")
    others = world.case(other, ILONA)
    world.contacts.record(other, others, ILONAS, ANNAS_OTHER_MOBILE, "hu")
    world.contacts.check_code(other, others, world.code_sent(ANNAS_OTHER_MOBILE))
    world.deliver()
    world.clock.advance(minutes=1)
    world.stuck_registrations.end(session, world.case(session, ILONA), "kérte telefonon")
    case_id = begun(world, client)
    world.contacts.check_code(client, case_id, world.code_sent(NEW))
    world.registrations.mobiles.choose_mobile(world.access_by_mail(ILONAS.typed), NEW)
    world.deliver()
    events = world.client_registrations.find(client, case_id).events
    assert events is not None
    told = repr(events)
    for foreign in ("Broker", other.id, "Kiss Orsolya", session.actor, "kérte"):
        assert foreign not in told
    assert sorted(event.what for event in events) == [
        "identified_by", "link_opened", "mail_sent", "mobile_changed", "sms_sent", "sms_sent", "started", "viewed",
    ]  # fmt: skip


def test_how_a_registration_may_stand(world: World) -> None:
    client = world.client()
    case_id = begun(world, client)

    def state() -> str:
        return world.client_registrations.find(client, case_id).state

    world.deliver()
    world.clock.advance(minutes=31)
    assert state() == "code_over"
    for _ in range(world.profile.one_time_code.codes - 1):
        world.deliver()
        world.clock.advance(minutes=1)
        world.contacts.resend_code(client, case_id)
    world.deliver()
    assert state() == "code_sent"
    world.clock.advance(minutes=31)
    assert state() == "codes_used_up"
    world.clock.advance(days=1)
    case_id = begun(world, client)
    world.contacts.check_code(client, case_id, world.code_sent(NEW))
    session = world.member()
    world.stuck_registrations.end(session, world.case(session, ILONA), "meggondolta magát")
    assert state() == "ended"
    world.clock.advance(minutes=1)
    # In one hour, with the same key: the case in which a code was read back is over, and a new one begins.
    again = begun(world, client)
    assert again != case_id
    case_id = again
    world.contacts.check_code(client, case_id, world.code_sent(NEW))
    world.clock.advance(hours=2)
    assert state() == "expired"
    assert world.client_registrations.find(client, case_id).events is None


def test_an_account_that_came_in_another_way(world: World) -> None:
    client = world.client()
    case_id = world.case(client, ANNA)
    world.contacts.record(client, case_id, ANNA.address, ANNAS_OTHER_MOBILE, "hu")
    world.clock.advance(minutes=1)
    world.registered(ANNA)
    assert world.client_registrations.find(client, case_id).state == "account_elsewhere"
    assert world.client_registrations.why_not(client, case_id) == "already_registered"


def test_a_look_alone_is_no_registration(world: World) -> None:
    client = world.client()
    case_id = world.case(client, ILONA)
    with pytest.raises(OutOfTurn):
        world.client_registrations.find(client, case_id)
    assert world.search.hit(client, case_id).has_mobile is False


@pytest.mark.parametrize("kind", ["policy_number", "kutid", "customer_number", "account_number", "reference"])
def test_each_number_finds_by_its_own_kind_alone(world: World, kind: str) -> None:
    with world.store.write() as connection:
        connection.execute(update(customers).where(customers.c.kutid == ANNA.kutid).values(customer_number="CN1"))
        connection.execute(
            insert(reference_codes).values(code="7KX-2MD", kind="no_mobile", kutid=ANNA.kutid,
                                           created_at=world.clock.now())
        )  # fmt: skip
    numbers = {
        "policy_number": ANNA.policy_number, "kutid": ANNA.kutid, "customer_number": "CN1", "account_number": "",
        "reference": "7kx 2md",
    }  # fmt: skip
    client = world.client()
    for other, number in numbers.items():
        found = outcome_of(world.search.look_up, client, kind, number)
        assert (found == "ok") == (other == kind and kind != "account_number"), (kind, other)
    assert outcome_of(world.search.look_up, client, kind, "\0") == "customer.unknown"
    assert len([row for row in world.rows(audit) if row.action == "searched"]) == 6


def test_a_bound_key_reaches_its_advisers_customers_alone(world: World) -> None:
    advise(world, ILONA.kutid, "uk-0007")
    bound, free = world.client("broker", "UK-0007"), world.client()
    theirs = world.case(bound, ILONA)
    assert outcome_of(world.search.look_up, bound, "policy_number", ANNA.policy_number) == "customer.unknown"
    others = world.case(free, ANNA)
    for case_id in (others, world.case(free, ILONA)):
        assert outcome_of(world.client_registrations.find, bound, case_id) == "out_of_turn"
        assert outcome_of(world.contacts.record, bound, case_id, ILONAS, NEW, "hu") == "out_of_turn"
    world.contacts.record(bound, theirs, ILONAS, NEW, "hu")
    with world.store.write() as connection:
        connection.execute(update(advisers).values(adviser="uk-0008"))
    for verb in (world.contacts.resend_code, world.client_registrations.find, world.account_help.ask_for_reset):
        assert outcome_of(verb, bound, theirs) == "out_of_turn"


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_key_that_ends_meanwhile_does_nothing_more(world: World, end: str) -> None:
    client, _ = world.api_keys.add("G3", SCOPES, lifetime=timedelta(minutes=30))
    case_id = begun(world, client)
    code = world.code_sent(NEW)
    world.clock.advance(minutes=29)
    if end == "revoked":
        world.api_keys.revoke(client.id)
    else:
        world.clock.advance(minutes=1)
    assert outcome_of(world.contacts.check_code, client, case_id, code) == "out_of_turn"


def test_sessions_and_keys_hold_nothing_of_each_other(world: World) -> None:
    client, session = world.client(), world.member()
    theirs, ours = world.case(client, ILONA), world.case(session, ILONA)
    assert outcome_of(world.cases.case, session, theirs) == "out_of_turn"
    assert outcome_of(world.cases.case, client, ours) == "out_of_turn"
    assert outcome_of(world.stuck_registrations.give_new_budget, client, theirs, "kérésre") == "reason.not_supervisor"


def test_a_forgotten_password_is_started_with_the_same_mail(world: World) -> None:
    client = world.client()
    assert outcome_of(world.account_help.ask_for_reset, client, world.case(client, ESZTER)) == "out_of_turn"
    world.registered(ESZTER)
    world.account_help.ask_for_reset(client, world.case(client, ESZTER))
    assert world.told("reset", ESZTER.email) == 1
    assert "reset_asked" in world.deeds(client)


# --- Once only ------------------------------------------------------------------------------------------------------

ANSWER = Answer(201, {"Content-Type": "application/json"}, '{"id": "x"}')


def test_the_same_request_has_the_same_answer_for_a_day(world: World) -> None:
    turn = world.answers.begin("client:A", "k", b"asked")
    assert isinstance(turn, Turn)
    assert outcome_of(world.answers.begin, "client:A", "k", b"asked") == "idempotency_key.under_way"
    assert outcome_of(world.answers.begin, "client:A", "k", b"else") == "idempotency_key.reused"
    world.answers.keep(turn, ANSWER)
    assert world.answers.begin("client:A", "k", b"asked") == ANSWER
    assert outcome_of(world.answers.begin, "client:A", "k", b"else") == "idempotency_key.reused"
    # Another client's keys are others.
    assert isinstance(world.answers.begin("client:B", "k", b"asked"), Turn)
    world.clock.advance(seconds=KEPT_FOR.total_seconds())
    assert isinstance(world.answers.begin("client:A", "k", b"else"), Turn)


def test_of_the_same_request_at_once_one_is_executed(world: World) -> None:
    answers = at_once([partial(world.answers.begin, "client:A", "k", b"asked")] * 8)
    turns = [one for one in answers if isinstance(one, Turn)]
    assert len(turns) == 1
    refused = [one for one in answers if isinstance(one, Refusal)]
    assert {one.reason for one in refused} == {"under_way"}
    assert len(refused) == 7


def test_what_failed_can_be_repeated(world: World) -> None:
    turn = world.answers.begin("client:A", "k", b"asked")
    assert isinstance(turn, Turn)
    world.answers.forget(turn)
    assert isinstance(world.answers.begin("client:A", "k", b"asked"), Turn)


def test_a_request_that_died_on_its_way_is_taken_over_and_cannot_come_back(world: World) -> None:
    dead = world.answers.begin("client:A", "k", b"asked")
    assert isinstance(dead, Turn)
    world.clock.advance(minutes=2)
    assert outcome_of(world.answers.begin, "client:A", "k", b"else") == "idempotency_key.reused"
    taken = world.answers.begin("client:A", "k", b"asked")
    assert isinstance(taken, Turn)
    world.answers.keep(taken, ANSWER)
    world.answers.keep(dead, Answer(500, {}, "late"))
    world.answers.forget(dead)
    assert world.answers.begin("client:A", "k", b"asked") == ANSWER


def test_answers_hold_nothing_of_what_was_asked_and_go_after_a_day(world: World) -> None:
    turn = world.answers.begin("client:A", "a key of mine", b"ilona@example.hu")
    assert isinstance(turn, Turn)
    world.answers.keep(turn, ANSWER)
    held = repr(world.rows(api_answers))
    assert "ilona" not in held
    assert "a key of mine" not in held
    tidying = Tidying(world.base, world.allowances)
    tidying.tidy()
    assert world.count(api_answers) == 1
    world.clock.advance(days=1)
    tidying.tidy()
    assert world.count(api_answers) == 0


def test_cases_of_clients_go_like_those_of_staff(world: World) -> None:
    begun(world, world.client())
    world.clock.advance(days=world.profile.retention.registrations_days, minutes=1)
    Tidying(world.base, world.allowances).tidy()
    assert world.count(staff_cases) == 0
    assert world.count(api_keys) == 1
