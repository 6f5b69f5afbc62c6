"""What staff do together with a customer: contact data, the read-back, what got stuck; on both databases."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from services.profiles import Profile
from services.refusal import Refusal
from services.register.contact_changes import contact_changes
from services.registrations import Access
from services.retention import Tidying
from services.staff import StaffSession
from services.store.engine import Store
from services.store.tables.accounts import accounts, activations, password_resets, sessions
from services.store.tables.audit import audit
from services.store.tables.codes import one_time_codes
from services.store.tables.messages import outbox
from services.store.tables.register import contact_changes as table
from services.store.tables.register import customers
from services.store.tables.registrations import registrations
from services.store.tables.staff import staff_cases
from services.values import email_addresses
from tests.world.cast import (
    ANNA,
    ANNAS_OTHER_MOBILE,
    ESZTER,
    GABOR,
    ILONA,
    ILONAS_LANDLINE,
    LAPTOP,
    LASZLO,
    PASSWORD,
    PETER,
    Customer,
)
from tests.world.outcomes import at_once, outcome_of, wrong_code
from tests.world.world import FACTS, PROFILE, World, move_in

NEW = "+36209998877"
ILONAS = email_addresses.parse("ilona@example.hu")


def with_code_rules(**rules: int) -> Profile:
    return PROFILE.model_copy(update={"one_time_code": PROFILE.one_time_code.model_copy(update=rules)})


def record(world: World, session: StaffSession, case_id: str, mobile: str = NEW, address=ILONAS) -> str:
    return outcome_of(world.contacts.record, session, case_id, address, mobile, "hu")


def started(world: World, session: StaffSession, person: Customer = ILONA, mobile: str = NEW, address=ILONAS) -> str:
    """Return a case whose code was sent."""
    case_id = world.case(session, person)
    assert record(world, session, case_id, mobile, address) == "ok"
    return case_id


def begun(world: World, session: StaffSession, person: Customer = ILONA, mobile: str = NEW, address=ILONAS) -> str:
    """Return a case whose code was read back."""
    case_id = started(world, session, person, mobile, address)
    world.contacts.check_code(session, case_id, world.code_sent(mobile))
    return case_id


def walk_on(world: World, access: Access, mobile: str = NEW) -> None:
    world.registrations.mobiles.choose_mobile(access, mobile)
    world.registrations.mobiles.confirm_mobile(access, world.code_sent(mobile))
    world.accept_terms(access)
    world.registrations.completion.complete(access, PASSWORD)


def events(world: World, session: StaffSession, case_id: str) -> list[str]:
    file = world.customer_files.of(world.cases.case(session, case_id))
    return [event.what for event in reversed(file.events)]


def test_who_has_no_mobile_registers_with_customer_service(world: World) -> None:
    assert outcome_of(world.identified, ILONA) == "identify.no_mobile"
    session = world.member()
    begun(world, session)
    (mail,) = world.letters("email")
    assert (mail.to, mail.subject) == (ILONAS.typed, "Fejezze be regisztrációját")
    access = world.access_by_mail(ILONAS.typed)
    seen = world.see(access)
    assert seen.is_assisted
    # The customer does what the document lists: mobile, code, terms, password (M5); the next code needs no wait.
    assert (seen.email, seen.mobile, seen.mobile_confirmed_at) == (ILONAS.typed, None, None)
    walk_on(world, access)
    (account,) = world.accounts()
    assert (account.kutid, account.email, account.mobile) == (ILONA.kutid, ILONAS.typed, NEW)
    assert world.deeds(session) == [
        "searched", "viewed", "identified", "code_sent", "email_recorded", "mobile_recorded", "registered_with",
    ]  # fmt: skip


def test_the_language_that_staff_gave_lasts_until_the_customer_goes_on_in_another(world: World) -> None:
    session = world.member()
    case_id = begun(world, session)
    access = replace(world.access_by_mail(ILONAS.typed), language="en")
    world.see(access)
    assert [row.language for row in world.rows(registrations)] == ["hu"]
    world.registrations.mobiles.choose_mobile(access, NEW)
    world.clock.advance(minutes=1)
    world.stuck_registrations.mail_again(session, case_id)
    subjects = [letter.subject for letter in world.letters("email", ILONAS.typed)]
    assert subjects == [world.profile.texts.say("mail.assisted.subject", language) for language in ("hu", "en")]


def test_a_change_counts_at_once_and_is_an_event_for_the_insurers_system(world: World) -> None:
    session = world.member()
    begun(world, session)
    changes = list(contact_changes(world.store))
    assert [(one.kind, one.before, one.after, one.actor) for one in changes] == [
        ("email", "", ILONAS.typed, session.member.id),
        ("mobile", ILONAS_LANDLINE, NEW, session.member.id),
    ]
    assert {one.at for one in changes} == {world.clock.now()}
    assert list(contact_changes(world.store, after=changes[0].id)) == changes[1:]
    # By themselves, too, she gets on now.
    world.clock.advance(minutes=1)
    access = world.mailed(replace(ILONA, email="masik@example.hu"))
    access = world.access_by_mail("masik@example.hu")
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, ILONAS_LANDLINE) == "mobile.not_on_record"
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, NEW) == "ok"


@pytest.mark.parametrize(
    ("on_record", "events_of_email"), [("Ilona@Example.hu", []), ("regi@example.hu", ["regi@example.hu"])]
)
def test_an_address_that_the_register_has_is_no_change(
    world: World, on_record: str, events_of_email: list[str]
) -> None:
    with world.store.write() as connection:
        connection.execute(customers.update().where(customers.c.kutid == ILONA.kutid).values(email=on_record))
    session = world.member()
    case_id = begun(world, session)
    changes = list(contact_changes(world.store))
    assert [one.before for one in changes if one.kind == "email"] == events_of_email
    # What was recorded last is what is known from now on.
    known = ILONAS.typed if events_of_email else on_record
    assert world.customer_files.of(world.cases.case(session, case_id)).email == known


def test_what_is_on_record_already_is_no_change(world: World) -> None:
    session = world.member()
    begun(world, session, ANNA, ANNAS_OTHER_MOBILE, ANNA.address)
    assert [one.kind for one in contact_changes(world.store)] == ["email"]


def test_a_mobile_that_is_recorded_again_after_another_is_the_one_that_counts(world: World) -> None:
    """An import that brings the one between must not end it (services.register.importing.merging)."""
    other = "+36209998866"
    for mobile in (NEW, NEW, other, NEW):
        begun(world, world.member(), ILONA, mobile)
        world.clock.advance(days=1)
    assert [one.after for one in contact_changes(world.store) if one.kind == "mobile"] == [NEW, other, NEW]


def test_nothing_counts_before_the_code_is_read_back(world: World) -> None:
    session = world.member()
    case_id = started(world, session)
    assert outcome_of(world.contacts.check_code, session, case_id, wrong_code(world.code_sent(NEW))) == "sms_code.wrong"
    assert "refused" in events(world, session, case_id)
    assert world.letters("email") == []
    assert world.count(table) == 0
    assert world.count(registrations) == 0
    assert outcome_of(world.identified, ILONA) == "identify.no_mobile"


def test_nothing_happens_without_an_identification(world: World) -> None:
    session = world.member()
    case_id = world.search.search(session, ILONA.policy_number)
    assert case_id is not None
    assert record(world, session, case_id) == "out_of_turn"
    for verb in (world.contacts.resend_code, world.stuck_registrations.mail_again, world.account_help.ask_for_reset):
        assert outcome_of(verb, session, case_id) == "out_of_turn"
    assert world.letters("sms") == []


@pytest.mark.parametrize("person", [PETER, ESZTER])
def test_who_may_not_register_may_not_with_staff_either(world: World, person: Customer) -> None:
    if person is ESZTER:
        world.registered(ESZTER)
    session = world.member()
    assert record(world, session, world.case(session, person)) == "out_of_turn"


def test_another_customers_address_is_refused(world: World) -> None:
    world.registered(ANNA)
    session = world.member()
    case_id = world.case(session, ILONA)
    assert record(world, session, case_id, address=ANNA.address) == "email.taken"
    assert world.letters("sms", NEW) == []


def test_an_address_that_was_taken_while_the_code_was_read_back(world: World) -> None:
    session = world.member()
    case_id = started(world, session, address=ANNA.address)
    world.registered(ANNA)
    assert outcome_of(world.contacts.check_code, session, case_id, world.code_sent(NEW)) == "email.taken"
    assert [one.kind for one in contact_changes(world.store)] == []


@pytest.mark.parametrize("first", ["=", "+", "-", "＝"])
def test_an_address_that_a_spreadsheet_would_take_for_a_formula_is_not_recorded(world: World, first: str) -> None:
    """The insurer gets addresses as they are (`belepo export contact-changes`), and somebody may open the file."""
    formula = email_addresses.parse(f"{first}cmd|'/Ccalc'!A0@evil.hu")
    for by in (world.member(), world.client()):
        case_id = world.case(by, ILONA)
        assert record(world, by, case_id, address=formula) == "email.first_sign"
        assert world.deeds(by)[-1] == "refused"
    assert world.letters("sms") == []
    assert world.count(one_time_codes) == 0


def test_that_an_address_is_taken_is_told_a_few_times_and_stands_in_the_trail(world: World) -> None:
    world.registered(ANNA)
    session = world.member()
    case_id = world.case(session, ILONA)
    limit = world.profile.registration.mails_an_hour
    answers = [record(world, session, case_id, address=ANNA.address) for _ in range(limit + 1)]
    assert answers == ["email.taken"] * limit + ["email.too_many"]
    # From then on an address that is free is answered like one that is taken.
    assert record(world, session, case_id) == "email.too_many"
    assert world.deeds(session).count("refused") == limit + 2
    assert world.letters("sms", NEW) == []
    world.clock.moment += world.profile.registration.lifetime
    again = world.member()
    assert record(world, again, world.case(again, ILONA)) == "ok"


def test_whoever_asks_through_many_customers_is_told_so_many_times_a_day(store: Store) -> None:
    move_in(store)
    rules = PROFILE.registration.model_copy(update={"taken_a_day_by_one": 8})
    world = World(store, profile=PROFILE.model_copy(update={"registration": rules}))
    world.registered(ANNA)
    session, colleague, boss = world.member(), world.member(name="Tóth Béla"), world.member("supervisor")
    answers = []
    for person in (ILONA, ESZTER):
        case_id = world.case(session, person)
        answers += [record(world, session, case_id, address=ANNA.address) for _ in range(rules.mails_an_hour)]
    assert answers == ["email.taken"] * 8 + ["email.unanswered"] * 4
    # Taken or free: the same answer, and the same moment in it.
    untold = world.case(session, GABOR)
    moments = set()
    for address in (ANNA.address, ILONAS, ANNA.address, ILONAS):
        with pytest.raises(Refusal) as refused:
            world.contacts.record(session, untold, address, NEW, "hu")
        moments.add((refused.value.reason, refused.value.facts["at"]))
    assert len(moments) == 1
    assert record(world, colleague, world.case(colleague, GABOR), address=ANNA.address) == "email.taken"
    for _ in range(10):
        assert record(world, boss, world.case(boss, LASZLO), address=ILONAS) in ("ok", "sms_resend.too_early")


# --- Floods ---------------------------------------------------------------------------------------------------------


def test_one_number_gets_so_many_codes_an_hour_whoever_the_customers_are(world: World) -> None:
    session, limit = world.member(), world.profile.one_time_code.an_hour_to_a_number
    answers = []
    for person in (ILONA, ESZTER, LASZLO):
        case_id = world.case(session, person)
        for _ in range(world.profile.one_time_code.codes):
            answers.append(record(world, session, case_id))
            world.clock.advance(minutes=1)
    assert answers == ["ok"] * limit + ["mobile.too_many"] * (len(answers) - limit)
    assert Counter(world.deeds(session)) >= Counter(code_sent=limit, refused=len(answers) - limit)
    # What was refused has cost the customer nothing.
    assert record(world, session, case_id, mobile=ANNAS_OTHER_MOBILE) == "ok"
    world.clock.advance(hours=1)
    again = world.member()
    assert record(world, again, world.case(again, LASZLO)) == "ok"


def test_a_code_in_place_of_one_that_did_not_arrive_is_not_counted_again(world: World) -> None:
    session, limit = world.member(), world.profile.one_time_code.an_hour_to_a_number
    case_id = started(world, session)
    for _ in range(limit + 2):  # none of them leaves: each is sent in place of the one before
        world.clock.advance(minutes=1)
        world.contacts.resend_code(session, case_id)
    world.postman.is_refusing = True
    world.deliver()
    for _ in range(limit):
        world.clock.advance(minutes=1)
        world.contacts.resend_code(session, case_id)
        world.deliver()
    world.postman.is_refusing = False
    world.clock.advance(minutes=1)
    world.contacts.resend_code(session, case_id)
    assert len(world.letters("sms", NEW)) == 1


def test_a_code_for_another_number_counts_for_that_one_though_the_first_never_left(world: World) -> None:
    """Else whoever records a number of their own first could flood another one."""
    session, limit = world.member(), world.profile.one_time_code.an_hour_to_a_number
    case_id, answers = world.case(session, ILONA), []
    for number in range(limit + 1):
        assert record(world, session, case_id, f"+3630111000{number}") == "ok"
        world.contacts.change_record(session, case_id)
        answers.append(record(world, session, case_id))
    assert answers == ["ok"] * limit + ["mobile.too_many"]


def test_one_asker_has_so_many_codes_sent_a_day(store: Store) -> None:
    move_in(store)
    world = World(store, profile=with_code_rules(a_day_by_one=2))
    session, colleague = world.member(), world.member(name="Tóth Béla")
    people = {ILONA: NEW, ESZTER: "+36209998878", LASZLO: "+36209998879"}
    answers = [record(world, session, world.case(session, person), mobile) for person, mobile in people.items()]
    assert answers == ["ok", "ok", "sms.share_used"]
    assert record(world, colleague, world.case(colleague, LASZLO), people[LASZLO]) == "ok"
    world.clock.advance(days=1)
    again = world.member()
    assert record(world, again, world.case(again, LASZLO), people[LASZLO]) == "ok"


# --- Whoever is on record -------------------------------------------------------------------------------------------


def test_the_text_message_says_that_the_code_is_to_be_read_out(world: World) -> None:
    started(world, world.member())
    (sms,) = world.letters("sms", NEW)
    assert "olvassa fel" in sms.text
    assert "@" not in sms.text  # no page is offered a code that belongs to a call


def test_a_code_that_was_not_delivered_costs_nothing(world: World) -> None:
    session = world.member()
    world.postman.is_refusing = True
    case_id = started(world, session)
    world.deliver()
    code = world.contacts.code_of(world.cases.case(session, case_id))
    assert code is not None
    assert (code.is_undelivered, code.codes_left(world.clock.now())) == (True, world.profile.one_time_code.codes)


def test_an_address_and_a_mobile_on_record_are_told_that_others_count_now(world: World) -> None:
    with world.store.write() as connection:
        connection.execute(customers.update().where(customers.c.kutid == ANNA.kutid).values(email="regi@example.hu"))
    session = world.member()
    case_id = started(world, session, ANNA)
    assert world.letters("email") == []
    world.contacts.check_code(session, case_id, world.code_sent(NEW))
    (mail,) = world.letters("email", "regi@example.hu")
    assert mail.subject == world.profile.texts.say("mail.other_contact.subject", "hu")
    assert ILONAS.typed not in mail.text
    texts = [letter for letter in world.letters("sms") if letter.to != NEW]
    assert {letter.to for letter in texts} == {ANNA.mobile, ANNAS_OTHER_MOBILE}
    assert all(world.profile.contact.phone[-4:] in letter.text.replace(" ", "") for letter in texts)


def test_nobody_is_told_of_what_is_on_record_already_and_no_landline_gets_a_text(world: World) -> None:
    session = world.member()
    begun(world, session, ANNA, ANNAS_OTHER_MOBILE)
    begun(world, session, ILONA, NEW, email_addresses.parse("mas@example.hu"))
    assert {letter.to for letter in world.letters("sms")} == {ANNAS_OTHER_MOBILE, NEW}


# --- The customer's one budget --------------------------------------------------------------------------------------


def test_guesses_and_codes_are_the_customers_own_through_every_door(world: World) -> None:
    rules = world.profile.one_time_code
    session = world.member()
    access = world.sent_code(ANNA)
    for _ in range(rules.tries):
        outcome_of(world.registrations.mobiles.confirm_mobile, access, wrong_code(world.code_sent(ANNA.mobile)))
    case_id = world.case(session, ANNA)
    assert record(world, session, case_id, address=ANNA.address) == "sms_resend.too_early"
    for _ in range(rules.codes - 1):
        world.clock.advance(minutes=1)
        assert record(world, session, case_id, address=ANNA.address) == "ok"
        for left in range(rules.tries - 1, -1, -1):
            answer = outcome_of(world.contacts.check_code, session, case_id, wrong_code(world.code_sent(NEW)))
            assert answer in ("sms_code.wrong", "codes_used_up"), left
    world.clock.advance(minutes=1)
    assert record(world, session, case_id, address=ANNA.address) == "codes_used_up"
    assert outcome_of(world.registrations.mobiles.resend_code, access) == "codes_used_up"
    (row,) = world.rows(one_time_codes)
    assert (row.codes_used, row.guesses_used) == (rules.codes, rules.guesses)


def test_the_same_again_sends_nothing_and_another_number_waits(world: World) -> None:
    session = world.member()
    case_id = started(world, session)
    assert record(world, session, case_id) == "ok"
    assert len(world.letters("sms")) == 1
    assert record(world, session, case_id, "+36301110000") == "sms_resend.too_early"
    assert outcome_of(world.contacts.resend_code, session, case_id) == "sms_resend.too_early"
    world.clock.advance(minutes=1)
    old = world.code_sent(NEW)
    world.contacts.resend_code(session, case_id)
    assert len(world.letters("sms")) == 2
    if world.code_sent(NEW) != old:
        assert outcome_of(world.contacts.check_code, session, case_id, old) == "sms_code.wrong"
    world.clock.advance(minutes=1)
    world.contacts.change_record(session, case_id)
    assert outcome_of(world.contacts.check_code, session, case_id, world.code_sent(NEW)) == "out_of_turn"
    assert record(world, session, case_id, "+36301110000") == "ok"
    world.contacts.check_code(session, case_id, world.code_sent("+36301110000"))
    assert [one.after for one in contact_changes(world.store)] == [ILONAS.typed, "+36301110000"]


def test_a_code_sent_at_home_is_no_use_at_the_desk_nor_the_other_way_round(world: World) -> None:
    session = world.member()
    case_id = started(world, session, ANNA, ANNA.mobile, ANNA.address)
    at_desk = world.code_sent(ANNA.mobile)
    access = world.linked(ANNA)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, at_desk) != "ok"
    world.clock.advance(minutes=1)
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    at_home = world.code_sent(ANNA.mobile)
    assert outcome_of(world.contacts.check_code, session, case_id, at_home) == "sms_code.none_sent"
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, at_home) == "ok"


def test_a_new_allowance_is_for_supervisors_with_a_reason_and_twice_a_day(world: World) -> None:
    rules = world.profile.one_time_code
    session, boss = world.member(), world.member("supervisor", "Fehér Judit")
    case_id, theirs = started(world, session), world.case(boss, ILONA)
    assert (
        outcome_of(world.stuck_registrations.give_new_budget, session, case_id, "elromlott") == "reason.not_supervisor"
    )
    refused = {"": "empty", "x" * 201: "too_long", "06 20 123 4567": "personal", "a@b.hu": "personal"}
    for reason, answer in refused.items():
        assert outcome_of(world.stuck_registrations.give_new_budget, boss, theirs, reason) == f"reason.{answer}"
    for _ in range(2):
        for _ in range(rules.codes - 1):
            world.deliver()
            world.clock.advance(minutes=1)
            world.contacts.resend_code(session, case_id)
        world.deliver()
        world.clock.advance(minutes=31)
        assert outcome_of(world.contacts.resend_code, session, case_id) == "codes_used_up"
        world.cases.identify(session, case_id, "call")
        world.cases.identify(boss, theirs, "call")
        world.stuck_registrations.give_new_budget(boss, theirs, "Az SMS-szolgáltató akadozott")
        assert outcome_of(world.stuck_registrations.give_new_budget, boss, theirs, "még egyszer") == "out_of_turn"
        assert outcome_of(world.contacts.resend_code, session, case_id) == "ok"
    assert outcome_of(world.stuck_registrations.give_new_budget, boss, theirs, "harmadszor") == "reason.too_often"
    assert world.deeds(boss).count("budget_renewed") == 2


def test_with_a_new_allowance_an_older_code_that_waits_does_not_leave_for_another_number(world: World) -> None:
    session, boss = world.member(), world.member("supervisor", "Fehér Judit")
    case_id, theirs = started(world, session), world.case(boss, ILONA)
    world.stuck_registrations.give_new_budget(boss, theirs, "Elírtuk a számot")
    world.clock.advance(minutes=1)
    assert record(world, session, case_id, mobile=ANNAS_OTHER_MOBILE) == "ok"
    assert {letter.to for letter in world.letters("sms")} == {ANNAS_OTHER_MOBILE}


def test_with_a_new_allowance_the_customers_older_code_that_waits_does_not_leave(world: World) -> None:
    boss, access = world.member("supervisor", "Fehér Judit"), world.sent_code(ANNA)
    world.stuck_registrations.give_new_budget(boss, world.case(boss, ANNA), "Akadozik az SMS-szolgáltató")
    world.clock.advance(minutes=1)
    world.registrations.mobiles.resend_code(access)
    assert len(world.letters("sms")) == 1
    world.registrations.mobiles.confirm_mobile(access, world.code_sent(ANNA.mobile))


# --- At once ---------------------------------------------------------------------------------------------------------


def test_of_guesses_at_once_at_most_the_tries_left_are_looked_at(world: World) -> None:
    session = world.member()
    case_id = started(world, session)
    wrong = wrong_code(world.code_sent(NEW))
    at_once([partial(outcome_of, world.contacts.check_code, session, case_id, wrong)] * 20)
    (row,) = world.rows(one_time_codes)
    assert (row.tries_left, row.guesses_used) == (0, world.profile.one_time_code.tries)
    assert outcome_of(world.contacts.check_code, session, case_id, world.code_sent(NEW)) == "sms_code.wrong"


def test_the_right_code_many_times_at_once_begins_one_registration(world: World) -> None:
    session = world.member()
    case_id = started(world, session)
    found = at_once([partial(outcome_of, world.contacts.check_code, session, case_id, world.code_sent(NEW))] * 8)
    assert found.count("ok") == 1
    assert set(found) <= {"ok", "out_of_turn", "sms_code.wrong"}
    assert world.count(registrations) == 1
    assert len(world.letters("email")) == 1
    assert world.count(table) == 2


def test_two_members_at_once_send_one_code(world: World) -> None:
    sessions = [world.member(), world.member()]
    cases = [world.case(session, ILONA) for session in sessions]
    numbers = (NEW, "+36301110000")
    found = at_once([
        partial(record, world, session, case_id, number)
        for session, case_id, number in zip(sessions, cases, numbers, strict=True)
    ])  # fmt: skip
    assert sorted(found) == ["ok", "sms_resend.too_early"]
    assert len(world.letters("sms")) == 1


def test_one_customer_registers_at_two_desks_and_has_one_account(world: World) -> None:
    accesses = []
    for address in (ILONAS, email_addresses.parse("masik@example.hu")):
        world.clock.advance(minutes=1)
        begun(world, world.member(), address=address)
        accesses.append(world.access_by_mail(address.typed))
    walk_on(world, accesses[0])
    assert outcome_of(world.registrations.mobiles.choose_mobile, accesses[1], NEW) == "already_registered"
    assert len(world.accounts()) == 1


# --- What got stuck ---------------------------------------------------------------------------------------------------


def test_a_registration_from_the_web_is_mailed_again_and_ended(world: World) -> None:
    access = world.mailed(ANNA)
    session = world.member()
    case_id = world.case(session, ANNA)
    assert outcome_of(world.stuck_registrations.mail_again, session, case_id) == "email.resend_too_early"
    world.clock.advance(minutes=1)
    older = world.access_by_mail(ANNA.email)
    world.stuck_registrations.mail_again(session, case_id)
    assert [letter.subject for letter in world.letters("email")] == ["Erősítse meg email-címét"] * 2
    assert world.registrations.records.find(older) is None
    linked = world.access_by_mail(ANNA.email)
    assert outcome_of(world.stuck_registrations.end, session, case_id, "") == "reason.empty"
    assert outcome_of(world.stuck_registrations.end, session, case_id, "Rossz címre kérte") == "ok"
    assert outcome_of(world.stuck_registrations.end, session, case_id, "Rossz címre kérte") == "out_of_turn"
    for mine in (access, linked):
        assert outcome_of(world.registrations.mobiles.choose_mobile, mine, ANNA.mobile) == "ended_by_staff"
    assert outcome_of(world.stuck_registrations.mail_again, session, case_id) == "out_of_turn"
    assert world.identified(ANNA)


@pytest.mark.parametrize("is_ended", [True, False])
def test_what_was_recorded_is_recorded_anew_once_its_registration_is_over(world: World, is_ended: bool) -> None:
    session = world.member()
    case_id = begun(world, session, address=email_addresses.parse("ilnoa@example.hu"))
    old = world.access_by_mail("ilnoa@example.hu")
    assert record(world, session, case_id) == "out_of_turn"
    if is_ended:
        world.stuck_registrations.end(session, case_id, "Elírtuk a címet")
    else:
        world.clock.advance(hours=1)
        world.cases.identify(session, case_id, "call")
    assert record(world, session, case_id) == "ok"
    # What was read back before stands for nothing now.
    assert outcome_of(world.contacts.check_code, session, case_id, wrong_code(world.code_sent(NEW))) == "sms_code.wrong"
    world.contacts.check_code(session, case_id, world.code_sent(NEW))
    assert record(world, session, case_id) == "out_of_turn"
    walk_on(world, world.access_by_mail(ILONAS.typed))
    assert outcome_of(world.registrations.mobiles.choose_mobile, old, NEW) != "ok"
    assert [account.email for account in world.accounts()] == [ILONAS.typed]
    assert record(world, session, case_id) == "out_of_turn"


def test_a_mail_that_waits_does_not_leave_after_the_end(world: World) -> None:
    world.mailed(ANNA)
    session = world.member()
    world.stuck_registrations.end(session, world.case(session, ANNA), "Mégsem kéri")
    assert world.letters("email") == []


def test_who_has_registered_has_nothing_to_end(world: World) -> None:
    world.registered(ANNA)
    session = world.member()
    case_id = world.case(session, ANNA)
    assert outcome_of(world.stuck_registrations.end, session, case_id, "Mégsem kéri") == "out_of_turn"
    assert outcome_of(world.stuck_registrations.mail_again, session, case_id) == "out_of_turn"
    assert world.accounts()


def test_the_timeline_tells_what_happened_in_order(world: World) -> None:
    access = world.sent_code(ANNA)
    world.deliver()
    world.clock.advance(seconds=5)
    assert (
        outcome_of(world.registrations.mobiles.confirm_mobile, access, wrong_code(world.code_sent(ANNA.mobile)))
        == "sms_code.wrong"
    )
    world.clock.advance(seconds=5)
    world.registrations.records.note_refusal(access, "sms_code", "wrong")
    world.clock.advance(seconds=5)
    session = world.member()
    case_id = world.case(session, ANNA)
    told = events(world, session, case_id)
    assert sorted(told[:5]) == ["identified", "link_opened", "mail_sent", "sms_sent", "started"]
    assert (told[5], sorted(told[6:])) == ("refused", ["identified_by", "viewed"])
    file = world.customer_files.of(world.cases.case(session, case_id))
    assert file.code is not None
    assert file.code.tries_left == world.profile.one_time_code.tries - 1
    texts = repr(file.events)
    assert ANNA.mobile not in texts
    assert ANNA.email not in texts
    world.clock.advance(hours=2)
    world.cases.identify(session, case_id, "call")
    assert "expired" in events(world, session, case_id)


def test_refusals_are_kept_a_few_times_an_hour(world: World) -> None:
    access = world.linked(ANNA)
    for _ in range(40):
        world.registrations.records.note_refusal(access, "mobile", "not_on_record")
    world.registrations.records.note_refusal(Access("no such registration"), "mobile", "not_on_record")
    session = world.member()
    assert events(world, session, world.case(session, ANNA)).count("refused") == 20


def test_what_did_not_arrive_is_told(world: World) -> None:
    session = world.member()
    world.postman.is_refusing = True
    case_id = started(world, session)
    assert "sms_waiting" in events(world, session, case_id)
    world.deliver()
    assert "sms_failed" in events(world, session, case_id)


# --- The forgotten password ------------------------------------------------------------------------------------------


def test_a_new_password_is_asked_for_and_the_customer_alone_chooses_it(world: World) -> None:
    world.registered(ANNA)
    session = world.member()
    case_id = world.case(session, ANNA)
    world.account_help.ask_for_reset(session, case_id)
    link = world.mailed_id("reset", ANNA.email)
    world.password_changes.reset(link, "Vadonatúj-Jelszó-77")
    assert world.comes_in(ANNA, "Vadonatúj-Jelszó-77") == "ok"
    assert "reset_asked" in world.deeds(session)


def test_an_address_gets_so_many_mails_an_hour_through_staff_too(world: World) -> None:
    world.registered(ANNA)
    session = world.member()
    case_id = world.case(session, ANNA)
    limit = world.profile.registration.mails_an_hour
    answers = [outcome_of(world.account_help.ask_for_reset, session, case_id) for _ in range(limit)]
    assert answers[-1] == "email.too_many"
    assert world.deeds(session).count("reset_asked") == answers.count("ok")


def test_who_has_no_account_has_no_password_to_forget(world: World) -> None:
    session = world.member()
    assert outcome_of(world.account_help.ask_for_reset, session, world.case(session, LASZLO)) == "out_of_turn"
    assert outcome_of(world.account_help.ask_for_reset, session, world.case(session, GABOR)) == "out_of_turn"
    assert world.count(outbox) == 0


@pytest.fixture
def waiting(store: Store) -> World:
    """A world in which accounts are activated by a mailed code, and Anna's waits for hers."""
    move_in(store)
    world = World(store, facts=[fact for fact in FACTS if fact != "email_confirmed_at"], has_activation=True)
    access = world.identified(ANNA)
    world.registrations.emails.choose_email(access, ANNA.address)
    walk_on(world, access, ANNA.mobile)
    return world


