"""Many at once, each in a thread: counts hold, one has its way, and nobody sees the database's own errors."""

from functools import partial

import pytest

from services.registrations import Access, Registration
from services.store.tables.codes import one_time_codes
from tests.world.cast import ANNA, CROWD, ESZTER, PASSWORD
from tests.world.outcomes import at_once, only_answers, outcome_of, wrong_code
from tests.world.world import FACTS, WRONG, World


def evaluated(found: list) -> list:
    """Return the answers by which a code was looked at: it was right, or cost a try."""
    return [one for one in found if isinstance(one, Registration)]


def test_of_parallel_guesses_at_most_the_tries_left_are_looked_at(world: World) -> None:
    rules = world.profile.one_time_code
    access = world.sent_code(ANNA)
    wrong = wrong_code(world.code_sent(ANNA.mobile))
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, wrong) == "sms_code.wrong"
    only_answers(at_once([partial(world.registrations.mobiles.confirm_mobile, access, wrong)] * 50))
    with world.store.read() as connection:
        row = connection.execute(one_time_codes.select()).one()
    assert (row.tries_left, row.guesses_used) == (0, rules.tries)
    assert (
        outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "sms_code.wrong"
    )


def test_fifty_guesses_at_once_find_the_code_at_most_by_the_tries_left(world: World) -> None:
    access = world.sent_code(ANNA)
    right = world.code_sent(ANNA.mobile)
    guesses = [f"{(int(right) + number) % 10000:04}" for number in range(1, 50)] + [right]
    found = only_answers(
        at_once([partial(world.registrations.mobiles.confirm_mobile, access, guess) for guess in guesses])
    )
    assert len(evaluated(found)) <= 1
    is_found = bool(evaluated(found))
    assert (world.see(access).mobile_confirmed_at is not None) is is_found
    tries_left = world.see(access).code.tries_left
    assert 0 <= tries_left < world.profile.one_time_code.tries
    assert is_found or tries_left == 0


def test_the_right_code_fifty_times_at_once_confirms_once(world: World) -> None:
    access = world.sent_code(ANNA)
    right = world.code_sent(ANNA.mobile)
    found = only_answers(at_once([partial(world.registrations.mobiles.confirm_mobile, access, right)] * 50))
    assert evaluated(found)
    assert world.see(access).mobile_confirmed_at == world.clock.now()


@pytest.mark.parametrize("verb", ["choose_mobile", "resend_code"])
def test_parallel_sends_make_one_sms(world: World, verb: str) -> None:
    access = world.linked(ANNA)
    call = partial(world.registrations.mobiles.choose_mobile, access, ANNA.mobile)
    if verb == "resend_code":
        call()
        world.deliver()
        world.clock.advance(minutes=1)
        world.postman.letters.clear()
        call = partial(world.registrations.mobiles.resend_code, access)
    found = only_answers(at_once([call] * 12))
    assert any(isinstance(one, Registration) for one in found)
    assert len(world.letters("sms")) == 1
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "ok"


def test_parallel_sends_for_a_code_that_has_not_left_make_one_sms(world: World) -> None:
    access = world.linked(ANNA)
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    only_answers(at_once([partial(world.registrations.mobiles.resend_code, access)] * 12))
    assert len(world.letters("sms")) == 1
    assert world.see(access).code.codes_left(world.clock.now()) == world.profile.one_time_code.codes - 1
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, world.code_sent(ANNA.mobile)) == "ok"


def test_two_registrations_of_one_customer_send_one_sms_at_once(world: World) -> None:
    first, second = world.linked(ANNA), world.linked(ANNA)
    found = at_once(
        [partial(world.registrations.mobiles.choose_mobile, access, ANNA.mobile) for access in (first, second) * 4]
    )
    only_answers(found)
    assert len(world.letters("sms")) == 1


def test_one_address_for_two_customers_at_once(world: World) -> None:
    accesses = []
    for person in (ANNA, ESZTER):
        access = world.identified(person)
        world.registrations.emails.choose_email(access, ANNA.address)
        access = world.access_by_mail(ANNA.email)
        world.registrations.mobiles.choose_mobile(access, person.mobile)
        world.registrations.mobiles.confirm_mobile(access, world.code_sent(person.mobile))
        world.accept_terms(access)
        accesses.append(access)
    found = at_once(
        [partial(outcome_of, world.registrations.completion.complete, access, PASSWORD) for access in accesses]
    )
    assert sorted(found) == ["email.taken", "ok"]
    assert len(world.accounts()) == 1
    loser = accesses[found.index("email.taken")]
    assert [fact for fact in FACTS if world.see(loser).has(fact)] == ["identifier"]


