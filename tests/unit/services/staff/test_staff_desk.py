"""What staff do together with a customer: contact data, the read-back, what got stuck; on both databases."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from services.profiles import Profile
from services.refusal import Refusal
from services.register.contact_changes import contact_changes
from services.registrations import Visit
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
from tests.world.outcomes import at_once, said, wrong_code
from tests.world.world import FACTS, PROFILE, House, move_in

NEW = "+36209998877"
ILONAS = email_addresses.parse("ilona@example.hu")


def with_code_rules(**rules: int) -> Profile:
    return PROFILE.model_copy(update={"one_time_code": PROFILE.one_time_code.model_copy(update=rules)})


def record(house: House, session: StaffSession, case_id: str, mobile: str = NEW, address=ILONAS) -> str:
    return said(house.contacts.record, session, case_id, address, mobile, "hu")


def started(house: House, session: StaffSession, person: Customer = ILONA, mobile: str = NEW, address=ILONAS) -> str:
    """Return a case whose code was sent."""
    case_id = house.case(session, person)
    assert record(house, session, case_id, mobile, address) == "ok"
    return case_id


def begun(house: House, session: StaffSession, person: Customer = ILONA, mobile: str = NEW, address=ILONAS) -> str:
    """Return a case whose code was read back."""
    case_id = started(house, session, person, mobile, address)
    house.contacts.check_code(session, case_id, house.code_sent(mobile))
    return case_id


def walk_on(house: House, visit: Visit, mobile: str = NEW) -> None:
    house.registrations.mobiles.choose_mobile(visit, mobile)
    house.registrations.mobiles.confirm_mobile(visit, house.code_sent(mobile))
    house.accept_terms(visit)
    house.registrations.completion.complete(visit, PASSWORD)


def events(house: House, session: StaffSession, case_id: str) -> list[str]:
    file = house.customer_files.of(house.cases.case(session, case_id))
    return [event.what for event in reversed(file.events)]


def test_who_has_no_mobile_registers_with_customer_service(house: House) -> None:
    assert said(house.identified, ILONA) == "identify.no_mobile"
    session = house.member()
    begun(house, session)
    (mail,) = house.letters("email")
    assert (mail.to, mail.subject) == (ILONAS.typed, "Fejezze be regisztrációját")
    visit = house.visit_by_mail(ILONAS.typed)
    seen = house.see(visit)
    assert seen.is_assisted
    # The customer does what the document lists: mobile, code, terms, password (M5); the next code needs no wait.
    assert (seen.email, seen.mobile, seen.mobile_confirmed_at) == (ILONAS.typed, None, None)
    walk_on(house, visit)
    (account,) = house.accounts()
    assert (account.kutid, account.email, account.mobile) == (ILONA.kutid, ILONAS.typed, NEW)
    assert house.deeds(session) == [
        "searched", "viewed", "identified", "code_sent", "email_recorded", "mobile_recorded", "registered_with",
    ]  # fmt: skip


def test_the_language_that_staff_gave_lasts_until_the_customer_goes_on_in_another(house: House) -> None:
    session = house.member()
    case_id = begun(house, session)
    visit = replace(house.visit_by_mail(ILONAS.typed), language="en")
    house.see(visit)
    assert [row.language for row in house.rows(registrations)] == ["hu"]
    house.registrations.mobiles.choose_mobile(visit, NEW)
    house.clock.advance(minutes=1)
    house.stuck_registrations.mail_again(session, case_id)
    subjects = [letter.subject for letter in house.letters("email", ILONAS.typed)]
    assert subjects == [house.profile.texts.say("mail.assisted.subject", language) for language in ("hu", "en")]


def test_a_change_counts_at_once_and_is_an_event_for_the_insurers_system(house: House) -> None:
    session = house.member()
    begun(house, session)
    changes = list(contact_changes(house.store))
    assert [(one.kind, one.before, one.after, one.actor) for one in changes] == [
        ("email", "", ILONAS.typed, session.member.id),
        ("mobile", ILONAS_LANDLINE, NEW, session.member.id),
    ]
    assert {one.at for one in changes} == {house.clock.now()}
    assert list(contact_changes(house.store, after=changes[0].id)) == changes[1:]
    # By themselves, too, she gets on now.
    house.clock.advance(minutes=1)
    visit = house.mailed(replace(ILONA, email="masik@example.hu"))
    visit = house.visit_by_mail("masik@example.hu")
    assert said(house.registrations.mobiles.choose_mobile, visit, ILONAS_LANDLINE) == "mobile.not_on_record"
    assert said(house.registrations.mobiles.choose_mobile, visit, NEW) == "ok"


@pytest.mark.parametrize(
    ("on_record", "events_of_email"), [("Ilona@Example.hu", []), ("regi@example.hu", ["regi@example.hu"])]
)
def test_an_address_that_the_register_has_is_no_change(
    house: House, on_record: str, events_of_email: list[str]
) -> None:
    with house.store.write() as connection:
        connection.execute(customers.update().where(customers.c.kutid == ILONA.kutid).values(email=on_record))
    session = house.member()
    case_id = begun(house, session)
    changes = list(contact_changes(house.store))
    assert [one.before for one in changes if one.kind == "email"] == events_of_email
    # What was recorded last is what is known from now on.
    known = ILONAS.typed if events_of_email else on_record
    assert house.customer_files.of(house.cases.case(session, case_id)).email == known


def test_what_is_on_record_already_is_no_change(house: House) -> None:
    session = house.member()
    begun(house, session, ANNA, ANNAS_OTHER_MOBILE, ANNA.address)
    assert [one.kind for one in contact_changes(house.store)] == ["email"]


def test_a_mobile_that_is_recorded_again_after_another_is_the_one_that_counts(house: House) -> None:
    """An import that brings the one between must not end it (services.register.importing.merging)."""
    other = "+36209998866"
    for mobile in (NEW, NEW, other, NEW):
        begun(house, house.member(), ILONA, mobile)
        house.clock.advance(days=1)
    assert [one.after for one in contact_changes(house.store) if one.kind == "mobile"] == [NEW, other, NEW]


def test_nothing_counts_before_the_code_is_read_back(house: House) -> None:
    session = house.member()
    case_id = started(house, session)
    assert said(house.contacts.check_code, session, case_id, wrong_code(house.code_sent(NEW))) == "sms_code.wrong"
    assert "refused" in events(house, session, case_id)
    assert house.letters("email") == []
    assert house.count(table) == 0
    assert house.count(registrations) == 0
    assert said(house.identified, ILONA) == "identify.no_mobile"


def test_nothing_happens_without_an_identification(house: House) -> None:
    session = house.member()
    case_id = house.search.search(session, ILONA.policy_number)
    assert case_id is not None
    assert record(house, session, case_id) == "out_of_turn"
    for verb in (house.contacts.resend_code, house.stuck_registrations.mail_again, house.account_help.ask_for_reset):
        assert said(verb, session, case_id) == "out_of_turn"
    assert house.letters("sms") == []


@pytest.mark.parametrize("person", [PETER, ESZTER])
def test_who_may_not_register_may_not_with_staff_either(house: House, person: Customer) -> None:
    if person is ESZTER:
        house.registered(ESZTER)
    session = house.member()
    assert record(house, session, house.case(session, person)) == "out_of_turn"


def test_another_customers_address_is_refused(house: House) -> None:
    house.registered(ANNA)
    session = house.member()
    case_id = house.case(session, ILONA)
    assert record(house, session, case_id, address=ANNA.address) == "email.taken"
    assert house.letters("sms", NEW) == []


def test_an_address_that_was_taken_while_the_code_was_read_back(house: House) -> None:
    session = house.member()
    case_id = started(house, session, address=ANNA.address)
    house.registered(ANNA)
    assert said(house.contacts.check_code, session, case_id, house.code_sent(NEW)) == "email.taken"
    assert [one.kind for one in contact_changes(house.store)] == []


@pytest.mark.parametrize("first", ["=", "+", "-", "＝"])
def test_an_address_that_a_spreadsheet_would_take_for_a_formula_is_not_recorded(house: House, first: str) -> None:
    """The insurer gets addresses as they are (`belepo export contact-changes`), and somebody may open the file."""
    formula = email_addresses.parse(f"{first}cmd|'/Ccalc'!A0@evil.hu")
    for by in (house.member(), house.client()):
        case_id = house.case(by, ILONA)
        assert record(house, by, case_id, address=formula) == "email.first_sign"
        assert house.deeds(by)[-1] == "refused"
    assert house.letters("sms") == []
    assert house.count(one_time_codes) == 0


def test_that_an_address_is_taken_is_told_a_few_times_and_stands_in_the_trail(house: House) -> None:
    house.registered(ANNA)
    session = house.member()
    case_id = house.case(session, ILONA)
    limit = house.profile.registration.mails_an_hour
    answers = [record(house, session, case_id, address=ANNA.address) for _ in range(limit + 1)]
    assert answers == ["email.taken"] * limit + ["email.too_many"]
    # From then on an address that is free is answered like one that is taken.
    assert record(house, session, case_id) == "email.too_many"
    assert house.deeds(session).count("refused") == limit + 2
    assert house.letters("sms", NEW) == []
    house.clock.moment += house.profile.registration.lifetime
    again = house.member()
    assert record(house, again, house.case(again, ILONA)) == "ok"


def test_whoever_asks_through_many_customers_is_told_so_many_times_a_day(store: Store) -> None:
    move_in(store)
    rules = PROFILE.registration.model_copy(update={"taken_a_day_by_one": 8})
    house = House(store, profile=PROFILE.model_copy(update={"registration": rules}))
    house.registered(ANNA)
    session, colleague, boss = house.member(), house.member(name="Tóth Béla"), house.member("supervisor")
    answers = []
    for person in (ILONA, ESZTER):
        case_id = house.case(session, person)
        answers += [record(house, session, case_id, address=ANNA.address) for _ in range(rules.mails_an_hour)]
    assert answers == ["email.taken"] * 8 + ["email.unanswered"] * 4
    # Taken or free: the same answer, and the same moment in it.
    untold = house.case(session, GABOR)
    moments = set()
    for address in (ANNA.address, ILONAS, ANNA.address, ILONAS):
        with pytest.raises(Refusal) as refused:
            house.contacts.record(session, untold, address, NEW, "hu")
        moments.add((refused.value.reason, refused.value.facts["at"]))
    assert len(moments) == 1
    assert record(house, colleague, house.case(colleague, GABOR), address=ANNA.address) == "email.taken"
    for _ in range(10):
        assert record(house, boss, house.case(boss, LASZLO), address=ILONAS) in ("ok", "sms_resend.too_early")


# --- Floods ---------------------------------------------------------------------------------------------------------


def test_one_number_gets_so_many_codes_an_hour_whoever_the_customers_are(house: House) -> None:
    session, limit = house.member(), house.profile.one_time_code.an_hour_to_a_number
    answers = []
    for person in (ILONA, ESZTER, LASZLO):
        case_id = house.case(session, person)
        for _ in range(house.profile.one_time_code.codes):
            answers.append(record(house, session, case_id))
            house.clock.advance(minutes=1)
    assert answers == ["ok"] * limit + ["mobile.too_many"] * (len(answers) - limit)
    assert Counter(house.deeds(session)) >= Counter(code_sent=limit, refused=len(answers) - limit)
    # What was refused has cost the customer nothing.
    assert record(house, session, case_id, mobile=ANNAS_OTHER_MOBILE) == "ok"
    house.clock.advance(hours=1)
    again = house.member()
    assert record(house, again, house.case(again, LASZLO)) == "ok"


def test_a_code_in_place_of_one_that_did_not_arrive_is_not_counted_again(house: House) -> None:
    session, limit = house.member(), house.profile.one_time_code.an_hour_to_a_number
    case_id = started(house, session)
    for _ in range(limit + 2):  # none of them leaves: each is sent in place of the one before
        house.clock.advance(minutes=1)
        house.contacts.resend_code(session, case_id)
    house.postman.is_refusing = True
    house.deliver()
    for _ in range(limit):
        house.clock.advance(minutes=1)
        house.contacts.resend_code(session, case_id)
        house.deliver()
    house.postman.is_refusing = False
    house.clock.advance(minutes=1)
    house.contacts.resend_code(session, case_id)
    assert len(house.letters("sms", NEW)) == 1


def test_a_code_for_another_number_counts_for_that_one_though_the_first_never_left(house: House) -> None:
    """Else whoever records a number of their own first could flood another one."""
    session, limit = house.member(), house.profile.one_time_code.an_hour_to_a_number
    case_id, answers = house.case(session, ILONA), []
    for number in range(limit + 1):
        assert record(house, session, case_id, f"+3630111000{number}") == "ok"
        house.contacts.change_record(session, case_id)
        answers.append(record(house, session, case_id))
    assert answers == ["ok"] * limit + ["mobile.too_many"]


def test_one_asker_has_so_many_codes_sent_a_day(store: Store) -> None:
    move_in(store)
    house = House(store, profile=with_code_rules(a_day_by_one=2))
    session, colleague = house.member(), house.member(name="Tóth Béla")
    people = {ILONA: NEW, ESZTER: "+36209998878", LASZLO: "+36209998879"}
    answers = [record(house, session, house.case(session, person), mobile) for person, mobile in people.items()]
    assert answers == ["ok", "ok", "sms.share_used"]
    assert record(house, colleague, house.case(colleague, LASZLO), people[LASZLO]) == "ok"
    house.clock.advance(days=1)
    again = house.member()
    assert record(house, again, house.case(again, LASZLO), people[LASZLO]) == "ok"


# --- Whoever is on record -------------------------------------------------------------------------------------------


def test_the_text_message_says_that_the_code_is_to_be_read_out(house: House) -> None:
    started(house, house.member())
    (sms,) = house.letters("sms", NEW)
    assert "olvassa fel" in sms.text
    assert "@" not in sms.text  # no page is offered a code that belongs to a call


def test_a_code_that_was_not_delivered_costs_nothing(house: House) -> None:
    session = house.member()
    house.postman.is_refusing = True
    case_id = started(house, session)
    house.deliver()
    code = house.contacts.code_of(house.cases.case(session, case_id))
    assert code is not None
    assert (code.is_undelivered, code.codes_left(house.clock.now())) == (True, house.profile.one_time_code.codes)


def test_an_address_and_a_mobile_on_record_are_told_that_others_count_now(house: House) -> None:
    with house.store.write() as connection:
        connection.execute(customers.update().where(customers.c.kutid == ANNA.kutid).values(email="regi@example.hu"))
    session = house.member()
    case_id = started(house, session, ANNA)
    assert house.letters("email") == []
    house.contacts.check_code(session, case_id, house.code_sent(NEW))
    (mail,) = house.letters("email", "regi@example.hu")
    assert mail.subject == house.profile.texts.say("mail.other_contact.subject", "hu")
    assert ILONAS.typed not in mail.text
    texts = [letter for letter in house.letters("sms") if letter.to != NEW]
    assert {letter.to for letter in texts} == {ANNA.mobile, ANNAS_OTHER_MOBILE}
    assert all(house.profile.contact.phone[-4:] in letter.text.replace(" ", "") for letter in texts)


def test_nobody_is_told_of_what_is_on_record_already_and_no_landline_gets_a_text(house: House) -> None:
    session = house.member()
    begun(house, session, ANNA, ANNAS_OTHER_MOBILE)
    begun(house, session, ILONA, NEW, email_addresses.parse("mas@example.hu"))
    assert {letter.to for letter in house.letters("sms")} == {ANNAS_OTHER_MOBILE, NEW}


# --- The customer's one budget --------------------------------------------------------------------------------------


def test_guesses_and_codes_are_the_customers_own_through_every_door(house: House) -> None:
    rules = house.profile.one_time_code
    session = house.member()
    visit = house.sent_code(ANNA)
    for _ in range(rules.tries):
        said(house.registrations.mobiles.confirm_mobile, visit, wrong_code(house.code_sent(ANNA.mobile)))
    case_id = house.case(session, ANNA)
    assert record(house, session, case_id, address=ANNA.address) == "sms_resend.too_early"
    for _ in range(rules.codes - 1):
        house.clock.advance(minutes=1)
        assert record(house, session, case_id, address=ANNA.address) == "ok"
        for left in range(rules.tries - 1, -1, -1):
            answer = said(house.contacts.check_code, session, case_id, wrong_code(house.code_sent(NEW)))
            assert answer in ("sms_code.wrong", "codes_used_up"), left
    house.clock.advance(minutes=1)
    assert record(house, session, case_id, address=ANNA.address) == "codes_used_up"
    assert said(house.registrations.mobiles.resend_code, visit) == "codes_used_up"
    (row,) = house.rows(one_time_codes)
    assert (row.codes_used, row.guesses_used) == (rules.codes, rules.guesses)


def test_the_same_again_sends_nothing_and_another_number_waits(house: House) -> None:
    session = house.member()
    case_id = started(house, session)
    assert record(house, session, case_id) == "ok"
    assert len(house.letters("sms")) == 1
    assert record(house, session, case_id, "+36301110000") == "sms_resend.too_early"
    assert said(house.contacts.resend_code, session, case_id) == "sms_resend.too_early"
    house.clock.advance(minutes=1)
    old = house.code_sent(NEW)
    house.contacts.resend_code(session, case_id)
    assert len(house.letters("sms")) == 2
    if house.code_sent(NEW) != old:
        assert said(house.contacts.check_code, session, case_id, old) == "sms_code.wrong"
    house.clock.advance(minutes=1)
    house.contacts.change_record(session, case_id)
    assert said(house.contacts.check_code, session, case_id, house.code_sent(NEW)) == "out_of_turn"
    assert record(house, session, case_id, "+36301110000") == "ok"
    house.contacts.check_code(session, case_id, house.code_sent("+36301110000"))
    assert [one.after for one in contact_changes(house.store)] == [ILONAS.typed, "+36301110000"]


def test_a_code_sent_at_home_is_no_use_at_the_desk_nor_the_other_way_round(house: House) -> None:
    session = house.member()
    case_id = started(house, session, ANNA, ANNA.mobile, ANNA.address)
    at_desk = house.code_sent(ANNA.mobile)
    visit = house.linked(ANNA)
    assert said(house.registrations.mobiles.confirm_mobile, visit, at_desk) != "ok"
    house.clock.advance(minutes=1)
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    at_home = house.code_sent(ANNA.mobile)
    assert said(house.contacts.check_code, session, case_id, at_home) == "sms_code.none_sent"
    assert said(house.registrations.mobiles.confirm_mobile, visit, at_home) == "ok"


def test_a_new_allowance_is_for_supervisors_with_a_reason_and_twice_a_day(house: House) -> None:
    rules = house.profile.one_time_code
    session, boss = house.member(), house.member("supervisor", "Fehér Judit")
    case_id, theirs = started(house, session), house.case(boss, ILONA)
    assert said(house.stuck_registrations.give_new_budget, session, case_id, "elromlott") == "reason.not_supervisor"
    refused = {"": "empty", "x" * 201: "too_long", "06 20 123 4567": "personal", "a@b.hu": "personal"}
    for reason, answer in refused.items():
        assert said(house.stuck_registrations.give_new_budget, boss, theirs, reason) == f"reason.{answer}"
    for _ in range(2):
        for _ in range(rules.codes - 1):
            house.deliver()
            house.clock.advance(minutes=1)
            house.contacts.resend_code(session, case_id)
        house.deliver()
        house.clock.advance(minutes=31)
        assert said(house.contacts.resend_code, session, case_id) == "codes_used_up"
        house.cases.identify(session, case_id, "call")
        house.cases.identify(boss, theirs, "call")
        house.stuck_registrations.give_new_budget(boss, theirs, "Az SMS-szolgáltató akadozott")
        assert said(house.stuck_registrations.give_new_budget, boss, theirs, "még egyszer") == "out_of_turn"
        assert said(house.contacts.resend_code, session, case_id) == "ok"
    assert said(house.stuck_registrations.give_new_budget, boss, theirs, "harmadszor") == "reason.too_often"
    assert house.deeds(boss).count("budget_renewed") == 2


def test_with_a_new_allowance_an_older_code_that_waits_does_not_leave_for_another_number(house: House) -> None:
    session, boss = house.member(), house.member("supervisor", "Fehér Judit")
    case_id, theirs = started(house, session), house.case(boss, ILONA)
    house.stuck_registrations.give_new_budget(boss, theirs, "Elírtuk a számot")
    house.clock.advance(minutes=1)
    assert record(house, session, case_id, mobile=ANNAS_OTHER_MOBILE) == "ok"
    assert {letter.to for letter in house.letters("sms")} == {ANNAS_OTHER_MOBILE}


def test_with_a_new_allowance_the_customers_older_code_that_waits_does_not_leave(house: House) -> None:
    boss, visit = house.member("supervisor", "Fehér Judit"), house.sent_code(ANNA)
    house.stuck_registrations.give_new_budget(boss, house.case(boss, ANNA), "Akadozik az SMS-szolgáltató")
    house.clock.advance(minutes=1)
    house.registrations.mobiles.resend_code(visit)
    assert len(house.letters("sms")) == 1
    house.registrations.mobiles.confirm_mobile(visit, house.code_sent(ANNA.mobile))


# --- At once ---------------------------------------------------------------------------------------------------------


def test_of_guesses_at_once_at_most_the_tries_left_are_looked_at(house: House) -> None:
    session = house.member()
    case_id = started(house, session)
    wrong = wrong_code(house.code_sent(NEW))
    at_once([partial(said, house.contacts.check_code, session, case_id, wrong)] * 20)
    (row,) = house.rows(one_time_codes)
    assert (row.tries_left, row.guesses_used) == (0, house.profile.one_time_code.tries)
    assert said(house.contacts.check_code, session, case_id, house.code_sent(NEW)) == "sms_code.wrong"


def test_the_right_code_many_times_at_once_begins_one_registration(house: House) -> None:
    session = house.member()
    case_id = started(house, session)
    found = at_once([partial(said, house.contacts.check_code, session, case_id, house.code_sent(NEW))] * 8)
    assert found.count("ok") == 1
    assert set(found) <= {"ok", "out_of_turn", "sms_code.wrong"}
    assert house.count(registrations) == 1
    assert len(house.letters("email")) == 1
    assert house.count(table) == 2


def test_two_members_at_once_send_one_code(house: House) -> None:
    sessions = [house.member(), house.member()]
    cases = [house.case(session, ILONA) for session in sessions]
    numbers = (NEW, "+36301110000")
    found = at_once([
        partial(record, house, session, case_id, number)
        for session, case_id, number in zip(sessions, cases, numbers, strict=True)
    ])  # fmt: skip
    assert sorted(found) == ["ok", "sms_resend.too_early"]
    assert len(house.letters("sms")) == 1


def test_one_customer_registers_at_two_desks_and_has_one_account(house: House) -> None:
    visits = []
    for address in (ILONAS, email_addresses.parse("masik@example.hu")):
        house.clock.advance(minutes=1)
        begun(house, house.member(), address=address)
        visits.append(house.visit_by_mail(address.typed))
    walk_on(house, visits[0])
    assert said(house.registrations.mobiles.choose_mobile, visits[1], NEW) == "already_registered"
    assert len(house.accounts()) == 1


# --- What got stuck ---------------------------------------------------------------------------------------------------


def test_a_registration_from_the_web_is_mailed_again_and_ended(house: House) -> None:
    visit = house.mailed(ANNA)
    session = house.member()
    case_id = house.case(session, ANNA)
    assert said(house.stuck_registrations.mail_again, session, case_id) == "email.resend_too_early"
    house.clock.advance(minutes=1)
    older = house.visit_by_mail(ANNA.email)
    house.stuck_registrations.mail_again(session, case_id)
    assert [letter.subject for letter in house.letters("email")] == ["Erősítse meg email-címét"] * 2
    assert house.registrations.records.find(older) is None
    linked = house.visit_by_mail(ANNA.email)
    assert said(house.stuck_registrations.end, session, case_id, "") == "reason.empty"
    assert said(house.stuck_registrations.end, session, case_id, "Rossz címre kérte") == "ok"
    assert said(house.stuck_registrations.end, session, case_id, "Rossz címre kérte") == "out_of_turn"
    for mine in (visit, linked):
        assert said(house.registrations.mobiles.choose_mobile, mine, ANNA.mobile) == "ended_by_staff"
    assert said(house.stuck_registrations.mail_again, session, case_id) == "out_of_turn"
    assert house.identified(ANNA)


@pytest.mark.parametrize("is_ended", [True, False])
def test_what_was_recorded_is_recorded_anew_once_its_registration_is_over(house: House, is_ended: bool) -> None:
    session = house.member()
    case_id = begun(house, session, address=email_addresses.parse("ilnoa@example.hu"))
    old = house.visit_by_mail("ilnoa@example.hu")
    assert record(house, session, case_id) == "out_of_turn"
    if is_ended:
        house.stuck_registrations.end(session, case_id, "Elírtuk a címet")
    else:
        house.clock.advance(hours=1)
        house.cases.identify(session, case_id, "call")
    assert record(house, session, case_id) == "ok"
    # What was read back before stands for nothing now.
    assert said(house.contacts.check_code, session, case_id, wrong_code(house.code_sent(NEW))) == "sms_code.wrong"
    house.contacts.check_code(session, case_id, house.code_sent(NEW))
    assert record(house, session, case_id) == "out_of_turn"
    walk_on(house, house.visit_by_mail(ILONAS.typed))
    assert said(house.registrations.mobiles.choose_mobile, old, NEW) != "ok"
    assert [account.email for account in house.accounts()] == [ILONAS.typed]
    assert record(house, session, case_id) == "out_of_turn"


def test_a_mail_that_waits_does_not_leave_after_the_end(house: House) -> None:
    house.mailed(ANNA)
    session = house.member()
    house.stuck_registrations.end(session, house.case(session, ANNA), "Mégsem kéri")
    assert house.letters("email") == []


def test_who_has_registered_has_nothing_to_end(house: House) -> None:
    house.registered(ANNA)
    session = house.member()
    case_id = house.case(session, ANNA)
    assert said(house.stuck_registrations.end, session, case_id, "Mégsem kéri") == "out_of_turn"
    assert said(house.stuck_registrations.mail_again, session, case_id) == "out_of_turn"
    assert house.accounts()


def test_the_timeline_tells_what_happened_in_order(house: House) -> None:
    visit = house.sent_code(ANNA)
    house.deliver()
    house.clock.advance(seconds=5)
    assert (
        said(house.registrations.mobiles.confirm_mobile, visit, wrong_code(house.code_sent(ANNA.mobile)))
        == "sms_code.wrong"
    )
    house.clock.advance(seconds=5)
    house.registrations.records.note_refusal(visit, "sms_code", "wrong")
    house.clock.advance(seconds=5)
    session = house.member()
    case_id = house.case(session, ANNA)
    told = events(house, session, case_id)
    assert sorted(told[:5]) == ["identified", "link_opened", "mail_sent", "sms_sent", "started"]
    assert (told[5], sorted(told[6:])) == ("refused", ["identified_by", "viewed"])
    file = house.customer_files.of(house.cases.case(session, case_id))
    assert file.code is not None
    assert file.code.tries_left == house.profile.one_time_code.tries - 1
    texts = repr(file.events)
    assert ANNA.mobile not in texts
    assert ANNA.email not in texts
    house.clock.advance(hours=2)
    house.cases.identify(session, case_id, "call")
    assert "expired" in events(house, session, case_id)


def test_refusals_are_kept_a_few_times_an_hour(house: House) -> None:
    visit = house.linked(ANNA)
    for _ in range(40):
        house.registrations.records.note_refusal(visit, "mobile", "not_on_record")
    house.registrations.records.note_refusal(Visit("no such registration"), "mobile", "not_on_record")
    session = house.member()
    assert events(house, session, house.case(session, ANNA)).count("refused") == 20


def test_what_did_not_arrive_is_told(house: House) -> None:
    session = house.member()
    house.postman.is_refusing = True
    case_id = started(house, session)
    assert "sms_waiting" in events(house, session, case_id)
    house.deliver()
    assert "sms_failed" in events(house, session, case_id)


# --- The forgotten password ------------------------------------------------------------------------------------------


def test_a_new_password_is_asked_for_and_the_customer_alone_chooses_it(house: House) -> None:
    house.registered(ANNA)
    session = house.member()
    case_id = house.case(session, ANNA)
    house.account_help.ask_for_reset(session, case_id)
    link = house.mailed_id("reset", ANNA.email)
    house.password_changes.reset(link, "Vadonatúj-Jelszó-77")
    assert house.comes_in(ANNA, "Vadonatúj-Jelszó-77") == "ok"
    assert "reset_asked" in house.deeds(session)


def test_an_address_gets_so_many_mails_an_hour_through_staff_too(house: House) -> None:
    house.registered(ANNA)
    session = house.member()
    case_id = house.case(session, ANNA)
    limit = house.profile.registration.mails_an_hour
    answers = [said(house.account_help.ask_for_reset, session, case_id) for _ in range(limit)]
    assert answers[-1] == "email.too_many"
    assert house.deeds(session).count("reset_asked") == answers.count("ok")


def test_who_has_no_account_has_no_password_to_forget(house: House) -> None:
    session = house.member()
    assert said(house.account_help.ask_for_reset, session, house.case(session, LASZLO)) == "out_of_turn"
    assert said(house.account_help.ask_for_reset, session, house.case(session, GABOR)) == "out_of_turn"
    assert house.count(outbox) == 0


@pytest.fixture
def waiting(store: Store) -> House:
    """A house in which accounts are activated by a mailed code, and Anna's waits for hers."""
    move_in(store)
    house = House(store, facts=[fact for fact in FACTS if fact != "email_confirmed_at"], has_activation=True)
    visit = house.identified(ANNA)
    house.registrations.emails.choose_email(visit, ANNA.address)
    walk_on(house, visit, ANNA.mobile)
    return house