def test_what_became_of_the_activation_mail_is_told(waiting: World) -> None:
    session = waiting.member()
    case_id = waiting.case(session, ANNA)
    assert "mail_waiting" in events(waiting, session, case_id)
    waiting.deliver()
    assert "mail_sent" in events(waiting, session, case_id)
    waiting.clock.advance(minutes=1)
    waiting.activations.mail_again(waiting.signed_in(ANNA))
    waiting.postman.is_refusing = True
    waiting.deliver()
    assert "mail_failed" in events(waiting, session, case_id)


def test_an_account_that_was_not_activated_is_ended_with_a_reason_and_the_customer_begins_anew(waiting: World) -> None:
    session, other = waiting.member(), waiting.member("adviser", "Tanács Adó", adviser="another's")
    case_id = waiting.case(session, ANNA)
    signed_in = waiting.signed_in(ANNA)
    assert outcome_of(waiting.account_help.end_account, session, case_id, "") == "reason.empty"
    assert outcome_of(waiting.account_help.end_account, other, case_id, "Elírta") == "out_of_turn"
    waiting.account_help.end_account(session, case_id, "Elírta a címét")
    assert outcome_of(waiting.account_help.end_account, session, case_id, "Elírta a címét") == "out_of_turn"
    assert [waiting.count(one) for one in (accounts, activations, registrations, sessions)] == [0, 0, 0, 0]
    assert outcome_of(waiting.activations.activate, signed_in, "1234") == "signed_out"
    # The code that had not left does not, and nobody is written to at an address that may be anybody's.
    assert [waiting.told(message, ANNA.email) for message in ("activation", "account_closed")] == [0, 0]
    (row,) = (row for row in waiting.rows(audit) if row.action == "account_ended")
    assert (row.actor, row.kutid, row.facts) == (session.member.id, ANNA.kutid, {"reason": "Elírta a címét"})
    assert "account_ended" in events(waiting, session, case_id)
    assert outcome_of(waiting.identified, ANNA) == "ok"


