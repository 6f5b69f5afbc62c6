"""Registrations by their verbs: what each does, what it refuses, and that nothing is skipped, repeated or revived."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from services.passwords import is_secret
from services.refusal import DeadEnd, Refusal
from services.register.policyholders import SecondDatum
from services.registrations import Visit
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
from tests.world.outcomes import at_once, said, wrong_code
from tests.world.world import FACTS, WRONG, House, move_in

NEW_ADDRESS = "anna.kovacs@example.hu"


def identify(house: House, person: Customer, knows: SecondDatum | None = None) -> str:
    return said(house.registrations.identification.identify, person.policy_number, knows or person.knows, "hu")


# --- The whole way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [ANNA, MINTA])
def test_a_customer_registers(house: House, person: Customer) -> None:
    visit = house.registered(person)
    (account,) = house.accounts()
    terms = house.terms.in_force(house.clock.now())
    assert (account.kutid, account.email, account.mobile) == (person.kutid, person.email, person.mobile)
    assert (account.language, account.created_at) == ("hu", house.clock.now())
    assert (account.terms_version, account.terms_hash) == (terms.version, terms.hash)
    assert is_secret(PASSWORD, account.password_hash)
    assert house.see(visit).is_complete
    subjects = [letter.subject for letter in house.letters("email")]
    texts = house.profile.texts
    assert subjects == [texts.say(f"mail.{mail}.subject", "hu") for mail in ("confirm", "registered")]


def test_what_each_step_adds_is_seen_by_its_browser(house: House) -> None:
    visit = house.identified(ANNA)
    assert [fact for fact in FACTS if house.see(visit).has(fact)] == ["identifier"]
    chosen = house.registrations.emails.choose_email(visit, ANNA.address)
    for seen in (chosen, house.see(visit)):
        assert [fact for fact in FACTS if seen.has(fact)] == ["identifier", "email"]
    visit = house.visit_by_mail(ANNA.email)
    assert [fact for fact in FACTS if house.see(visit).has(fact)] == list(FACTS[:3])
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    house.registrations.mobiles.confirm_mobile(visit, house.code_sent(ANNA.mobile))
    house.accept_terms(visit)
    assert [fact for fact in FACTS if house.see(visit).has(fact)] == list(FACTS[:-1])
    house.registrations.completion.complete(visit, PASSWORD)
    assert [fact for fact in FACTS if house.see(visit).has(fact)] == list(FACTS)


def test_looking_changes_nothing(house: House) -> None:
    house.mailed(ANNA)
    visit = house.visit_by_mail(ANNA.email)
    before = house.see(visit)
    house.clock.advance(minutes=10)
    assert house.see(visit) == before
    assert house.registrations.records.find(Visit("nobody's")) is None


# --- Identify -------------------------------------------------------------------------------------------------


def test_whoever_cannot_register_hears_why(house: House) -> None:
    assert identify(house, ILONA) == "identify.no_mobile"
    assert identify(house, LASZLO) == "identify.no_mobile"
    house.registered(ANNA)
    assert identify(house, ANNA) == "already_registered"
    assert house.count(registrations) == 1


def test_wrong_unknown_and_cancelled_are_answered_alike(house: House) -> None:
    unknown = replace(ANNA, policy_number="949999999")
    answers = [identify(house, ANNA, WRONG), identify(house, unknown), identify(house, PETER)]
    assert answers == ["identify.mismatch"] * 3
    assert house.count(registrations) == 0


def test_wrong_tries_rest_the_policy_for_everybody_and_the_rest_ends_by_itself(house: House) -> None:
    rules = house.profile.identification
    answers = [identify(house, ANNA, WRONG) for _ in range(rules.wrong_tries)]
    assert answers == ["identify.mismatch"] * rules.wrong_tries
    with pytest.raises(Refusal) as slowed:
        house.registrations.identification.identify(ANNA.policy_number, ANNA.knows, "hu")
    assert (slowed.value.reason, slowed.value.facts["at"]) == ("slowed", house.clock.now() + rules.wait)
    assert identify(house, ESZTER) == "ok"
    house.clock.advance(minutes=rules.wrong_tries_minutes)
    assert identify(house, ANNA) == "ok"


def test_a_holder_whose_number_rests_registers_with_customer_service(house: House) -> None:
    for _ in range(house.profile.identification.wrong_tries + 1):
        identify(house, ANNA, WRONG)
    session = house.member()
    case_id = house.case(session, ANNA)
    house.contacts.record(session, case_id, ANNA.address, ANNA.mobile, "hu")
    house.contacts.check_code(session, case_id, house.code_sent(ANNA.mobile))
    assert house.told("assisted", ANNA.email) == 1


def test_communication_id(house: House) -> None:
    identify = house.registrations.identification.identify_by_communication_id
    begun = identify(COMMUNICATION_ID, COMMUNICATION_PASSWORD, "en")
    assert (begun.kutid, begun.language, begun.identifier) == (ANNA.kutid, "en", COMMUNICATION_ID)
    assert said(identify, "K7654321", COMMUNICATION_PASSWORD, "hu") == "identify.mismatch"
    tries = house.profile.identification.wrong_tries
    for _ in range(2):  # a match forgets the slips before it
        assert {said(identify, COMMUNICATION_ID, "Levelezes2021", "hu") for _ in range(tries - 1)} == {
            "identify.mismatch"
        }
        assert said(identify, COMMUNICATION_ID, COMMUNICATION_PASSWORD, "hu") == "ok"
    assert {said(identify, COMMUNICATION_ID, "Levelezes2021", "hu") for _ in range(tries)} == {"identify.mismatch"}
    assert said(identify, COMMUNICATION_ID, COMMUNICATION_PASSWORD, "hu") == "identify.slowed"


def test_an_unconfirmed_registration_blocks_nobody(house: House) -> None:
    house.mailed(ANNA)
    other = house.identified(ANNA)
    assert said(house.registrations.emails.choose_email, other, ANNA.address) == "ok"
    assert said(house.registrations.emails.choose_email, house.identified(ESZTER), ANNA.address) == "ok"


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


def verbs(house: House, visit: Visit) -> dict:
    """Return every verb, ready to be called with what would be right for Anna."""
    r = house.registrations
    code = house.letters("sms")[-1].code if house.letters("sms") else "0000"
    return {
        "choose_email": lambda: r.emails.choose_email(visit, parse(NEW_ADDRESS)),
        "resend_email": lambda: r.emails.resend_email(visit),
        "choose_mobile": lambda: r.mobiles.choose_mobile(visit, ANNA.mobile),
        "resend_code": lambda: r.mobiles.resend_code(visit),
        "confirm_mobile": lambda: r.mobiles.confirm_mobile(visit, code),
        "accept_terms": lambda: house.accept_terms(visit),
        "complete": lambda: r.completion.complete(visit, PASSWORD),
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_verb_out_of_its_turn_does_nothing(house: House, stage: str) -> None:
    visit = getattr(house, stage)(ANNA)
    house.clock.advance(minutes=2)  # past the waits for a new mail and a new code
    before, letters = house.see(visit), len(house.letters("email") + house.letters("sms"))
    for name, verb in verbs(house, visit).items():
        if name not in DUE[stage]:
            assert said(verb) == "out_of_turn", name
            assert replace(house.see(visit), terms_opened=before.terms_opened) == before, name
    assert len(house.letters("email") + house.letters("sms")) == letters
    assert house.accounts() == []


@pytest.mark.parametrize(("stage", "verb"), [(stage, verb) for stage in STAGES for verb in sorted(DUE[stage])])
def test_a_verb_in_its_turn_is_heard(house: House, stage: str, verb: str) -> None:
    visit = getattr(house, stage)(ANNA)
    house.clock.advance(minutes=2)
    assert said(verbs(house, visit)[verb]) == "ok"


@pytest.mark.parametrize("link", [None, "", "forged"])
def test_without_the_link_the_second_half_is_closed(house: House, link: str | None) -> None:
    visit = replace(house.accepted(ANNA), link_id=link)
    house.clock.advance(minutes=2)
    for name, verb in verbs(house, visit).items():
        if "email" not in name:
            assert said(verb) == "out_of_turn", name
    assert house.accounts() == []


def test_a_registration_that_nobody_began_is_out_of_turn(house: House) -> None:
    for name, verb in verbs(house, Visit("nobody's", "nothing")).items():
        assert said(verb) == "out_of_turn", name


# --- Email ----------------------------------------------------------------------------------------------------


def test_the_link_goes_to_the_address_as_typed(house: House) -> None:
    visit = house.identified(ANNA)
    house.registrations.emails.choose_email(visit, parse(" Anna.KOVÁCS@Példa.hu "))
    (letter,) = house.letters("email")
    assert letter.to == "Anna.KOVÁCS@Példa.hu"
    assert letter.link is not None
    assert letter.link.startswith("https://belepo.example/regisztracioveglegesites?token=")


def test_the_same_address_again_within_the_minute_changes_nothing(house: House) -> None:
    visit = house.mailed(ANNA)
    before = house.see(visit)
    assert house.registrations.emails.choose_email(visit, parse(ANNA.email.upper())) == before
    house.clock.advance(seconds=59)
    assert house.registrations.emails.choose_email(visit, ANNA.address) == before
    assert len(house.letters("email")) == 1
    house.clock.advance(seconds=1)
    assert house.registrations.emails.choose_email(visit, ANNA.address).link_id != before.link_id
    assert len(house.letters("email")) == 2


def test_a_new_mail_starts_a_new_hour_and_kills_the_older_link(house: House) -> None:
    older = house.linked(ANNA)
    assert said(house.registrations.emails.resend_email, older) == "email.resend_too_early"
    house.clock.advance(minutes=50)
    house.registrations.emails.resend_email(Visit(older.registration_id))
    newer = house.visit_by_mail(ANNA.email)
    house.clock.advance(minutes=50)
    assert said(house.registrations.mobiles.choose_mobile, older, ANNA.mobile) == "out_of_turn"
    assert said(house.registrations.mobiles.choose_mobile, newer, ANNA.mobile) == "ok"


def test_a_mail_that_has_not_left_is_replaced(house: House) -> None:
    visit = house.mailed(ANNA)
    house.registrations.emails.choose_email(visit, parse(NEW_ADDRESS))
    assert [letter.to for letter in house.letters("email")] == [NEW_ADDRESS]


@pytest.mark.parametrize("stage", ["sent_code", "confirmed", "accepted"])
def test_a_changed_email_drops_what_the_old_links_holder_proved(house: House, stage: str) -> None:
    old = getattr(house, stage)(ANNA)
    house.registrations.emails.choose_email(Visit(old.registration_id), parse(NEW_ADDRESS))
    new = house.visit_by_mail(NEW_ADDRESS)
    seen = house.see(new)
    assert [fact for fact in FACTS if seen.has(fact)] == list(FACTS[:3])
    assert seen.terms_opened is None
    assert said(house.registrations.completion.complete, old, PASSWORD) == "out_of_turn"
    assert said(house.registrations.completion.complete, new, PASSWORD) == "out_of_turn"
    assert house.registrations.records.find(old) is None
    # The code of before is dead with the link, even before a new one is sent.
    assert said(house.registrations.mobiles.confirm_mobile, new, house.code_sent(ANNA.mobile)) == "out_of_turn"


def test_the_waiting_browser_gains_nothing_by_anothers_link(house: House) -> None:
    linked = house.linked(ANNA)
    waiting = Visit(linked.registration_id)
    house.registrations.mobiles.choose_mobile(linked, ANNA.mobile)
    seen = house.see(waiting)
    assert (seen.email_confirmed_at, seen.is_confirmed_elsewhere) == (None, True)
    assert said(house.registrations.mobiles.confirm_mobile, waiting, house.code_sent(ANNA.mobile)) == "out_of_turn"
    assert house.see(linked).code.tries_left == house.profile.one_time_code.tries


def test_an_address_in_use_is_refused_a_few_times_and_then_every_address_is(house: House) -> None:
    house.registered(ESZTER)
    visit = house.identified(ANNA)
    limit = house.profile.registration.mails_an_hour
    answers = [said(house.registrations.emails.choose_email, visit, parse("ESZTER@example.hu")) for _ in range(limit)]
    assert answers == ["email.taken"] * limit
    other = house.identified(ANNA)
    assert said(house.registrations.emails.choose_email, other, ESZTER.address) == "email.too_many"
    assert said(house.registrations.emails.choose_email, other, ANNA.address) == "email.too_many"
    assert house.see(other).email is None
    assert house.letters("email", ANNA.email) == []
    house.clock.advance(hours=1)
    assert said(house.registrations.emails.choose_email, house.identified(ANNA), ANNA.address) == "ok"


def test_at_most_six_mails_an_hour_to_one_address_whoever_asks(house: House) -> None:
    limit = house.profile.registration.mails_an_hour
    for person in CROWD[:limit]:
        assert said(house.registrations.emails.choose_email, house.identified(person), ANNA.address) == "ok"
    visit = house.identified(ANNA)
    with pytest.raises(Refusal) as refused:
        house.registrations.emails.choose_email(visit, ANNA.address)
    assert refused.value.reason == "too_many"
    assert refused.value.facts["at"] == house.clock.now() + timedelta(hours=1)
    assert house.see(visit).email is None
    assert len(house.letters("email", ANNA.email)) == limit
    house.clock.advance(hours=1)
    assert said(house.registrations.emails.choose_email, house.identified(ANNA), ANNA.address) == "ok"


def test_a_mail_too_many_leaves_the_older_link_alive(house: House) -> None:
    visit = house.mailed(ANNA)
    for _ in range(house.profile.registration.mails_an_hour - 1):
        house.clock.advance(minutes=1)
        house.registrations.emails.resend_email(visit)
    linked = house.visit_by_mail(ANNA.email)
    house.clock.advance(minutes=1)
    assert said(house.registrations.emails.resend_email, visit) == "email.too_many"
    assert said(house.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "ok"


# --- The hour and the day -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_after_the_hour_nothing_of_the_registration_works(house: House, stage: str) -> None:
    visit = getattr(house, stage)(ANNA)
    every = verbs(house, visit)
    house.clock.advance(minutes=60)
    assert {name: said(verb) for name, verb in every.items() if name != "accept_terms"} == dict.fromkeys(
        every.keys() - {"accept_terms"}, "link_expired"
    )
    before = house.see(visit).terms_opened
    assert said(every["accept_terms"]) == "link_expired"
    assert house.see(visit).terms_opened == before


def test_the_hour_counts_from_the_mail(house: House) -> None:
    visit = house.identified(ANNA)
    house.clock.advance(minutes=59)
    house.registrations.emails.choose_email(visit, ANNA.address)
    linked = house.visit_by_mail(ANNA.email)
    house.clock.advance(minutes=59, seconds=59)
    assert said(house.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "ok"
    house.clock.advance(seconds=1)
    with pytest.raises(DeadEnd) as dead_end:
        house.registrations.mobiles.confirm_mobile(linked, house.postman.letters[-1].code)
    assert dead_end.value.facts["at"] == house.clock.now()


def test_a_registration_ends_after_24_hours_however_often_the_mail_is_sent(house: House) -> None:
    visit = house.mailed(ANNA)
    for _ in range(25):
        house.clock.advance(minutes=57)
        house.registrations.emails.resend_email(visit)
    house.clock.advance(minutes=14)
    assert said(house.registrations.emails.resend_email, visit) == "ok"
    house.clock.advance(minutes=1)
    assert said(house.registrations.emails.resend_email, visit) == "link_expired"


def test_the_code_never_outlives_the_hour(house: House) -> None:
    visit = house.linked(ANNA)
    house.clock.advance(minutes=45)
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    seen = house.see(visit)
    assert seen.code.expires_at == seen.expires_at == house.clock.now() + timedelta(minutes=15)


# --- Mobile and code ------------------------------------------------------------------------------------------


def test_only_a_mobile_on_record_for_this_customer_gets_a_code(house: House) -> None:
    visit = house.linked(ANNA)
    for number in (ESZTER.mobile, ILONAS_LANDLINE, "+36209999999"):
        assert said(house.registrations.mobiles.choose_mobile, visit, number) == "mobile.not_on_record"
    assert house.letters("sms") == []
    assert house.see(visit).mobile is None
    assert said(house.registrations.mobiles.choose_mobile, visit, ANNAS_OTHER_MOBILE) == "ok"
    assert [letter.to for letter in house.letters("sms")] == [ANNAS_OTHER_MOBILE]


def test_which_numbers_are_on_record_is_not_told_without_limit(house: House) -> None:
    """Whoever knows the customer by name may begin again and again."""
    limit, visit = house.profile.one_time_code.numbers, house.linked(ANNA)
    for number in range(limit - 1):
        assert said(house.registrations.mobiles.choose_mobile, visit, f"+3620999{number:04}") == "mobile.not_on_record"
    assert (
        said(house.registrations.mobiles.choose_mobile, house.linked(ESZTER), "+36209999999") == "mobile.not_on_record"
    )
    house.clock.advance(minutes=2)
    visit = house.linked(ANNA)
    assert said(house.registrations.mobiles.choose_mobile, visit, "+36209999999") == "mobile.not_on_record"
    for number in ("+36209999998", ANNA.mobile, ANNAS_OTHER_MOBILE):
        with pytest.raises(Refusal) as wait:
            house.registrations.mobiles.choose_mobile(visit, number)
        assert (wait.value.reason, wait.value.facts["at"]) == ("wait", house.clock.now() + timedelta(days=1))
    assert house.letters("sms") == []
    assert said(house.registrations.mobiles.choose_mobile, house.linked(ESZTER), ESZTER.mobile) == "ok"
    house.clock.advance(days=1)
    assert said(house.registrations.mobiles.choose_mobile, house.linked(ANNA), ANNA.mobile) == "ok"


def test_a_number_on_record_costs_none_of_the_wrong_ones(house: House) -> None:
    limit, visit = house.profile.one_time_code.numbers, house.linked(ANNA)
    for number in range(limit):
        house.clock.advance(minutes=2)
        right = (ANNA.mobile, ANNAS_OTHER_MOBILE)[number % 2]
        assert said(house.registrations.mobiles.choose_mobile, visit, right) in ("ok", "codes_used_up")
    assert said(house.registrations.mobiles.choose_mobile, visit, "+36209999999") == "mobile.not_on_record"
    newest = house.see(visit).mobile
    for number in range(limit):
        said(house.registrations.mobiles.choose_mobile, visit, f"+3620999{number:04}")
    assert said(house.registrations.mobiles.choose_mobile, visit, "+36209999998") == "mobile.wait"
    assert house.see(visit).mobile == newest, "and what was given before stays"


def test_the_same_mobile_again_within_the_minute_sends_nothing(house: House) -> None:
    visit = house.sent_code(ANNA)
    before = house.see(visit)
    assert house.registrations.mobiles.choose_mobile(visit, ANNA.mobile) == before
    assert len(house.letters("sms")) == 1
    house.clock.advance(minutes=1)
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    assert len(house.letters("sms")) == 2


def test_another_mobile_waits_its_minute_and_must_be_confirmed_anew(house: House) -> None:
    visit = house.confirmed(ANNA)
    assert said(house.registrations.mobiles.choose_mobile, visit, ANNAS_OTHER_MOBILE) == "sms_resend.too_early"
    assert house.see(visit).mobile == ANNA.mobile
    house.clock.advance(minutes=1)
    house.registrations.mobiles.choose_mobile(visit, ANNAS_OTHER_MOBILE)
    assert house.see(visit).mobile_confirmed_at is None
    assert said(house.accept_terms, visit) == "out_of_turn"
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNAS_OTHER_MOBILE)) == "ok"


def test_a_new_code_after_a_minute_kills_the_older_one(house: House) -> None:
    visit = house.sent_code(ANNA)
    older = house.code_sent(ANNA.mobile)
    house.clock.advance(seconds=59)
    with pytest.raises(Refusal) as early:
        house.registrations.mobiles.resend_code(visit)
    assert (early.value.reason, early.value.facts["seconds"]) == ("too_early", 1)
    house.clock.advance(seconds=1)
    house.registrations.mobiles.resend_code(visit)
    newer = house.code_sent(ANNA.mobile)
    if older != newer:
        assert said(house.registrations.mobiles.confirm_mobile, visit, older) == "sms_code.wrong"
    assert said(house.registrations.mobiles.confirm_mobile, visit, newer) == "ok"


def test_three_tries_a_code_three_codes_then_the_end(house: House) -> None:
    visit = house.sent_code(ANNA)
    rules = house.profile.one_time_code
    told = []
    for number in range(rules.codes):
        wrong = wrong_code(house.code_sent(ANNA.mobile))
        for _ in range(rules.tries):
            try:
                house.registrations.mobiles.confirm_mobile(visit, wrong)
            except Refusal as refusal:
                told.append(refusal.facts["tries"])
            except DeadEnd as dead_end:
                told.append(dead_end.kind)
        if number < rules.codes - 1:
            assert (
                said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNA.mobile))
                == "sms_code.wrong"
            )
            house.clock.advance(minutes=1)
            house.registrations.mobiles.resend_code(visit)
    assert told == [2, 1, 0, 2, 1, 0, 2, 1, "codes_used_up"]
    assert said(house.registrations.mobiles.resend_code, visit) == "codes_used_up"
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNA.mobile)) == "codes_used_up"
    assert len(house.letters("sms")) == rules.codes


def test_the_budget_holds_through_every_door_and_for_24_hours(house: House) -> None:
    visit = house.sent_code(ANNA)
    house.deliver()
    for _ in range(2):
        house.clock.advance(minutes=1)
        house.registrations.mobiles.resend_code(visit)
        house.deliver()
    newest = house.clock.now()
    house.clock.advance(minutes=1)
    assert said(house.registrations.mobiles.resend_code, visit) == "sms_resend.used_up"
    house.registrations.emails.resend_email(visit)
    assert (
        said(house.registrations.mobiles.choose_mobile, house.visit_by_mail(ANNA.email), ANNA.mobile) == "codes_used_up"
    )
    house.clock.advance(hours=3)
    again = house.linked(ANNA)
    with pytest.raises(DeadEnd) as dead_end:
        house.registrations.mobiles.choose_mobile(again, ANNAS_OTHER_MOBILE)
    assert dead_end.value.facts["again_at"] == newest + timedelta(hours=24)
    assert len(house.letters("sms")) == 3
    house.clock.advance(hours=20, minutes=58)
    last = house.linked(ANNA)
    assert said(house.registrations.mobiles.choose_mobile, last, ANNA.mobile) == "codes_used_up"
    house.clock.advance(minutes=1)
    assert said(house.registrations.mobiles.choose_mobile, last, ANNA.mobile) == "ok"


def test_the_same_number_again_leaves_the_last_code_alive(house: House) -> None:
    """Whoever asks to change the number, and then does not, goes on with the code that has come."""
    visit = house.sent_code(ANNA)
    for _ in range(house.profile.one_time_code.codes - 1):
        house.code_sent(ANNA.mobile)
        house.clock.advance(minutes=1)
        house.registrations.mobiles.resend_code(visit)
    code = house.code_sent(ANNA.mobile)
    house.clock.advance(minutes=2)
    assert said(house.registrations.mobiles.choose_mobile, visit, ANNA.mobile) == "ok"
    assert said(house.registrations.mobiles.confirm_mobile, visit, code) == "ok"


def test_guesses_are_counted_over_all_registrations_of_a_customer(house: House) -> None:
    rules = house.profile.one_time_code
    guesses = 0
    for _ in range(rules.codes):
        visit = house.sent_code(ANNA)
        wrong = wrong_code(house.code_sent(ANNA.mobile))
        while said(house.registrations.mobiles.confirm_mobile, visit, wrong) == "sms_code.wrong" and guesses < 99:
            guesses += 1
            if house.see(visit).code.tries_left == 0:
                break
        house.clock.advance(hours=2)
    assert guesses + 1 == rules.guesses  # the last one was told as the end
    assert said(house.registrations.mobiles.choose_mobile, house.linked(ANNA), ANNA.mobile) == "codes_used_up"


def test_a_code_asked_for_in_another_registration_kills_the_older_one(house: House) -> None:
    first = house.sent_code(ANNA)
    code = house.code_sent(ANNA.mobile)
    house.clock.advance(minutes=1)
    second = house.sent_code(ANNA)
    assert said(house.registrations.mobiles.confirm_mobile, first, code) == "sms_code.none_sent"
    assert said(house.registrations.mobiles.confirm_mobile, first, house.code_sent(ANNA.mobile)) == "sms_code.none_sent"
    assert said(house.registrations.mobiles.confirm_mobile, second, house.code_sent(ANNA.mobile)) == "ok"


def test_a_code_expires_and_a_new_one_can_be_had(house: House) -> None:
    visit = house.sent_code(ANNA)
    code = house.code_sent(ANNA.mobile)
    house.clock.advance(minutes=29, seconds=59)
    assert house.see(visit).code.is_usable(house.clock.now())
    house.clock.advance(seconds=1)
    assert said(house.registrations.mobiles.confirm_mobile, visit, code) == "sms_code.expired"
    assert house.see(visit).code.tries_left == house.profile.one_time_code.tries
    house.registrations.mobiles.resend_code(visit)
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNA.mobile)) == "ok"


def test_a_code_works_once(house: House) -> None:
    visit = house.confirmed(ANNA)
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNA.mobile)) == "out_of_turn"
    assert said(house.registrations.mobiles.resend_code, visit) == "out_of_turn"


# --- A code is bound to its request (ASVS 6.6.2) ---------------------------------------------------------------------

MOBILE_FIRST = ("identifier", "mobile", "mobile_confirmed_at", "email", "email_confirmed_at", *FACTS[5:])


@pytest.fixture
def mobile_first(store: Store) -> House:
    move_in(store)
    return House(store, facts=MOBILE_FIRST)


def identified_by_mobile(house: House, browser: str | None) -> Visit:
    """Identify where the mobile is part of what is asked: the code is sent at once."""
    with house.store.write() as connection:
        connection.execute(phones.update().where(phones.c.number == ANNA.mobile).values(is_default=True))
    knows = replace(ANNA.knows, mobile=ANNA.mobile)
    begun = house.registrations.identification.identify(ANNA.policy_number, knows, "hu", browser=browser)
    assert begun.code is not None
    assert begun.code.is_elsewhere == house.see(Visit(begun.id, browser=browser)).code.is_elsewhere
    return Visit(begun.id, browser=browser)


def says_when(house: House, visit: Visit) -> bool:
    """Tell whether a browser sees that no code is to be typed, and when it can ask for one."""
    code, now = house.see(visit).code, house.clock.now()
    return not code.is_usable(now) and code.is_elsewhere and code.again_at == code.issued_at + timedelta(minutes=1)


@pytest.mark.parametrize("strangers", ["theirs", None])
def test_an_identification_elsewhere_neither_takes_a_code_nor_gets_one(
    mobile_first: House, strangers: str | None
) -> None:
    house = mobile_first
    own = identified_by_mobile(house, None if strangers is None else "own")
    code = house.code_sent(ANNA.mobile)
    other = identified_by_mobile(house, strangers)
    assert says_when(house, other)
    assert said(house.registrations.mobiles.confirm_mobile, other, code) == "sms_code.none_sent"
    assert said(house.registrations.mobiles.resend_code, other) == "sms_resend.too_early"
    assert said(house.registrations.mobiles.confirm_mobile, own, code) == "ok"
    # Used, it opens nothing for whoever identifies now.
    third = identified_by_mobile(house, strangers)
    assert says_when(house, third)
    assert said(house.registrations.mobiles.confirm_mobile, third, code) == "sms_code.none_sent"
    assert len(house.letters("sms")) == 1
    house.clock.advance(minutes=1)
    assert said(house.registrations.mobiles.resend_code, third) == "ok"
    assert said(house.registrations.mobiles.confirm_mobile, third, house.code_sent(ANNA.mobile)) == "ok"


def test_a_browser_that_begins_twice_uses_the_code_in_its_hands_once(mobile_first: House) -> None:
    house = mobile_first
    identified_by_mobile(house, "own")
    again = identified_by_mobile(house, "own")
    code = house.code_sent(ANNA.mobile)
    assert said(house.registrations.mobiles.confirm_mobile, again, code) == "ok"
    third = identified_by_mobile(house, "own")
    assert says_when(house, third)
    assert said(house.registrations.mobiles.confirm_mobile, third, code) == "sms_code.none_sent"
    assert len(house.letters("sms")) == 1


def proved_and_mailed(house: House) -> tuple[Visit, str, Visit]:
    """Return a browser that proved the mobile, its code, and the browser in which its mail was opened."""
    own = replace(house.identified(ANNA), browser="own")
    house.registrations.mobiles.choose_mobile(own, ANNA.mobile)
    code = house.code_sent(ANNA.mobile)
    house.registrations.mobiles.confirm_mobile(own, code)
    house.registrations.emails.choose_email(own, ANNA.address)
    return own, code, house.visit_by_mail(ANNA.email, "theirs")


def linked_and_proved(house: House) -> tuple[Visit, str, Visit]:
    """Return the same where the link comes before the code: both browsers have opened the mail."""
    own = house.sent_code(ANNA)
    code = house.code_sent(ANNA.mobile)
    house.registrations.mobiles.confirm_mobile(own, code)
    return own, code, replace(own, browser="theirs")


@pytest.fixture(params=["code first", "link first"])
def two_browsers(request: pytest.FixtureRequest, store: Store) -> tuple[House, Visit, str, Visit]:
    """A house, a browser that proved the mobile, its code, and another one that holds the link."""
    move_in(store)
    is_code_first = request.param == "code first"
    house = House(store, facts=MOBILE_FIRST if is_code_first else FACTS)
    return house, *(proved_and_mailed(house) if is_code_first else linked_and_proved(house))


def test_a_used_code_proves_nothing_to_another_browser_with_the_link(
    two_browsers: tuple[House, Visit, str, Visit],
) -> None:
    house, _, code, holder = two_browsers
    assert said(house.accept_terms, holder) == "out_of_turn"
    assert said(house.registrations.completion.complete, holder, PASSWORD) == "out_of_turn"
    assert said(house.registrations.mobiles.confirm_mobile, holder, code) == "sms_code.used"
    assert says_when(house, holder)
    assert said(house.registrations.mobiles.resend_code, holder) == "sms_resend.too_early"
    (row,) = house.rows(one_time_codes)
    assert row.guesses_used == 1, "nor is it tried"
    house.clock.advance(minutes=1)
    house.registrations.mobiles.resend_code(holder)
    own = house.code_sent(ANNA.mobile)
    assert said(house.registrations.mobiles.confirm_mobile, holder, own) == "ok"
    # Nor does that code serve a third browser with the same link.
    assert said(house.registrations.mobiles.confirm_mobile, replace(holder, browser="third"), own) == "sms_code.used"


def test_the_browser_that_goes_on_is_the_one_whose_code_is_newest(
    two_browsers: tuple[House, Visit, str, Visit],
) -> None:
    """A customer who confirmed on the phone goes on at the desktop; only that browser opens the account."""
    house, own, first, desktop = two_browsers
    phone = replace(desktop, browser=own.browser)
    house.accept_terms(phone)
    house.clock.advance(minutes=1)
    house.registrations.mobiles.resend_code(desktop)
    newer = house.code_sent(ANNA.mobile)
    assert said(house.registrations.mobiles.confirm_mobile, phone, first) == "out_of_turn", "a repeated post"
    assert house.see(desktop).code.tries_left == house.profile.one_time_code.tries, "costs the other browser no try"
    assert said(house.registrations.mobiles.confirm_mobile, desktop, newer) == "ok"
    assert said(house.registrations.completion.complete, phone, PASSWORD) == "out_of_turn"
    assert said(house.registrations.completion.complete, desktop, PASSWORD) == "ok"
    assert said(house.registrations.completion.complete, desktop, PASSWORD) == "ok", "a repeated post"
    assert said(house.registrations.completion.complete, phone, PASSWORD) == "already_registered"
    assert house.see(desktop).is_complete
    assert not house.see(phone).is_complete
    assert house.see(phone).is_completed_elsewhere


def test_a_browser_that_loses_its_proof_while_the_hash_is_made_opens_nothing(
    two_browsers: tuple[House, Visit, str, Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, own, _, desktop = two_browsers
    phone = replace(desktop, browser=own.browser)
    house.accept_terms(phone)
    house.clock.advance(minutes=1)
    house.registrations.mobiles.resend_code(desktop)
    newer = house.code_sent(ANNA.mobile)

    def meanwhile(name: str) -> None:
        if name == "registrations.hashed":
            house.registrations.mobiles.confirm_mobile(desktop, newer)

    monkeypatch.setattr("services.registrations.completion.reach", meanwhile)
    assert said(house.registrations.completion.complete, phone, PASSWORD) == "out_of_turn"
    assert house.accounts() == []


def test_a_code_sent_twice_by_one_browser_leads_on(two_browsers: tuple[House, Visit, str, Visit]) -> None:
    """The answer to the first got lost: the browser sends it again."""
    house, own, code, holder = two_browsers
    assert said(house.registrations.mobiles.confirm_mobile, own, code) == "out_of_turn", "what is due then is shown"
    assert house.see(own).mobile_confirmed_at
    house.clock.advance(minutes=1)
    house.registrations.mobiles.resend_code(holder)
    newer = house.code_sent(ANNA.mobile)
    for _ in range(2):
        house.registrations.records.find(holder)
        said(house.registrations.mobiles.confirm_mobile, holder, newer)
    assert house.see(holder).mobile_confirmed_at
    assert said(house.accept_terms, holder) == "ok"


def test_of_two_browsers_that_type_one_code_at_once_one_has_proved_the_mobile(mobile_first: House) -> None:
    house = mobile_first
    _, _, holder = proved_and_mailed(house)
    house.clock.advance(minutes=1)
    house.registrations.mobiles.resend_code(holder)
    code = house.code_sent(ANNA.mobile)
    browsers = [replace(holder, browser=f"number {number}") for number in range(3)]
    answers = at_once([partial(said, house.registrations.mobiles.confirm_mobile, one, code) for one in browsers])
    assert sorted(answers) == ["ok", "sms_code.used", "sms_code.used"]
    assert sum(house.see(one).mobile_confirmed_at is not None for one in browsers) == 1


# --- What does not arrive -------------------------------------------------------------------------------------------


def test_an_undelivered_code_uses_up_no_resend_and_no_wait(house: House) -> None:
    visit = house.linked(ANNA)
    house.postman.is_refusing = True
    for _ in range(house.profile.one_time_code.codes + 2):
        house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
        house.deliver()
        code = house.see(visit).code
        assert (code.is_undelivered, code.codes_left(house.clock.now())) == (True, house.profile.one_time_code.codes)
    house.postman.is_refusing = False
    assert said(house.registrations.mobiles.resend_code, visit) == "ok"
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNA.mobile)) == "ok"
    assert len(house.letters("sms")) == 1


def test_a_gateway_that_takes_a_code_and_breaks_off_has_the_code_count(house: House) -> None:
    visit = house.linked(ANNA)
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    house.postman.is_breaking_off = True
    answers = []
    for _ in range(house.profile.one_time_code.codes + 2):
        house.deliver()
        house.clock.advance(seconds=2)
        house.deliver()  # the second and last time that it may arrive
        answers.append(said(house.registrations.mobiles.resend_code, visit))
    house.postman.is_breaking_off = False
    assert answers == ["ok", "ok", "sms_resend.used_up", "sms_resend.used_up", "sms_resend.used_up"]
    assert len(house.letters("sms")) == 2 * house.profile.one_time_code.codes
    assert house.see(visit).code.is_undelivered
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNA.mobile)) == "ok"


def test_a_code_that_has_not_left_yet_is_replaced_and_does_not_count(house: House) -> None:
    visit = house.linked(ANNA)
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    house.registrations.mobiles.resend_code(visit)
    assert len(house.letters("sms")) == 1
    assert house.see(visit).code.codes_left(house.clock.now()) == house.profile.one_time_code.codes - 1
    assert said(house.registrations.mobiles.resend_code, visit) == "sms_resend.too_early"


def test_codes_that_have_not_left_use_up_nothing_by_whichever_door(house: House) -> None:
    """Nothing is delivered: each time the number is given again the older code waits still."""
    visit = house.linked(ANNA)
    for mobile in (ANNA.mobile, ANNA.mobile, ANNAS_OTHER_MOBILE, ANNA.mobile):
        house.clock.advance(minutes=1)
        assert said(house.registrations.mobiles.choose_mobile, visit, mobile) == "ok"
        assert house.see(visit).code.codes_left(house.clock.now()) == house.profile.one_time_code.codes - 1
    assert said(house.registrations.mobiles.choose_mobile, visit, ANNAS_OTHER_MOBILE) == "ok", "nor does it wait"
    assert [letter.to for letter in house.letters("sms")] == [ANNAS_OTHER_MOBILE]
    assert said(house.registrations.mobiles.confirm_mobile, visit, house.code_sent(ANNAS_OTHER_MOBILE)) == "ok"


def test_nobody_elses_registration_takes_back_a_code_that_has_not_left_yet(house: House) -> None:
    first = house.linked(ANNA)
    other = house.linked(ANNA)
    house.registrations.mobiles.choose_mobile(first, ANNA.mobile)
    assert said(house.registrations.mobiles.choose_mobile, other, ANNA.mobile) == "sms_resend.too_early"
    assert said(house.registrations.mobiles.confirm_mobile, first, house.code_sent(ANNA.mobile)) == "ok"


def test_a_tax_payer_whose_record_lacks_the_part_after_the_hyphen_can_register(house: House) -> None:
    assert identify(house, GABOR) == "ok"


# --- Terms ----------------------------------------------------------------------------------------------------


def test_the_terms_in_force_must_have_been_opened(house: House) -> None:
    visit = house.confirmed(ANNA)
    assert said(house.registrations.consents.accept_terms, visit) == "terms.not_opened"
    house.registrations.consents.open_terms(visit, "2019-1")
    assert said(house.registrations.consents.accept_terms, visit) == "terms.replaced"
    assert said(house.accept_terms, visit) == "ok"
    assert said(house.registrations.consents.accept_terms, visit) == "out_of_turn"


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
def own_house(house: House) -> House:
    """A house whose journey asks a question of its own in each half."""
    return House(house.store, facts=OWN)


def test_what_a_profiles_own_step_asked_is_kept_with_the_account(own_house: House) -> None:
    house = own_house
    visit = house.identified(ANNA)
    assert said(house.registrations.emails.choose_email, visit, ANNA.address) == "out_of_turn"
    house.registrations.consents.record(visit, "region", {"name": "Észak"})
    house.registrations.emails.choose_email(visit, ANNA.address)
    assert said(house.registrations.consents.record, visit, "consents", {"marketing": False}) == "out_of_turn"
    linked = house.visit_by_mail(ANNA.email)
    assert said(house.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "out_of_turn"
    house.registrations.consents.record(linked, "consents", {"marketing": False})
    house.registrations.mobiles.choose_mobile(linked, ANNA.mobile)
    house.registrations.mobiles.confirm_mobile(linked, house.code_sent(ANNA.mobile))
    house.accept_terms(linked)
    house.registrations.completion.complete(linked, PASSWORD)
    assert house.accounts()[0].answers == {"region": {"name": "Észak"}, "consents": {"marketing": False}}


def test_a_new_link_drops_the_answers_given_after_the_address_and_keeps_those_before(own_house: House) -> None:
    house = own_house
    visit = house.identified(ANNA)
    house.registrations.consents.record(visit, "region", {"name": "Észak"})
    house.registrations.emails.choose_email(visit, ANNA.address)
    house.registrations.consents.record(house.visit_by_mail(ANNA.email), "consents", {"marketing": True})
    house.registrations.emails.choose_email(visit, parse(NEW_ADDRESS))
    linked = house.visit_by_mail(NEW_ADDRESS)
    assert house.see(linked).answers == {"region": {"name": "Észak"}}
    assert said(house.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "out_of_turn"


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
def test_a_password_against_the_rules_opens_no_account(house: House, password: str, reason: str) -> None:
    visit = house.accepted(ANNA)
    assert said(house.registrations.completion.complete, visit, password) == f"password.{reason}"
    assert house.accounts() == []
    assert said(house.registrations.completion.complete, visit, PASSWORD) == "ok"


def test_the_last_step_replayed_changes_nothing(house: House) -> None:
    visit = house.registered(ANNA)
    before = house.accounts()
    house.clock.advance(minutes=5)
    assert house.registrations.completion.complete(visit, "Egeszen-Mas-2032").is_complete
    assert house.accounts() == before
    assert len(house.letters("email")) == 2


def test_after_the_account_every_other_verb_is_out_of_turn(house: House) -> None:
    visit = house.registered(ANNA)
    house.clock.advance(minutes=2)
    every = verbs(house, visit)
    del every["complete"]
    assert {said(verb) for verb in every.values()} == {"out_of_turn"}


def test_another_registration_of_a_registered_customer_ends(house: House) -> None:
    other = house.accepted(ANNA)
    house.clock.advance(minutes=2)
    house.registrations.emails.choose_email(house.identified(ANNA), parse(NEW_ADDRESS))
    winner = house.visit_by_mail(NEW_ADDRESS)
    house.registrations.mobiles.choose_mobile(winner, ANNA.mobile)
    house.registrations.mobiles.confirm_mobile(winner, house.code_sent(ANNA.mobile))
    house.accept_terms(winner)
    house.registrations.completion.complete(winner, PASSWORD)
    house.clock.advance(minutes=2)
    assert {said(verb) for verb in verbs(house, other).values()} == {"already_registered"}
    assert len(house.accounts()) == 1


def test_a_link_that_waits_does_not_leave_once_it_has_died_with_the_account(house: House) -> None:
    visit = house.accepted(ANNA)
    for email in ("second@example.hu", "third@example.hu"):
        house.registrations.emails.choose_email(house.identified(ANNA), parse(email))
    house.mailed(ESZTER)
    house.registrations.completion.complete(visit, PASSWORD)
    assert {letter.to for letter in house.letters("email")} == {ANNA.email, ESZTER.email}
    assert house.told("registered", ANNA.email) == 1


def test_a_second_copy_of_the_link_does_not_leave_once_it_was_used(house: House) -> None:
    """The mail server broke off after it had it all: whether it arrived is not known."""
    house.postman.is_breaking_off = True
    house.mailed(ANNA)
    visit = house.visit_by_mail(ANNA.email)
    house.postman.is_breaking_off = False
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    house.registrations.mobiles.confirm_mobile(visit, house.code_sent(ANNA.mobile))
    house.accept_terms(visit)
    house.registrations.completion.complete(visit, PASSWORD)
    house.clock.advance(minutes=1)
    assert house.told("confirm", ANNA.email) == 1


def test_the_same_address_for_two_customers_the_second_is_asked_for_another(house: House) -> None:
    anna = house.accepted(ANNA)
    eszter = house.identified(ESZTER)
    house.registrations.emails.choose_email(eszter, ANNA.address)
    eszter = house.visit_by_mail(ANNA.email)
    house.registrations.mobiles.choose_mobile(eszter, ESZTER.mobile)
    house.registrations.mobiles.confirm_mobile(eszter, house.code_sent(ESZTER.mobile))
    house.accept_terms(eszter)
    house.registrations.completion.complete(anna, PASSWORD)
    assert said(house.registrations.completion.complete, eszter, PASSWORD) == "email.taken"
    seen = house.see(eszter)
    assert [fact for fact in FACTS if seen.has(fact)] == ["identifier"]
    assert said(house.registrations.emails.choose_email, eszter, ESZTER.address) == "ok"
    with house.store.read() as connection:
        assert len(connection.execute(accounts.select()).all()) == 1