def test_what_became_of_the_activation_mail_is_told(waiting: House) -> None:
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


def test_an_account_that_was_not_activated_is_ended_with_a_reason_and_the_customer_begins_anew(waiting: House) -> None:
    session, other = waiting.member(), waiting.member("adviser", "Tanács Adó", adviser="another's")
    case_id = waiting.case(session, ANNA)
    signed_in = waiting.signed_in(ANNA)
    assert said(waiting.account_help.end_account, session, case_id, "") == "reason.empty"
    assert said(waiting.account_help.end_account, other, case_id, "Elírta") == "out_of_turn"
    waiting.account_help.end_account(session, case_id, "Elírta a címét")
    assert said(waiting.account_help.end_account, session, case_id, "Elírta a címét") == "out_of_turn"
    assert [waiting.count(one) for one in (accounts, activations, registrations, sessions)] == [0, 0, 0, 0]
    assert said(waiting.activations.activate, signed_in, "1234") == "signed_out"
    # The code that had not left does not, and nobody is written to at an address that may be anybody's.
    assert [waiting.told(message, ANNA.email) for message in ("activation", "account_closed")] == [0, 0]
    (row,) = (row for row in waiting.rows(audit) if row.action == "account_ended")
    assert (row.actor, row.kutid, row.facts) == (session.member.id, ANNA.kutid, {"reason": "Elírta a címét"})
    assert "account_ended" in events(waiting, session, case_id)
    assert said(waiting.identified, ANNA) == "ok"