def test_an_activated_account_is_not_ended_as_one_that_waits(waiting: World) -> None:
    session = waiting.member()
    case_id = waiting.case(session, ANNA)
    (mail,) = waiting.letters("email", ANNA.email)
    waiting.activations.activate(waiting.signed_in(ANNA), mail.code)
    assert outcome_of(waiting.account_help.end_account, session, case_id, "Elírta a címét") == "out_of_turn"
    assert (
        outcome_of(waiting.account_help.end_account, session, waiting.case(session, ESZTER), "Elírta") == "out_of_turn"
    )
    assert len(waiting.accounts()) == 1


def test_activated_and_ended_at_once_it_is_the_one_or_the_other(waiting: World) -> None:
    session = waiting.member()
    case_id = waiting.case(session, ANNA)
    (mail,) = waiting.letters("email", ANNA.email)
    activating = partial(outcome_of, waiting.activations.activate, waiting.signed_in(ANNA), mail.code)
    ending = partial(outcome_of, waiting.account_help.end_account, session, case_id, "Elírta a címét")
    found = at_once([activating, ending, ending, activating, ending])
    is_activated = "ok" in (found[0], found[3])
    assert found.count("ok") == 1
    assert len(waiting.accounts()) == is_activated
    assert waiting.count(activations) == 0