def test_ten_last_steps_at_once_open_one_account_and_send_one_mail(world: World) -> None:
    access = world.accepted(ANNA)
    found = at_once([partial(world.registrations.completion.complete, access, PASSWORD) for _ in range(10)])
    assert [one.is_complete for one in only_answers(found)] == [True] * 10
    assert len(world.accounts()) == 1
    assert len(world.letters("email")) == 2  # the link and the good news


def test_two_registrations_of_one_customer_complete_at_once_and_one_has_its_way(world: World) -> None:
    accesses = [world.accepted(ANNA)]
    world.clock.advance(minutes=1)
    accesses.append(world.accepted(ANNA))
    found = at_once(
        [partial(outcome_of, world.registrations.completion.complete, access, PASSWORD) for access in accesses * 5]
    )
    assert sorted(set(found)) == ["already_registered", "ok"]
    assert len(world.accounts()) == 1


def test_parallel_wrong_identifications_are_looked_at_as_often_as_allowed(world: World) -> None:
    tries = world.profile.identification.wrong_tries
    identify = partial(outcome_of, world.registrations.identification.identify, ANNA.policy_number, WRONG, "hu")
    found = at_once([identify] * 30)
    assert sorted(found) == ["identify.mismatch"] * tries + ["identify.slowed"] * (30 - tries)


def test_the_right_datum_among_parallel_wrong_ones_is_found_only_within_the_tries(world: World) -> None:
    tries = world.profile.identification.wrong_tries
    wrong = partial(outcome_of, world.registrations.identification.identify, ANNA.policy_number, WRONG, "hu")
    right = partial(outcome_of, world.registrations.identification.identify, ANNA.policy_number, ANNA.knows, "hu")
    found = at_once([*[wrong] * 25, right])
    # A match forgives what was slipped before it, so there may be as many again after it.
    assert found.count("identify.mismatch") in ((tries,) if found[-1] == "identify.slowed" else range(tries, 2 * tries))
    assert set(found) <= {"identify.mismatch", "identify.slowed", "ok"}


def test_parallel_mails_to_one_address_are_at_most_six(world: World) -> None:
    accesses = [world.identified(person) for person in CROWD[:15]]
    found = at_once(
        [partial(outcome_of, world.registrations.emails.choose_email, access, ANNA.address) for access in accesses]
    )
    limit = world.profile.registration.mails_an_hour
    assert sorted(found) == ["email.too_many"] * (15 - limit) + ["ok"] * limit
    assert len(world.letters("email", ANNA.email)) == limit


def test_one_address_chosen_many_times_at_once_gets_one_mail(world: World) -> None:
    access = world.identified(ANNA)
    only_answers(at_once([partial(world.registrations.emails.choose_email, access, ANNA.address)] * 12))
    assert len(world.letters("email")) == 1
    linked = world.access_by_mail(ANNA.email)
    assert outcome_of(world.registrations.mobiles.choose_mobile, linked, ANNA.mobile) == "ok"


def test_thirty_customers_register_at_once(world: World) -> None:
    accesses = [world.accepted(person) for person in CROWD[:3]]

    def register(number: int) -> Registration:
        if number < len(accesses):
            return world.registrations.completion.complete(accesses[number], PASSWORD)
        person = CROWD[number]
        return world.registrations.emails.choose_email(world.identified(person), person.address)

    only_answers(at_once([partial(register, number) for number in range(30)]))
    assert len(world.accounts()) == 3
    assert len({letter.to for letter in world.letters("email")}) == 30


def test_answers_to_two_own_steps_at_once_are_both_kept(world: World) -> None:
    facts = ("identifier", "region", "broker", *FACTS[1:])
    own = World(world.store, facts=facts)
    access: Access = own.identified(ANNA)
    own.registrations.consents.record(access, "region", {"name": "Dél"})
    record = own.registrations.consents.record
    for name in ("Kelet", "Nyugat", "Észak") * 3:
        only_answers(at_once([
            partial(record, access, "region", {"name": name}),
            partial(record, access, "broker", {"name": name}),
        ]))  # fmt: skip
        assert own.see(access).answers == {"region": {"name": name}, "broker": {"name": name}}