def test_an_activated_account_is_not_ended_as_one_that_waits(waiting: House) -> None:
    session = waiting.member()
    case_id = waiting.case(session, ANNA)
    (mail,) = waiting.letters("email", ANNA.email)
    waiting.activations.activate(waiting.signed_in(ANNA), mail.code)
    assert said(waiting.account_help.end_account, session, case_id, "Elírta a címét") == "out_of_turn"
    assert said(waiting.account_help.end_account, session, waiting.case(session, ESZTER), "Elírta") == "out_of_turn"
    assert len(waiting.accounts()) == 1


def test_activated_and_ended_at_once_it_is_the_one_or_the_other(waiting: House) -> None:
    session = waiting.member()
    case_id = waiting.case(session, ANNA)
    (mail,) = waiting.letters("email", ANNA.email)
    activating = partial(said, waiting.activations.activate, waiting.signed_in(ANNA), mail.code)
    ending = partial(said, waiting.account_help.end_account, session, case_id, "Elírta a címét")
    found = at_once([activating, ending, ending, activating, ending])
    is_activated = "ok" in (found[0], found[3])
    assert found.count("ok") == 1
    assert len(waiting.accounts()) == is_activated
    assert waiting.count(activations) == 0


def tidied(house: House) -> int:
    """Tidy, and return how many accounts came to an end."""
    tidying = Tidying(house.base, house.allowances)
    return next(one.count for one in tidying.tidy() if one.kind == "unactivated_accounts")