def tidied(world: World) -> int:
    """Tidy, and return how many accounts came to an end."""
    tidying = Tidying(world.base, world.allowances)
    return next(one.count for one in tidying.tidy() if one.kind == "unactivated_accounts")


def test_an_account_that_nobody_activates_ends_and_gives_its_address_back(waiting: World) -> None:
    """An unconfirmed registration blocks nobody (security.md): neither the customer nor who owns the address."""
    kept = waiting.profile.retention.unactivated_days
    waiting.signed_in(ANNA)
    access = waiting.identified(ESZTER)
    waiting.clock.advance(days=kept, minutes=-1)
    assert tidied(waiting) == 0
    waiting.clock.advance(minutes=1)
    assert tidied(waiting) == 1
    assert [waiting.count(one) for one in (accounts, activations, sessions)] == [0, 0, 0]
    access = waiting.identified(ESZTER)
    assert outcome_of(waiting.registrations.emails.choose_email, access, ANNA.address) == "ok"
    assert outcome_of(waiting.identified, ANNA) == "ok"
    staff = waiting.member()
    assert "account_ended_by_itself" in events(waiting, staff, waiting.case(staff, ANNA))


def test_an_account_that_was_activated_or_has_a_new_code_stays(waiting: World) -> None:
    almost = waiting.profile.retention.unactivated_days - 1
    waiting.clock.advance(days=almost)
    waiting.activations.mail_again(waiting.signed_in(ANNA))
    mail = next(letter for letter in waiting.letters("email", ANNA.email) if "ktiváló" in letter.subject)
    waiting.clock.advance(days=almost)
    assert tidied(waiting) == 0
    waiting.activations.activate(waiting.signed_in(ANNA), mail.code)
    waiting.clock.advance(days=almost)
    assert tidied(waiting) == 0
    assert len(waiting.accounts()) == 1


