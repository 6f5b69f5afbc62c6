"""Reference codes: short, speakable, and the same for the same dead end of a registration."""

import re

import pytest
from sqlalchemy import select

from services.references import References
from services.store.engine import Store
from services.store.tables.references import reference_codes
from tests.world.clock import HandClock
from tests.world.outcomes import at_once
from tests.world.world import base_of


@pytest.fixture
def references(store: Store) -> References:
    return References(base_of(store, HandClock()))


def test_a_code_can_be_read_out(references: References) -> None:
    for _ in range(50):
        code = references.issue("no_mobile")
        assert re.fullmatch(r"[2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3}", code)


def test_a_code_finds_again_what_happened(references: References, store: Store) -> None:
    code = references.issue("codes_used_up", kutid="10000001", registration_id="registration")
    with store.read() as connection:
        row = connection.execute(select(reference_codes).where(reference_codes.c.code == code)).one()
    assert (row.kind, row.kutid, row.registration_id) == ("codes_used_up", "10000001", "registration")
    assert row.created_at == HandClock().now()


def test_the_same_dead_end_keeps_its_code(references: References) -> None:
    code = references.issue("link_expired", registration_id="registration")
    assert references.issue("link_expired", registration_id="registration") == code
    assert references.issue("codes_used_up", registration_id="registration") != code
    assert references.issue("link_expired", registration_id="another") != code


def test_a_customer_keeps_the_code_of_a_dead_end_for_an_hour(store: Store) -> None:
    clock = HandClock()
    references = References(base_of(store, clock))
    code = references.issue("no_mobile", kutid="10000001")
    clock.advance(minutes=59)
    assert set(at_once([lambda: references.issue("no_mobile", kutid="10000001")] * 4)) == {code}
    assert references.issue("already_registered", kutid="10000001") != code
    assert references.issue("no_mobile", kutid="10000002") != code
    clock.advance(minutes=1)
    news = set(at_once([lambda: references.issue("no_mobile", kutid="10000001")] * 4))
    assert len(news) == 1
    assert news != {code}


def test_without_a_registration_each_is_a_new_one(references: References) -> None:
    assert references.issue("link_unknown") != references.issue("link_unknown")


def test_a_code_that_is_taken_is_not_given_again(references: References, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter(["AAA-AAA", "AAA-AAA", "BBB-BBB"])
    monkeypatch.setattr("services.randomness.reference", lambda: next(codes))
    assert references.issue("link_unknown") == "AAA-AAA"
    assert references.issue("link_unknown") == "BBB-BBB"