def test_an_account_that_nobody_activates_ends_and_gives_its_address_back(waiting: House) -> None:
    """An unconfirmed registration blocks nobody (security.md): neither the customer nor who owns the address."""
    kept = waiting.profile.retention.unactivated_days
    waiting.signed_in(ANNA)
    visit = waiting.identified(ESZTER)
    waiting.clock.advance(days=kept, minutes=-1)
    assert tidied(waiting) == 0
    waiting.clock.advance(minutes=1)
    assert tidied(waiting) == 1
    assert [waiting.count(one) for one in (accounts, activations, sessions)] == [0, 0, 0]
    visit = waiting.identified(ESZTER)
    assert said(waiting.registrations.emails.choose_email, visit, ANNA.address) == "ok"
    assert said(waiting.identified, ANNA) == "ok"
    staff = waiting.member()
    assert "account_ended_by_itself" in events(waiting, staff, waiting.case(staff, ANNA))


def test_an_account_that_was_activated_or_has_a_new_code_stays(waiting: House) -> None:
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
def test_activated_at_the_moment_of_its_end_it_is_whole_or_gone(waiting: House, round_: int) -> None:
    (mail,) = waiting.letters("email", ANNA.email)
    waiting.clock.advance(days=waiting.profile.retention.unactivated_days)
    activating = partial(said, waiting.activations.activate, waiting.signed_in(ANNA), mail.code)
    found = at_once([activating, partial(said, tidied, waiting)])
    assert found[0] in ("ok", "signed_out")
    is_whole = found[0] == "ok"
    assert [waiting.count(one) for one in (accounts, activations, sessions)] == [is_whole, 0, is_whole]