@pytest.mark.parametrize("round_", range(4))
def test_activated_at_the_moment_of_its_end_it_is_whole_or_gone(waiting: World, round_: int) -> None:
    (mail,) = waiting.letters("email", ANNA.email)
    waiting.clock.advance(days=waiting.profile.retention.unactivated_days)
    activating = partial(outcome_of, waiting.activations.activate, waiting.signed_in(ANNA), mail.code)
    found = at_once([activating, partial(outcome_of, tidied, waiting)])
    assert found[0] in ("ok", "signed_out")
    is_whole = found[0] == "ok"
    assert [waiting.count(one) for one in (accounts, activations, sessions)] == [is_whole, 0, is_whole]


def test_who_forgot_the_password_before_the_activation_is_told_what_to_do(waiting: World) -> None:
    """Not that there is no account, when registering would say that there is one."""
    waiting.letters("email", ANNA.email)
    waiting.postman.letters.clear()
    for _ in range(3):
        waiting.password_changes.ask_for_reset(ANNA.address, "en")
        waiting.clock.advance(hours=1)
    (mail,) = waiting.letters("email", ANNA.email)
    texts = waiting.profile.texts
    assert mail.subject == texts.say("mail.reset_unactivated.subject", "hu"), "in the account's language"
    assert mail.link == "https://belepo.example/belepes"
    assert "2026.\N{NO-BREAK SPACE}november\N{NO-BREAK SPACE}28." in mail.text
    assert waiting.count(password_resets) == 0


