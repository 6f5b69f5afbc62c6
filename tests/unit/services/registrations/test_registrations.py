"""Registrations by their verbs: what each does, what it refuses, and that nothing is skipped, repeated or revived."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from services.passwords import is_secret
from services.refusal import DeadEnd, Refusal
from services.register.policyholders import SecondDatum
from services.registrations import Access
from services.store.engine import Store
from services.store.tables.accounts import accounts
from services.store.tables.codes import one_time_codes
from services.store.tables.register import phones
from services.store.tables.registrations import registrations
from services.values.email_addresses import parse
from tests.world.cast import (
    ANNA,
    ANNAS_OTHER_MOBILE,
    COMMUNICATION_ID,
    COMMUNICATION_PASSWORD,
    CROWD,
    ESZTER,
    GABOR,
    ILONA,
    ILONAS_LANDLINE,
    LASZLO,
    MINTA,
    PASSWORD,
    PETER,
    Customer,
)
from tests.world.outcomes import at_once, outcome_of, wrong_code
from tests.world.world import FACTS, WRONG, World, move_in

NEW_ADDRESS = "anna.kovacs@example.hu"


def identify(world: World, person: Customer, knows: SecondDatum | None = None) -> str:
    return outcome_of(world.registrations.identification.identify, person.policy_number, knows or person.knows, "hu")


# --- The whole way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [ANNA, MINTA])
def test_a_customer_registers(world: World, person: Customer) -> None:
    access = world.registered(person)
    (account,) = world.accounts()
    terms = world.terms.in_force(world.clock.now())
    assert (account.kutid, account.email, account.mobile) == (person.kutid, person.email, person.mobile)
    assert (account.language, account.created_at) == ("hu", world.clock.now())
    assert (account.terms_version, account.terms_hash) == (terms.version, terms.hash)
    assert is_secret(PASSWORD, account.password_hash)
    assert world.see(access).is_complete
    subjects = [letter.subject for letter in world.letters("email")]
    texts = world.profile.texts
    assert subjects == [texts.say(f"mail.{mail}.subject", "hu") for mail in ("confirm", "registered")]


def test_what_each_step_adds_is_seen_by_its_browser(world: World) -> None:
    access = world.identified(ANNA)
    assert [fact for fact in FACTS if world.see(access).has(fact)] == ["identifier"]
    chosen = world.registrations.emails.choose_email(access, ANNA.address)
    for seen in (chosen, world.see(access)):
        assert [fact for fact in FACTS if seen.has(fact)] == ["identifier", "email"]
    access = world.access_by_mail(ANNA.email)
    assert [fact for fact in FACTS if world.see(access).has(fact)] == list(FACTS[:3])
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(access, world.code_sent(ANNA.mobile))
    world.accept_terms(access)
    assert [fact for fact in FACTS if world.see(access).has(fact)] == list(FACTS[:-1])
    world.registrations.completion.complete(access, PASSWORD)
    assert [fact for fact in FACTS if world.see(access).has(fact)] == list(FACTS)


def test_looking_changes_nothing(world: World) -> None:
    world.mailed(ANNA)
    access = world.access_by_mail(ANNA.email)
    before = world.see(access)
    world.clock.advance(minutes=10)
    assert world.see(access) == before
    assert world.registrations.records.find(Access("nobody's")) is None


# --- Identify -------------------------------------------------------------------------------------------------


def test_whoever_cannot_register_hears_why(world: World) -> None:
    assert identify(world, ILONA) == "identify.no_mobile"
    assert identify(world, LASZLO) == "identify.no_mobile"
    world.registered(ANNA)
    assert identify(world, ANNA) == "already_registered"
    assert world.count(registrations) == 1


def test_wrong_unknown_and_cancelled_are_answered_alike(world: World) -> None:
    unknown = replace(ANNA, policy_number="949999999")
    answers = [identify(world, ANNA, WRONG), identify(world, unknown), identify(world, PETER)]
    assert answers == ["identify.mismatch"] * 3
    assert world.count(registrations) == 0


def test_wrong_tries_rest_the_policy_for_everybody_and_the_rest_ends_by_itself(world: World) -> None:
    rules = world.profile.identification
    answers = [identify(world, ANNA, WRONG) for _ in range(rules.wrong_tries)]
    assert answers == ["identify.mismatch"] * rules.wrong_tries
    with pytest.raises(Refusal) as slowed:
        world.registrations.identification.identify(ANNA.policy_number, ANNA.knows, "hu")
    assert (slowed.value.reason, slowed.value.facts["at"]) == ("slowed", world.clock.now() + rules.wait)
    assert identify(world, ESZTER) == "ok"
    world.clock.advance(minutes=rules.wrong_tries_minutes)
    assert identify(world, ANNA) == "ok"


def test_a_holder_whose_number_rests_registers_with_customer_service(world: World) -> None:
    for _ in range(world.profile.identification.wrong_tries + 1):
        identify(world, ANNA, WRONG)
    session = world.member()
    case_id = world.case(session, ANNA)
    world.contacts.record(session, case_id, ANNA.address, ANNA.mobile, "hu")
    world.contacts.check_code(session, case_id, world.code_sent(ANNA.mobile))
    assert world.told("assisted", ANNA.email) == 1


def test_communication_id(world: World) -> None:
    identify = world.registrations.identification.identify_by_communication_id
    begun = identify(COMMUNICATION_ID, COMMUNICATION_PASSWORD, "en")
    assert (begun.kutid, begun.language, begun.identifier) == (ANNA.kutid, "en", COMMUNICATION_ID)
    assert outcome_of(identify, "K7654321", COMMUNICATION_PASSWORD, "hu") == "identify.mismatch"
    tries = world.profile.identification.wrong_tries
    for _ in range(2):  # a match forgets the slips before it
        assert {outcome_of(identify, COMMUNICATION_ID, "Levelezes2021", "hu") for _ in range(tries - 1)} == {
            "identify.mismatch"
        }
        assert outcome_of(identify, COMMUNICATION_ID, COMMUNICATION_PASSWORD, "hu") == "ok"
    assert {outcome_of(identify, COMMUNICATION_ID, "Levelezes2021", "hu") for _ in range(tries)} == {
        "identify.mismatch"
    }
    assert outcome_of(identify, COMMUNICATION_ID, COMMUNICATION_PASSWORD, "hu") == "identify.slowed"


def test_an_unconfirmed_registration_blocks_nobody(world: World) -> None:
    world.mailed(ANNA)
    other = world.identified(ANNA)
    assert outcome_of(world.registrations.emails.choose_email, other, ANNA.address) == "ok"
    assert outcome_of(world.registrations.emails.choose_email, world.identified(ESZTER), ANNA.address) == "ok"


# --- Nothing is skipped ---------------------------------------------------------------------------------------

STAGES = ("identified", "mailed", "linked", "sent_code", "confirmed", "accepted")
DUE = {
    # What may be done at a stage; everything else is out of turn there.
    "identified": {"choose_email"},
    "mailed": {"choose_email", "resend_email"},
    "linked": {"choose_email", "resend_email", "choose_mobile"},
    "sent_code": {"choose_email", "resend_email", "choose_mobile", "resend_code", "confirm_mobile"},
    "confirmed": {"choose_email", "resend_email", "choose_mobile", "accept_terms"},
    "accepted": {"choose_email", "resend_email", "choose_mobile", "complete"},
}


def verbs(world: World, access: Access) -> dict:
    """Return every verb, ready to be called with what would be right for Anna."""
    r = world.registrations
    code = world.letters("sms")[-1].code if world.letters("sms") else "0000"
    return {
        "choose_email": lambda: r.emails.choose_email(access, parse(NEW_ADDRESS)),
        "resend_email": lambda: r.emails.resend_email(access),
        "choose_mobile": lambda: r.mobiles.choose_mobile(access, ANNA.mobile),
        "resend_code": lambda: r.mobiles.resend_code(access),
        "confirm_mobile": lambda: r.mobiles.confirm_mobile(access, code),
        "accept_terms": lambda: world.accept_terms(access),
        "complete": lambda: r.completion.complete(access, PASSWORD),
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_verb_out_of_its_turn_does_nothing(world: World, stage: str) -> None:
    access = getattr(world, stage)(ANNA)
    world.clock.advance(minutes=2)  # past the waits for a new mail and a new code
    before, letters = world.see(access), len(world.letters("email") + world.letters("sms"))
    for name, verb in verbs(world, access).items():
        if name not in DUE[stage]:
            assert outcome_of(verb) == "out_of_turn", name
            assert replace(world.see(access), terms_opened=before.terms_opened) == before, name
    assert len(world.letters("email") + world.letters("sms")) == letters
    assert world.accounts() == []


@pytest.mark.parametrize(("stage", "verb"), [(stage, verb) for stage in STAGES for verb in sorted(DUE[stage])])
def test_a_verb_in_its_turn_is_heard(world: World, stage: str, verb: str) -> None:
    access = getattr(world, stage)(ANNA)
    world.clock.advance(minutes=2)
    assert outcome_of(verbs(world, access)[verb]) == "ok"


@pytest.mark.parametrize("link", [None, "", "forged"])
def test_without_the_link_the_second_half_is_closed(world: World, link: str | None) -> None:
    access = replace(world.accepted(ANNA), link_id=link)
    world.clock.advance(minutes=2)
    for name, verb in verbs(world, access).items():
        if "email" not in name:
            assert outcome_of(verb) == "out_of_turn", name
    assert world.accounts() == []


def test_a_registration_that_nobody_began_is_out_of_turn(world: World) -> None:
    for name, verb in verbs(world, Access("nobody's", "nothing")).items():
        assert outcome_of(verb) == "out_of_turn", name


# --- Email ----------------------------------------------------------------------------------------------------


def test_the_link_goes_to_the_address_as_typed(world: World) -> None:
    access = world.identified(ANNA)
    world.registrations.emails.choose_email(access, parse(" Anna.KOVÁCS@Példa.hu "))
    (letter,) = world.letters("email")
    assert letter.to == "Anna.KOVÁCS@Példa.hu"
    assert letter.link is not None
    assert letter.link.startswith("https://belepo.example/regisztracioveglegesites?token=")


def test_the_same_address_again_within_the_minute_changes_nothing(world: World) -> None:
    access = world.mailed(ANNA)
    before = world.see(access)
    assert world.registrations.emails.choose_email(access, parse(ANNA.email.upper())) == before
    world.clock.advance(seconds=59)
    assert world.registrations.emails.choose_email(access, ANNA.address) == before
    assert len(world.letters("email")) == 1
    world.clock.advance(seconds=1)
    assert world.registrations.emails.choose_email(access, ANNA.address).link_id != before.link_id
    assert len(world.letters("email")) == 2


def test_a_new_mail_starts_a_new_hour_and_kills_the_older_link(world: World) -> None:
    older = world.linked(ANNA)
    assert outcome_of(world.registrations.emails.resend_email, older) == "email.resend_too_early"
    world.clock.advance(minutes=50)
    world.registrations.emails.resend_email(Access(older.registration_id))
    newer = world.access_by_mail(ANNA.email)
    world.clock.advance(minutes=50)
    assert outcome_of(world.registrations.mobiles.choose_mobile, older, ANNA.mobile) == "out_of_turn"
    assert outcome_of(world.registrations.mobiles.choose_mobile, newer, ANNA.mobile) == "ok"


def test_a_mail_that_has_not_left_is_replaced(world: World) -> None:
    access = world.mailed(ANNA)
    world.registrations.emails.choose_email(access, parse(NEW_ADDRESS))
    assert [letter.to for letter in world.letters("email")] == [NEW_ADDRESS]


@pytest.mark.parametrize("stage", ["sent_code", "confirmed", "accepted"])
def test_a_changed_email_drops_what_the_old_links_holder_proved(world: World, stage: str) -> None:
    old = getattr(world, stage)(ANNA)
    world.registrations.emails.choose_email(Access(old.registration_id), parse(NEW_ADDRESS))
    new = world.access_by_mail(NEW_ADDRESS)
    seen = world.see(new)
    assert [fact for fact in FACTS if seen.has(fact)] == list(FACTS[:3])
    assert seen.terms_opened is None
    assert outcome_of(world.registrations.completion.complete, old, PASSWORD) == "out_of_turn"
    assert outcome_of(world.registrations.completion.complete, new, PASSWORD) == "out_of_turn"
    assert world.registrations.records.find(old) is None
    # The code of before is dead with the link, even before a new one is sent.
    assert outcome_of(world.registrations.mobiles.confirm_mobile, new, world.code_sent(ANNA.mobile)) == "out_of_turn"


def test_the_waiting_browser_gains_nothing_by_anothers_link(world: World) -> None:
    linked = world.linked(ANNA)
    waiting = Access(linked.registration_id)
    world.registrations.mobiles.choose_mobile(linked, ANNA.mobile)
    seen = world.see(waiting)
    assert (seen.email_confirmed_at, seen.is_confirmed_elsewhere) == (None, True)
    assert (
        outcome_of(world.registrations.mobiles.confirm_mobile, waiting, world.code_sent(ANNA.mobile)) == "out_of_turn"
    )
    assert world.see(linked).code.tries_left == world.profile.one_time_code.tries


def test_an_address_in_use_is_refused_a_few_times_and_then_every_address_is(world: World) -> None:
    world.registered(ESZTER)
    access = world.identified(ANNA)
    limit = world.profile.registration.mails_an_hour
    answers = [
        outcome_of(world.registrations.emails.choose_email, access, parse("ESZTER@example.hu")) for _ in range(limit)
    ]
    assert answers == ["email.taken"] * limit
    other = world.identified(ANNA)
    assert outcome_of(world.registrations.emails.choose_email, other, ESZTER.address) == "email.too_many"
    assert outcome_of(world.registrations.emails.choose_email, other, ANNA.address) == "email.too_many"
    assert world.see(other).email is None
    assert world.letters("email", ANNA.email) == []
    world.clock.advance(hours=1)
    assert outcome_of(world.registrations.emails.choose_email, world.identified(ANNA), ANNA.address) == "ok"


def test_at_most_six_mails_an_hour_to_one_address_whoever_asks(world: World) -> None:
    limit = world.profile.registration.mails_an_hour
    for person in CROWD[:limit]:
        assert outcome_of(world.registrations.emails.choose_email, world.identified(person), ANNA.address) == "ok"
    access = world.identified(ANNA)
    with pytest.raises(Refusal) as refused:
        world.registrations.emails.choose_email(access, ANNA.address)
    assert refused.value.reason == "too_many"
    assert refused.value.facts["at"] == world.clock.now() + timedelta(hours=1)
    assert world.see(access).email is None
    assert len(world.letters("email", ANNA.email)) == limit
    world.clock.advance(hours=1)
    assert outcome_of(world.registrations.emails.choose_email, world.identified(ANNA), ANNA.address) == "ok"


def test_a_mail_too_many_leaves_the_older_link_alive(world: World) -> None:
    access = world.mailed(ANNA)
    for _ in range(world.profile.registration.mails_an_hour - 1):
        world.clock.advance(minutes=1)
        world.registrations.emails.resend_email(access)
    linked = world.access_by_mail(ANNA.email)
    world.clock.advance(minutes=1)
    assert outcome_of(world.registrations.emails.resend_email, access) == "email.too_many"
    assert outcome_of(world.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "ok"


# --- The hour and the day -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_after_the_hour_nothing_of_the_registration_works(world: World, stage: str) -> None:
    access = getattr(world, stage)(ANNA)
    every = verbs(world, access)
    world.clock.advance(minutes=60)
    assert {name: outcome_of(verb) for name, verb in every.items() if name != "accept_terms"} == dict.fromkeys(
        every.keys() - {"accept_terms"}, "link_expired"
    )
    before = world.see(access).terms_opened
    assert outcome_of(every["accept_terms"]) == "link_expired"
    assert world.see(access).terms_opened == before


def test_the_hour_counts_from_the_mail(world: World) -> None:
    access = world.identified(ANNA)
    world.clock.advance(minutes=59)
    world.registrations.emails.choose_email(access, ANNA.address)
    linked = world.access_by_mail(ANNA.email)
    world.clock.advance(minutes=59, seconds=59)
    assert outcome_of(world.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "ok"
    world.clock.advance(seconds=1)
    with pytest.raises(DeadEnd) as dead_end:
        world.registrations.mobiles.confirm_mobile(linked, world.postman.letters[-1].code)
    assert dead_end.value.facts["at"] == world.clock.now()


def test_a_registration_ends_after_24_hours_however_often_the_mail_is_sent(world: World) -> None:
    access = world.mailed(ANNA)
    for _ in range(25):
        world.clock.advance(minutes=57)
        world.registrations.emails.resend_email(access)
    world.clock.advance(minutes=14)
    assert outcome_of(world.registrations.emails.resend_email, access) == "ok"
    world.clock.advance(minutes=1)
    assert outcome_of(world.registrations.emails.resend_email, access) == "link_expired"


def test_the_code_never_outlives_the_hour(world: World) -> None:
    access = world.linked(ANNA)
    world.clock.advance(minutes=45)
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    seen = world.see(access)
    assert seen.code.expires_at == seen.expires_at == world.clock.now() + timedelta(minutes=15)


# --- Mobile and code ------------------------------------------------------------------------------------------


def test_only_a_mobile_on_record_for_this_customer_gets_a_code(world: World) -> None:
    access = world.linked(ANNA)
    for number in (ESZTER.mobile, ILONAS_LANDLINE, "+36209999999"):
        assert outcome_of(world.registrations.mobiles.choose_mobile, access, number) == "mobile.not_on_record"
    assert world.letters("sms") == []
    assert world.see(access).mobile is None
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, ANNAS_OTHER_MOBILE) == "ok"
    assert [letter.to for letter in world.letters("sms")] == [ANNAS_OTHER_MOBILE]


def test_which_numbers_are_on_record_is_not_told_without_limit(world: World) -> None:
    """Whoever knows the customer by name may begin again and again."""
    limit, access = world.profile.one_time_code.numbers, world.linked(ANNA)
    for number in range(limit - 1):
        assert (
            outcome_of(world.registrations.mobiles.choose_mobile, access, f"+3620999{number:04}")
            == "mobile.not_on_record"
        )
    assert (
        outcome_of(world.registrations.mobiles.choose_mobile, world.linked(ESZTER), "+36209999999")
        == "mobile.not_on_record"
    )
    world.clock.advance(minutes=2)
    access = world.linked(ANNA)
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, "+36209999999") == "mobile.not_on_record"
    for number in ("+36209999998", ANNA.mobile, ANNAS_OTHER_MOBILE):
        with pytest.raises(Refusal) as wait:
            world.registrations.mobiles.choose_mobile(access, number)
        assert (wait.value.reason, wait.value.facts["at"]) == ("wait", world.clock.now() + timedelta(days=1))
    assert world.letters("sms") == []
    assert outcome_of(world.registrations.mobiles.choose_mobile, world.linked(ESZTER), ESZTER.mobile) == "ok"
    world.clock.advance(days=1)
    assert outcome_of(world.registrations.mobiles.choose_mobile, world.linked(ANNA), ANNA.mobile) == "ok"


def test_a_number_on_record_costs_none_of_the_wrong_ones(world: World) -> None:
    limit, access = world.profile.one_time_code.numbers, world.linked(ANNA)
    for number in range(limit):
        world.clock.advance(minutes=2)
        right = (ANNA.mobile, ANNAS_OTHER_MOBILE)[number % 2]
        assert outcome_of(world.registrations.mobiles.choose_mobile, access, right) in ("ok", "codes_used_up")
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, "+36209999999") == "mobile.not_on_record"
    newest = world.see(access).mobile
    for number in range(limit):
        outcome_of(world.registrations.mobiles.choose_mobile, access, f"+3620999{number:04}")
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, "+36209999998") == "mobile.wait"
    assert world.see(access).mobile == newest, "and what was given before stays"


def test_the_same_mobile_again_within_the_minute_sends_nothing(world: World) -> None:
    access = world.sent_code(ANNA)
    before = world.see(access)
    assert world.registrations.mobiles.choose_mobile(access, ANNA.mobile) == before
    assert len(world.letters("sms")) == 1
    world.clock.advance(minutes=1)
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    assert len(world.letters("sms")) == 2


def test_another_mobile_waits_its_minute_and_must_be_confirmed_anew(world: World) -> None:
    access = world.confirmed(ANNA)
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, ANNAS_OTHER_MOBILE) == "sms_resend.too_early"
    assert world.see(access).mobile == ANNA.mobile
    world.clock.advance(minutes=1)
    world.registrations.mobiles.choose_mobile(access, ANNAS_OTHER_MOBILE)
    assert world.see(access).mobile_confirmed_at is None
    assert outcome_of(world.accept_terms, access) == "out_of_turn"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNAS_OTHER_MOBILE)) == "ok"


def test_a_new_code_after_a_minute_kills_the_older_one(world: World) -> None:
    access = world.sent_code(ANNA)
    older = world.code_sent(ANNA.mobile)
    world.clock.advance(seconds=59)
    with pytest.raises(Refusal) as early:
        world.registrations.mobiles.resend_code(access)
    assert (early.value.reason, early.value.facts["seconds"]) == ("too_early", 1)
    world.clock.advance(seconds=1)
    world.registrations.mobiles.resend_code(access)
    newer = world.code_sent(ANNA.mobile)
    if older != newer:
        assert outcome_of(world.registrations.mobiles.confirm_mobile, access, older) == "sms_code.wrong"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, newer) == "ok"


def test_three_tries_a_code_three_codes_then_the_end(world: World) -> None:
    access = world.sent_code(ANNA)
    rules = world.profile.one_time_code
    told = []
    for number in range(rules.codes):
        wrong = wrong_code(world.code_sent(ANNA.mobile))
        for _ in range(rules.tries):
            try:
                world.registrations.mobiles.confirm_mobile(access, wrong)
            except Refusal as refusal:
                told.append(refusal.facts["tries"])
            except DeadEnd as dead_end:
                told.append(dead_end.kind)
        if number < rules.codes - 1:
            assert (
                outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile))
                == "sms_code.wrong"
            )
            world.clock.advance(minutes=1)
            world.registrations.mobiles.resend_code(access)
    assert told == [2, 1, 0, 2, 1, 0, 2, 1, "codes_used_up"]
    assert outcome_of(world.registrations.mobiles.resend_code, access) == "codes_used_up"
    assert (
        outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "codes_used_up"
    )
    assert len(world.letters("sms")) == rules.codes


def test_the_budget_holds_through_every_door_and_for_24_hours(world: World) -> None:
    access = world.sent_code(ANNA)
    world.deliver()
    for _ in range(2):
        world.clock.advance(minutes=1)
        world.registrations.mobiles.resend_code(access)
        world.deliver()
    newest = world.clock.now()
    world.clock.advance(minutes=1)
    assert outcome_of(world.registrations.mobiles.resend_code, access) == "sms_resend.used_up"
    world.registrations.emails.resend_email(access)
    assert (
        outcome_of(world.registrations.mobiles.choose_mobile, world.access_by_mail(ANNA.email), ANNA.mobile)
        == "codes_used_up"
    )
    world.clock.advance(hours=3)
    again = world.linked(ANNA)
    with pytest.raises(DeadEnd) as dead_end:
        world.registrations.mobiles.choose_mobile(again, ANNAS_OTHER_MOBILE)
    assert dead_end.value.facts["again_at"] == newest + timedelta(hours=24)
    assert len(world.letters("sms")) == 3
    world.clock.advance(hours=20, minutes=58)
    last = world.linked(ANNA)
    assert outcome_of(world.registrations.mobiles.choose_mobile, last, ANNA.mobile) == "codes_used_up"
    world.clock.advance(minutes=1)
    assert outcome_of(world.registrations.mobiles.choose_mobile, last, ANNA.mobile) == "ok"


def test_the_same_number_again_leaves_the_last_code_alive(world: World) -> None:
    """Whoever asks to change the number, and then does not, goes on with the code that has come."""
    access = world.sent_code(ANNA)
    for _ in range(world.profile.one_time_code.codes - 1):
        world.code_sent(ANNA.mobile)
        world.clock.advance(minutes=1)
        world.registrations.mobiles.resend_code(access)
    code = world.code_sent(ANNA.mobile)
    world.clock.advance(minutes=2)
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, ANNA.mobile) == "ok"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, code) == "ok"


def test_guesses_are_counted_over_all_registrations_of_a_customer(world: World) -> None:
    rules = world.profile.one_time_code
    guesses = 0
    for _ in range(rules.codes):
        access = world.sent_code(ANNA)
        wrong = wrong_code(world.code_sent(ANNA.mobile))
        while (
            outcome_of(world.registrations.mobiles.confirm_mobile, access, wrong) == "sms_code.wrong" and guesses < 99
        ):
            guesses += 1
            if world.see(access).code.tries_left == 0:
                break
        world.clock.advance(hours=2)
    assert guesses + 1 == rules.guesses  # the last one was told as the end
    assert outcome_of(world.registrations.mobiles.choose_mobile, world.linked(ANNA), ANNA.mobile) == "codes_used_up"


def test_a_code_asked_for_in_another_registration_kills_the_older_one(world: World) -> None:
    first = world.sent_code(ANNA)
    code = world.code_sent(ANNA.mobile)
    world.clock.advance(minutes=1)
    second = world.sent_code(ANNA)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, first, code) == "sms_code.none_sent"
    assert (
        outcome_of(world.registrations.mobiles.confirm_mobile, first, world.code_sent(ANNA.mobile))
        == "sms_code.none_sent"
    )
    assert outcome_of(world.registrations.mobiles.confirm_mobile, second, world.code_sent(ANNA.mobile)) == "ok"


def test_a_code_expires_and_a_new_one_can_be_had(world: World) -> None:
    access = world.sent_code(ANNA)
    code = world.code_sent(ANNA.mobile)
    world.clock.advance(minutes=29, seconds=59)
    assert world.see(access).code.is_usable(world.clock.now())
    world.clock.advance(seconds=1)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, code) == "sms_code.expired"
    assert world.see(access).code.tries_left == world.profile.one_time_code.tries
    world.registrations.mobiles.resend_code(access)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "ok"


def test_a_code_works_once(world: World) -> None:
    access = world.confirmed(ANNA)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "out_of_turn"
    assert outcome_of(world.registrations.mobiles.resend_code, access) == "out_of_turn"


# --- A code is bound to its request (ASVS 6.6.2) ---------------------------------------------------------------------

MOBILE_FIRST = ("identifier", "mobile", "mobile_confirmed_at", "email", "email_confirmed_at", *FACTS[5:])


@pytest.fixture
def mobile_first(store: Store) -> World:
    move_in(store)
    return World(store, facts=MOBILE_FIRST)


def identified_by_mobile(world: World, browser: str | None) -> Access:
    """Identify where the mobile is part of what is asked: the code is sent at once."""
    with world.store.write() as connection:
        connection.execute(phones.update().where(phones.c.number == ANNA.mobile).values(is_default=True))
    knows = replace(ANNA.knows, mobile=ANNA.mobile)
    begun = world.registrations.identification.identify(ANNA.policy_number, knows, "hu", browser=browser)
    assert begun.code is not None
    assert begun.code.is_elsewhere == world.see(Access(begun.id, browser=browser)).code.is_elsewhere
    return Access(begun.id, browser=browser)


def says_when(world: World, access: Access) -> bool:
    """Tell whether a browser sees that no code is to be typed, and when it can ask for one."""
    code, now = world.see(access).code, world.clock.now()
    return not code.is_usable(now) and code.is_elsewhere and code.again_at == code.issued_at + timedelta(minutes=1)


@pytest.mark.parametrize("strangers", ["theirs", None])
def test_an_identification_elsewhere_neither_takes_a_code_nor_gets_one(
    mobile_first: World, strangers: str | None
) -> None:
    world = mobile_first
    own = identified_by_mobile(world, None if strangers is None else "own")
    code = world.code_sent(ANNA.mobile)
    other = identified_by_mobile(world, strangers)
    assert says_when(world, other)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, other, code) == "sms_code.none_sent"
    assert outcome_of(world.registrations.mobiles.resend_code, other) == "sms_resend.too_early"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, own, code) == "ok"
    # Used, it opens nothing for whoever identifies now.
    third = identified_by_mobile(world, strangers)
    assert says_when(world, third)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, third, code) == "sms_code.none_sent"
    assert len(world.letters("sms")) == 1
    world.clock.advance(minutes=1)
    assert outcome_of(world.registrations.mobiles.resend_code, third) == "ok"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, third, world.code_sent(ANNA.mobile)) == "ok"


def test_a_browser_that_begins_twice_uses_the_code_in_its_hands_once(mobile_first: World) -> None:
    world = mobile_first
    identified_by_mobile(world, "own")
    again = identified_by_mobile(world, "own")
    code = world.code_sent(ANNA.mobile)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, again, code) == "ok"
    third = identified_by_mobile(world, "own")
    assert says_when(world, third)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, third, code) == "sms_code.none_sent"
    assert len(world.letters("sms")) == 1


def proved_and_mailed(world: World) -> tuple[Access, str, Access]:
    """Return a browser that proved the mobile, its code, and the browser in which its mail was opened."""
    own = replace(world.identified(ANNA), browser="own")
    world.registrations.mobiles.choose_mobile(own, ANNA.mobile)
    code = world.code_sent(ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(own, code)
    world.registrations.emails.choose_email(own, ANNA.address)
    return own, code, world.access_by_mail(ANNA.email, "theirs")


def linked_and_proved(world: World) -> tuple[Access, str, Access]:
    """Return the same where the link comes before the code: both browsers have opened the mail."""
    own = world.sent_code(ANNA)
    code = world.code_sent(ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(own, code)
    return own, code, replace(own, browser="theirs")


@pytest.fixture(params=["code first", "link first"])
def two_browsers(request: pytest.FixtureRequest, store: Store) -> tuple[World, Access, str, Access]:
    """A world, a browser that proved the mobile, its code, and another one that holds the link."""
    move_in(store)
    is_code_first = request.param == "code first"
    world = World(store, facts=MOBILE_FIRST if is_code_first else FACTS)
    return world, *(proved_and_mailed(world) if is_code_first else linked_and_proved(world))


def test_a_used_code_proves_nothing_to_another_browser_with_the_link(
    two_browsers: tuple[World, Access, str, Access],
) -> None:
    world, _, code, holder = two_browsers
    assert outcome_of(world.accept_terms, holder) == "out_of_turn"
    assert outcome_of(world.registrations.completion.complete, holder, PASSWORD) == "out_of_turn"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, holder, code) == "sms_code.used"
    assert says_when(world, holder)
    assert outcome_of(world.registrations.mobiles.resend_code, holder) == "sms_resend.too_early"
    (row,) = world.rows(one_time_codes)
    assert row.guesses_used == 1, "nor is it tried"
    world.clock.advance(minutes=1)
    world.registrations.mobiles.resend_code(holder)
    own = world.code_sent(ANNA.mobile)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, holder, own) == "ok"
    # Nor does that code serve a third browser with the same link.
    assert (
        outcome_of(world.registrations.mobiles.confirm_mobile, replace(holder, browser="third"), own) == "sms_code.used"
    )


def test_the_browser_that_goes_on_is_the_one_whose_code_is_newest(
    two_browsers: tuple[World, Access, str, Access],
) -> None:
    """A customer who confirmed on the phone goes on at the desktop; only that browser opens the account."""
    world, own, first, desktop = two_browsers
    phone = replace(desktop, browser=own.browser)
    world.accept_terms(phone)
    world.clock.advance(minutes=1)
    world.registrations.mobiles.resend_code(desktop)
    newer = world.code_sent(ANNA.mobile)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, phone, first) == "out_of_turn", "a repeated post"
    assert world.see(desktop).code.tries_left == world.profile.one_time_code.tries, "costs the other browser no try"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, desktop, newer) == "ok"
    assert outcome_of(world.registrations.completion.complete, phone, PASSWORD) == "out_of_turn"
    assert outcome_of(world.registrations.completion.complete, desktop, PASSWORD) == "ok"
    assert outcome_of(world.registrations.completion.complete, desktop, PASSWORD) == "ok", "a repeated post"
    assert outcome_of(world.registrations.completion.complete, phone, PASSWORD) == "already_registered"
    assert world.see(desktop).is_complete
    assert not world.see(phone).is_complete
    assert world.see(phone).is_completed_elsewhere


def test_a_browser_that_loses_its_proof_while_the_hash_is_made_opens_nothing(
    two_browsers: tuple[World, Access, str, Access], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, own, _, desktop = two_browsers
    phone = replace(desktop, browser=own.browser)
    world.accept_terms(phone)
    world.clock.advance(minutes=1)
    world.registrations.mobiles.resend_code(desktop)
    newer = world.code_sent(ANNA.mobile)

    def meanwhile(name: str) -> None:
        if name == "registrations.hashed":
            world.registrations.mobiles.confirm_mobile(desktop, newer)

    monkeypatch.setattr("services.registrations.completion.reach", meanwhile)
    assert outcome_of(world.registrations.completion.complete, phone, PASSWORD) == "out_of_turn"
    assert world.accounts() == []


def test_a_code_sent_twice_by_one_browser_leads_on(two_browsers: tuple[World, Access, str, Access]) -> None:
    """The answer to the first got lost: the browser sends it again."""
    world, own, code, holder = two_browsers
    assert outcome_of(world.registrations.mobiles.confirm_mobile, own, code) == "out_of_turn", (
        "what is due then is shown"
    )
    assert world.see(own).mobile_confirmed_at
    world.clock.advance(minutes=1)
    world.registrations.mobiles.resend_code(holder)
    newer = world.code_sent(ANNA.mobile)
    for _ in range(2):
        world.registrations.records.find(holder)
        outcome_of(world.registrations.mobiles.confirm_mobile, holder, newer)
    assert world.see(holder).mobile_confirmed_at
    assert outcome_of(world.accept_terms, holder) == "ok"


def test_of_two_browsers_that_type_one_code_at_once_one_has_proved_the_mobile(mobile_first: World) -> None:
    world = mobile_first
    _, _, holder = proved_and_mailed(world)
    world.clock.advance(minutes=1)
    world.registrations.mobiles.resend_code(holder)
    code = world.code_sent(ANNA.mobile)
    browsers = [replace(holder, browser=f"number {number}") for number in range(3)]
    answers = at_once([partial(outcome_of, world.registrations.mobiles.confirm_mobile, one, code) for one in browsers])
    assert sorted(answers) == ["ok", "sms_code.used", "sms_code.used"]
    assert sum(world.see(one).mobile_confirmed_at is not None for one in browsers) == 1


# --- What does not arrive -------------------------------------------------------------------------------------------


def test_an_undelivered_code_uses_up_no_resend_and_no_wait(world: World) -> None:
    access = world.linked(ANNA)
    world.postman.is_refusing = True
    for _ in range(world.profile.one_time_code.codes + 2):
        world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
        world.deliver()
        code = world.see(access).code
        assert (code.is_undelivered, code.codes_left(world.clock.now())) == (True, world.profile.one_time_code.codes)
    world.postman.is_refusing = False
    assert outcome_of(world.registrations.mobiles.resend_code, access) == "ok"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "ok"
    assert len(world.letters("sms")) == 1


def test_a_gateway_that_takes_a_code_and_breaks_off_has_the_code_count(world: World) -> None:
    access = world.linked(ANNA)
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    world.postman.is_breaking_off = True
    answers = []
    for _ in range(world.profile.one_time_code.codes + 2):
        world.deliver()
        world.clock.advance(seconds=2)
        world.deliver()  # the second and last time that it may arrive
        answers.append(outcome_of(world.registrations.mobiles.resend_code, access))
    world.postman.is_breaking_off = False
    assert answers == ["ok", "ok", "sms_resend.used_up", "sms_resend.used_up", "sms_resend.used_up"]
    assert len(world.letters("sms")) == 2 * world.profile.one_time_code.codes
    assert world.see(access).code.is_undelivered
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "ok"


def test_a_code_that_has_not_left_yet_is_replaced_and_does_not_count(world: World) -> None:
    access = world.linked(ANNA)
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    world.registrations.mobiles.resend_code(access)
    assert len(world.letters("sms")) == 1
    assert world.see(access).code.codes_left(world.clock.now()) == world.profile.one_time_code.codes - 1
    assert outcome_of(world.registrations.mobiles.resend_code, access) == "sms_resend.too_early"


def test_codes_that_have_not_left_use_up_nothing_by_whichever_door(world: World) -> None:
    """Nothing is delivered: each time the number is given again the older code waits still."""
    access = world.linked(ANNA)
    for mobile in (ANNA.mobile, ANNA.mobile, ANNAS_OTHER_MOBILE, ANNA.mobile):
        world.clock.advance(minutes=1)
        assert outcome_of(world.registrations.mobiles.choose_mobile, access, mobile) == "ok"
        assert world.see(access).code.codes_left(world.clock.now()) == world.profile.one_time_code.codes - 1
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, ANNAS_OTHER_MOBILE) == "ok", "nor does it wait"
    assert [letter.to for letter in world.letters("sms")] == [ANNAS_OTHER_MOBILE]
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNAS_OTHER_MOBILE)) == "ok"


def test_nobody_elses_registration_takes_back_a_code_that_has_not_left_yet(world: World) -> None:
    first = world.linked(ANNA)
    other = world.linked(ANNA)
    world.registrations.mobiles.choose_mobile(first, ANNA.mobile)
    assert outcome_of(world.registrations.mobiles.choose_mobile, other, ANNA.mobile) == "sms_resend.too_early"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, first, world.code_sent(ANNA.mobile)) == "ok"


def test_a_tax_payer_whose_record_lacks_the_part_after_the_hyphen_can_register(world: World) -> None:
    assert identify(world, GABOR) == "ok"


# --- Terms ----------------------------------------------------------------------------------------------------


def test_the_terms_in_force_must_have_been_opened(world: World) -> None:
    access = world.confirmed(ANNA)
    assert outcome_of(world.registrations.consents.accept_terms, access) == "terms.not_opened"
    world.registrations.consents.open_terms(access, "2019-1")
    assert outcome_of(world.registrations.consents.accept_terms, access) == "terms.replaced"
    assert outcome_of(world.accept_terms, access) == "ok"
    assert outcome_of(world.registrations.consents.accept_terms, access) == "out_of_turn"


# --- A profile's own steps ------------------------------------------------------------------------------------

OWN = (
    "identifier",
    "region",
    "email",
    "email_confirmed_at",
    "consents",
    "mobile",
    "mobile_confirmed_at",
    "terms_accepted_at",
    "is_complete",
)


@pytest.fixture
def own_house(world: World) -> World:
    """A world whose journey asks a question of its own in each half."""
    return World(world.store, facts=OWN)


def test_what_a_profiles_own_step_asked_is_kept_with_the_account(own_house: World) -> None:
    world = own_house
    access = world.identified(ANNA)
    assert outcome_of(world.registrations.emails.choose_email, access, ANNA.address) == "out_of_turn"
    world.registrations.consents.record(access, "region", {"name": "Észak"})
    world.registrations.emails.choose_email(access, ANNA.address)
    assert outcome_of(world.registrations.consents.record, access, "consents", {"marketing": False}) == "out_of_turn"
    linked = world.access_by_mail(ANNA.email)
    assert outcome_of(world.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "out_of_turn"
    world.registrations.consents.record(linked, "consents", {"marketing": False})
    world.registrations.mobiles.choose_mobile(linked, ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(linked, world.code_sent(ANNA.mobile))
    world.accept_terms(linked)
    world.registrations.completion.complete(linked, PASSWORD)
    assert world.accounts()[0].answers == {"region": {"name": "Észak"}, "consents": {"marketing": False}}


def test_a_new_link_drops_the_answers_given_after_the_address_and_keeps_those_before(own_house: World) -> None:
    world = own_house
    access = world.identified(ANNA)
    world.registrations.consents.record(access, "region", {"name": "Észak"})
    world.registrations.emails.choose_email(access, ANNA.address)
    world.registrations.consents.record(world.access_by_mail(ANNA.email), "consents", {"marketing": True})
    world.registrations.emails.choose_email(access, parse(NEW_ADDRESS))
    linked = world.access_by_mail(NEW_ADDRESS)
    assert world.see(linked).answers == {"region": {"name": "Észak"}}
    assert outcome_of(world.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "out_of_turn"


# --- Complete -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too_short"),
        ("Kurta-1", "too_short"),
        ("csupa-kisbetu-1", "upper"),
        ("CSUPA-NAGY-BETU-1", "lower"),
        ("Szamjegy-Nelkul", "digit"),
        ("Jelszo12345", "common"),
        ("Anna@example.hu1", "like_email"),
        ("KovacsAnna1985", "like_record"),
        ("Aa-940000001", "like_record"),
        ("Aa1" + "x" * 998, "too_long"),
    ],
)
def test_a_password_against_the_rules_opens_no_account(world: World, password: str, reason: str) -> None:
    access = world.accepted(ANNA)
    assert outcome_of(world.registrations.completion.complete, access, password) == f"password.{reason}"
    assert world.accounts() == []
    assert outcome_of(world.registrations.completion.complete, access, PASSWORD) == "ok"


def test_the_last_step_replayed_changes_nothing(world: World) -> None:
    access = world.registered(ANNA)
    before = world.accounts()
    world.clock.advance(minutes=5)
    assert world.registrations.completion.complete(access, "Egeszen-Mas-2032").is_complete
    assert world.accounts() == before
    assert len(world.letters("email")) == 2


def test_after_the_account_every_other_verb_is_out_of_turn(world: World) -> None:
    access = world.registered(ANNA)
    world.clock.advance(minutes=2)
    every = verbs(world, access)
    del every["complete"]
    assert {outcome_of(verb) for verb in every.values()} == {"out_of_turn"}


def test_another_registration_of_a_registered_customer_ends(world: World) -> None:
    other = world.accepted(ANNA)
    world.clock.advance(minutes=2)
    world.registrations.emails.choose_email(world.identified(ANNA), parse(NEW_ADDRESS))
    winner = world.access_by_mail(NEW_ADDRESS)
    world.registrations.mobiles.choose_mobile(winner, ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(winner, world.code_sent(ANNA.mobile))
    world.accept_terms(winner)
    world.registrations.completion.complete(winner, PASSWORD)
    world.clock.advance(minutes=2)
    assert {outcome_of(verb) for verb in verbs(world, other).values()} == {"already_registered"}
    assert len(world.accounts()) == 1


def test_a_link_that_waits_does_not_leave_once_it_has_died_with_the_account(world: World) -> None:
    access = world.accepted(ANNA)
    for email in ("second@example.hu", "third@example.hu"):
        world.registrations.emails.choose_email(world.identified(ANNA), parse(email))
    world.mailed(ESZTER)
    world.registrations.completion.complete(access, PASSWORD)
    assert {letter.to for letter in world.letters("email")} == {ANNA.email, ESZTER.email}
    assert world.told("registered", ANNA.email) == 1


def test_a_second_copy_of_the_link_does_not_leave_once_it_was_used(world: World) -> None:
    """The mail server broke off after it had it all: whether it arrived is not known."""
    world.postman.is_breaking_off = True
    world.mailed(ANNA)
    access = world.access_by_mail(ANNA.email)
    world.postman.is_breaking_off = False
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(access, world.code_sent(ANNA.mobile))
    world.accept_terms(access)
    world.registrations.completion.complete(access, PASSWORD)
    world.clock.advance(minutes=1)
    assert world.told("confirm", ANNA.email) == 1


def test_the_same_address_for_two_customers_the_second_is_asked_for_another(world: World) -> None:
    anna = world.accepted(ANNA)
    eszter = world.identified(ESZTER)
    world.registrations.emails.choose_email(eszter, ANNA.address)
    eszter = world.access_by_mail(ANNA.email)
    world.registrations.mobiles.choose_mobile(eszter, ESZTER.mobile)
    world.registrations.mobiles.confirm_mobile(eszter, world.code_sent(ESZTER.mobile))
    world.accept_terms(eszter)
    world.registrations.completion.complete(anna, PASSWORD)
    assert outcome_of(world.registrations.completion.complete, eszter, PASSWORD) == "email.taken"
    seen = world.see(eszter)
    assert [fact for fact in FACTS if seen.has(fact)] == ["identifier"]
    assert outcome_of(world.registrations.emails.choose_email, eszter, ESZTER.address) == "ok"
    with world.store.read() as connection:
        assert len(connection.execute(accounts.select()).all()) == 1