def test_who_forgot_the_password_before_the_activation_is_told_what_to_do(waiting: House) -> None:
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
def stolen(house: House) -> House:
    """A house in which somebody who knew Anna's password has given her account their own address and mobile."""
    house.registered(ANNA)
    house.clock.advance(days=1)
    thief = house.signed_in(ANNA)
    house.mobile_changes.ask_for_mobile(thief, PASSWORD, THIEFS_MOBILE)
    house.mobile_changes.confirm_mobile(thief, house.code_sent(THIEFS_MOBILE))
    house.email_changes.ask_for_email(thief, PASSWORD, THIEFS)
    house.email_changes.confirm_email(house.mailed_id("email", THIEFS.typed))
    house.clock.advance(days=1)
    return house


def test_a_supervisor_ends_an_account_in_a_thiefs_hands_and_the_customer_registers_anew(stolen: House) -> None:
    boss = stolen.member("supervisor", "Vezető Anna")
    case_id = stolen.case(boss, ANNA)
    token = stolen.sign_ins.sign_in(THIEFS.key, PASSWORD, LAPTOP)
    stolen.account_help.ask_for_reset(boss, case_id)  # all that there was: its link is the thief's
    stolen.account_help.end_active_account(boss, case_id, "Feltörték a fiókját")
    assert said(stolen.account_help.end_active_account, boss, case_id, "Feltörték a fiókját") == "out_of_turn"
    assert stolen.sign_ins.resume(token) is None
    assert [stolen.count(one) for one in (accounts, registrations, sessions)] == [0, 0, 0]
    # The link that had not left does not, and the address learns what has happened: it may be an honest customer's.
    assert [stolen.told(message, THIEFS.typed) for message in ("reset", "account_closed")] == [0, 1]
    (row,) = (row for row in stolen.rows(audit) if row.action == "active_account_ended")
    assert (row.actor, row.kutid, row.facts) == (boss.member.id, ANNA.kutid, {"reason": "Feltörték a fiókját"})
    assert "active_account_ended" in events(stolen, boss, case_id)
    assert said(stolen.sign_ins.sign_in, THIEFS.key, PASSWORD, LAPTOP) == "login.failed"
    # A thief who knows her data too comes no further than the mobile: the one of the account is not on record.
    begun = stolen.identified(ANNA)
    stolen.registrations.emails.choose_email(begun, THIEFS)
    visit = stolen.visit_by_mail(THIEFS.typed)
    assert said(stolen.registrations.mobiles.choose_mobile, visit, THIEFS_MOBILE) == "mobile.not_on_record"
    stolen.registered(ANNA)
    assert [row.email for row in stolen.accounts()] == [ANNA.email]