THIEFS = email_addresses.parse("tolvaj@example.hu")
THIEFS_MOBILE = "+36705554433"


@pytest.fixture
def stolen(world: World) -> World:
    """A world in which somebody who knew Anna's password has given her account their own address and mobile."""
    world.registered(ANNA)
    world.clock.advance(days=1)
    thief = world.signed_in(ANNA)
    world.mobile_changes.ask_for_mobile(thief, PASSWORD, THIEFS_MOBILE)
    world.mobile_changes.confirm_mobile(thief, world.code_sent(THIEFS_MOBILE))
    world.email_changes.ask_for_email(thief, PASSWORD, THIEFS)
    world.email_changes.confirm_email(world.mailed_id("email", THIEFS.typed))
    world.clock.advance(days=1)
    return world


def test_a_supervisor_ends_an_account_in_a_thiefs_hands_and_the_customer_registers_anew(stolen: World) -> None:
    boss = stolen.member("supervisor", "Vezető Anna")
    case_id = stolen.case(boss, ANNA)
    token = stolen.sign_ins.sign_in(THIEFS.key, PASSWORD, LAPTOP)
    stolen.account_help.ask_for_reset(boss, case_id)  # all that there was: its link is the thief's
    stolen.account_help.end_active_account(boss, case_id, "Feltörték a fiókját")
    assert outcome_of(stolen.account_help.end_active_account, boss, case_id, "Feltörték a fiókját") == "out_of_turn"
    assert stolen.sign_ins.resume(token) is None
    assert [stolen.count(one) for one in (accounts, registrations, sessions)] == [0, 0, 0]
    # The link that had not left does not, and the address learns what has happened: it may be an honest customer's.
    assert [stolen.told(message, THIEFS.typed) for message in ("reset", "account_closed")] == [0, 1]
    (row,) = (row for row in stolen.rows(audit) if row.action == "active_account_ended")
    assert (row.actor, row.kutid, row.facts) == (boss.member.id, ANNA.kutid, {"reason": "Feltörték a fiókját"})
    assert "active_account_ended" in events(stolen, boss, case_id)
    assert outcome_of(stolen.sign_ins.sign_in, THIEFS.key, PASSWORD, LAPTOP) == "login.failed"
    # A thief who knows her data too comes no further than the mobile: the one of the account is not on record.
    begun = stolen.identified(ANNA)
    stolen.registrations.emails.choose_email(begun, THIEFS)
    access = stolen.access_by_mail(THIEFS.typed)
    assert outcome_of(stolen.registrations.mobiles.choose_mobile, access, THIEFS_MOBILE) == "mobile.not_on_record"
    stolen.registered(ANNA)
    assert [row.email for row in stolen.accounts()] == [ANNA.email]


def test_supervisors_alone_end_an_account_in_use_with_a_reason(stolen: World) -> None:
    boss = stolen.member("supervisor", "Vezető Anna")
    for other in (stolen.member(), stolen.member("adviser", "Tanács Adó", adviser="A1"), stolen.client()):
        assert outcome_of(stolen.account_help.end_active_account, other, "any", "Feltörték") == "reason.not_supervisor"
    case_id = stolen.case(boss, ANNA)
    assert outcome_of(stolen.account_help.end_active_account, boss, case_id, "") == "reason.empty"
    assert (
        outcome_of(stolen.account_help.end_active_account, boss, stolen.case(boss, ESZTER), "Feltörték")
        == "out_of_turn"
    )
    unidentified = stolen.search.search(stolen.member("supervisor", "Vezető Béla"), ANNA.policy_number)
    assert outcome_of(stolen.account_help.end_active_account, boss, unidentified, "Feltörték") == "out_of_turn"
    assert len(stolen.accounts()) == 1


def test_an_account_that_waits_is_not_ended_as_one_in_use(waiting: World) -> None:
    boss = waiting.member("supervisor", "Vezető Anna")
    assert (
        outcome_of(waiting.account_help.end_active_account, boss, waiting.case(boss, ANNA), "Elírta") == "out_of_turn"
    )
    assert len(waiting.accounts()) == 1
    assert waiting.told("account_closed", ANNA.email) == 0