def test_supervisors_alone_end_an_account_in_use_with_a_reason(stolen: House) -> None:
    boss = stolen.member("supervisor", "Vezető Anna")
    for other in (stolen.member(), stolen.member("adviser", "Tanács Adó", adviser="A1"), stolen.client()):
        assert said(stolen.account_help.end_active_account, other, "any", "Feltörték") == "reason.not_supervisor"
    case_id = stolen.case(boss, ANNA)
    assert said(stolen.account_help.end_active_account, boss, case_id, "") == "reason.empty"
    assert said(stolen.account_help.end_active_account, boss, stolen.case(boss, ESZTER), "Feltörték") == "out_of_turn"
    unidentified = stolen.search.search(stolen.member("supervisor", "Vezető Béla"), ANNA.policy_number)
    assert said(stolen.account_help.end_active_account, boss, unidentified, "Feltörték") == "out_of_turn"
    assert len(stolen.accounts()) == 1


def test_an_account_that_waits_is_not_ended_as_one_in_use(waiting: House) -> None:
    boss = waiting.member("supervisor", "Vezető Anna")
    assert said(waiting.account_help.end_active_account, boss, waiting.case(boss, ANNA), "Elírta") == "out_of_turn"
    assert len(waiting.accounts()) == 1
    assert waiting.told("account_closed", ANNA.email) == 0


@pytest.mark.parametrize("round_", range(3))
def test_two_supervisors_and_the_customer_end_an_account_at_once(stolen: House, round_: int) -> None:
    bosses = [stolen.member("supervisor", name) for name in ("Vezető Anna", "Vezető Béla")]
    session = stolen.session(stolen.sign_ins.sign_in(THIEFS.key, PASSWORD, LAPTOP))
    ending = [
        partial(said, stolen.account_help.end_active_account, one, stolen.case(one, ANNA), "Feltörték")
        for one in bosses
    ]
    found = at_once([*ending, partial(said, stolen.account_details.close, session, PASSWORD)])
    assert found.count("ok") == 1
    assert set(found) <= {"ok", "out_of_turn", "signed_out"}
    assert [stolen.count(one) for one in (accounts, registrations, sessions)] == [0, 0, 0]
    ended = [row.action for row in stolen.rows(audit) if row.action in ("account_closed", "active_account_ended")]
    assert ended == ["account_closed" if found[2] == "ok" else "active_account_ended"]
    assert stolen.told("account_closed", THIEFS.typed) == 1


def test_nothing_of_a_code_is_kept_in_a_case(house: House) -> None:
    session = house.member()
    started(house, session)
    code = house.code_sent(NEW)
    (row,) = house.rows(staff_cases)
    assert code not in [str(value) for value in row]