@pytest.mark.parametrize("round_", range(3))
def test_two_supervisors_and_the_customer_end_an_account_at_once(stolen: World, round_: int) -> None:
    bosses = [stolen.member("supervisor", name) for name in ("Vezető Anna", "Vezető Béla")]
    session = stolen.session(stolen.sign_ins.sign_in(THIEFS.key, PASSWORD, LAPTOP))
    ending = [
        partial(outcome_of, stolen.account_help.end_active_account, one, stolen.case(one, ANNA), "Feltörték")
        for one in bosses
    ]
    found = at_once([*ending, partial(outcome_of, stolen.account_details.close, session, PASSWORD)])
    assert found.count("ok") == 1
    assert set(found) <= {"ok", "out_of_turn", "signed_out"}
    assert [stolen.count(one) for one in (accounts, registrations, sessions)] == [0, 0, 0]
    ended = [row.action for row in stolen.rows(audit) if row.action in ("account_closed", "active_account_ended")]
    assert ended == ["account_closed" if found[2] == "ok" else "active_account_ended"]
    assert stolen.told("account_closed", THIEFS.typed) == 1


def test_nothing_of_a_code_is_kept_in_a_case(world: World) -> None:
    session = world.member()
    started(world, session)
    code = world.code_sent(NEW)
    (row,) = world.rows(staff_cases)
    assert code not in [str(value) for value in row]


def test_a_mail_leaves_again_also_where_the_mobile_is_proved_before_it(store: Store) -> None:
    move_in(store)
    early = ("identifier", "mobile", "mobile_confirmed_at", "email", "email_confirmed_at", *FACTS[5:])
    world = World(store, facts=early)
    access = world.identified(ANNA)
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(access, world.code_sent(ANNA.mobile))
    world.registrations.emails.choose_email(access, ANNA.address)
    session = world.member()
    case_id = world.case(session, ANNA)
    assert not world.contacts.can_register
    assert record(world, session, case_id) == "out_of_turn"
    world.deliver()
    world.clock.advance(minutes=1)
    world.stuck_registrations.mail_again(session, case_id)
    assert len(world.letters("email", ANNA.email)) == 2
    reader = world.access_by_mail(ANNA.email, "another browser")
    assert outcome_of(world.registrations.consents.open_terms, reader, "2026-1") == "ok"
    assert outcome_of(world.registrations.consents.accept_terms, reader) == "out_of_turn"


# --- The audit trail ---------------------------------------------------------------------------------------------


def test_every_deed_that_was_denied_stands_in_the_audit_trail(world: World) -> None:
    session = world.member()
    case_id = world.case(session, ILONA)
    denied = {
        "mail_again": (world.stuck_registrations.mail_again, ()),
        "end": (world.stuck_registrations.end, ("",)),
        "end_account": (world.account_help.end_account, ("meggondolta magát",)),
        "end_active_account": (world.account_help.end_active_account, ("meggondolta magát",)),
        "give_new_budget": (world.stuck_registrations.give_new_budget, ("meggondolta magát",)),
        "ask_for_reset": (world.account_help.ask_for_reset, ()),
        "resend_code": (world.contacts.resend_code, ()),
        "check_code": (world.contacts.check_code, ("1234",)),
        "identify": (world.cases.identify, ("magic",)),
    }
    said_of = {deed: outcome_of(verb, session, case_id, *given) for deed, (verb, given) in denied.items()}
    rows = [row for row in world.rows(audit) if row.action == "denied"]
    assert {row.facts["deed"]: row.facts["what"] for row in rows} == said_of
    assert {(row.actor, row.kutid) for row in rows} == {(session.actor, ILONA.kutid)}
    assert outcome_of(world.stuck_registrations.end, world.member(), case_id, "meggondolta magát") == "out_of_turn"
    assert world.rows(audit)[-1].kutid is None, "another's case tells nothing"


def test_what_was_recorded_and_taken_back_stands_in_the_audit_trail(world: World) -> None:
    session = world.member()
    case_id = world.case(session, ILONA)
    world.contacts.record(session, case_id, ILONAS, NEW, "hu")
    for _ in range(2):
        world.contacts.change_record(session, case_id)
    assert world.deeds(session).count("record_changed") == 1