def test_a_mail_leaves_again_also_where_the_mobile_is_proved_before_it(store: Store) -> None:
    move_in(store)
    early = ("identifier", "mobile", "mobile_confirmed_at", "email", "email_confirmed_at", *FACTS[5:])
    house = House(store, facts=early)
    visit = house.identified(ANNA)
    house.registrations.mobiles.choose_mobile(visit, ANNA.mobile)
    house.registrations.mobiles.confirm_mobile(visit, house.code_sent(ANNA.mobile))
    house.registrations.emails.choose_email(visit, ANNA.address)
    session = house.member()
    case_id = house.case(session, ANNA)
    assert not house.contacts.can_register
    assert record(house, session, case_id) == "out_of_turn"
    house.deliver()
    house.clock.advance(minutes=1)
    house.stuck_registrations.mail_again(session, case_id)
    assert len(house.letters("email", ANNA.email)) == 2
    reader = house.visit_by_mail(ANNA.email, "another browser")
    assert said(house.registrations.consents.open_terms, reader, "2026-1") == "ok"
    assert said(house.registrations.consents.accept_terms, reader) == "out_of_turn"


# --- The audit trail ---------------------------------------------------------------------------------------------


def test_every_deed_that_was_denied_stands_in_the_audit_trail(house: House) -> None:
    session = house.member()
    case_id = house.case(session, ILONA)
    denied = {
        "mail_again": (house.stuck_registrations.mail_again, ()),
        "end": (house.stuck_registrations.end, ("",)),
        "end_account": (house.account_help.end_account, ("meggondolta magát",)),
        "end_active_account": (house.account_help.end_active_account, ("meggondolta magát",)),
        "give_new_budget": (house.stuck_registrations.give_new_budget, ("meggondolta magát",)),
        "ask_for_reset": (house.account_help.ask_for_reset, ()),
        "resend_code": (house.contacts.resend_code, ()),
        "check_code": (house.contacts.check_code, ("1234",)),
        "identify": (house.cases.identify, ("magic",)),
    }
    said_of = {deed: said(verb, session, case_id, *given) for deed, (verb, given) in denied.items()}
    rows = [row for row in house.rows(audit) if row.action == "denied"]
    assert {row.facts["deed"]: row.facts["what"] for row in rows} == said_of
    assert {(row.actor, row.kutid) for row in rows} == {(session.actor, ILONA.kutid)}
    assert said(house.stuck_registrations.end, house.member(), case_id, "meggondolta magát") == "out_of_turn"
    assert house.rows(audit)[-1].kutid is None, "another's case tells nothing"


def test_what_was_recorded_and_taken_back_stands_in_the_audit_trail(house: House) -> None:
    session = house.member()
    case_id = house.case(session, ILONA)
    house.contacts.record(session, case_id, ILONAS, NEW, "hu")
    for _ in range(2):
        house.contacts.change_record(session, case_id)
    assert house.deeds(session).count("record_changed") == 1
