"""What follows from a contract's dates (P5, P8), and its id."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.contracts.contract import Contract, KeyDate
from services.contracts.ids import ContractIds
from services.keys import Keys

TODAY = date(2026, 11, 24)
MONTH = timedelta(days=30)
CONTRACT = Contract(
    id="x", number="940000001", is_cancelled=False, product="motor", title=None, insured=None, account=None,
    adviser=None, starts_on=date(2023, 1, 15), anniversary="01-15", premium=24900, currency="HUF",
    frequency="quarterly", paid_until=date(2026, 12, 14), cover_until=None, ended_on=None, end_reason=None,
    kept_until=None,
)  # fmt: skip


def _dates(today: date = TODAY, notice: timedelta = MONTH, **changed: object) -> list[tuple[str, str]]:
    contract = replace(CONTRACT, **changed)  # type: ignore[arg-type]
    return [(one.kind, one.on.isoformat()) for one in contract.dates(today, notice)]


def test_the_days_to_come_stand_in_their_order() -> None:
    assert _dates() == [("premium", "2026-12-15"), ("cancel", "2026-12-16"), ("anniversary", "2027-01-15")]


@pytest.mark.parametrize(
    ("today", "cancel", "anniversary"),
    [
        (date(2026, 12, 16), "2026-12-16", "2027-01-15"),  # the last day itself
        (date(2026, 12, 17), "2027-12-16", "2027-01-15"),  # too late: the next one is a year later
        (date(2027, 1, 15), "2027-12-16", "2027-01-15"),
        (date(2027, 1, 16), "2027-12-16", "2028-01-15"),
    ],
)
def test_the_last_day_to_cancel_is_that_of_the_next_anniversary_it_can_still_be_cancelled_for(
    today: date, cancel: str, anniversary: str
) -> None:
    found = dict(_dates(today, paid_until=None))
    assert found == {"cancel": cancel, "anniversary": anniversary}


@pytest.mark.parametrize(("year", "day"), [(2027, "2027-02-28"), (2028, "2028-02-29")])
def test_an_anniversary_of_29_february_is_the_months_last_day(year: int, day: str) -> None:
    assert ("anniversary", day) in _dates(date(year, 1, 1), anniversary="02-29")


def test_a_contract_that_has_not_begun_has_its_first_anniversary_a_year_later() -> None:
    found = dict(_dates(starts_on=date(2027, 1, 15), paid_until=None))
    assert found["anniversary"] == "2028-01-15"
    assert replace(CONTRACT, starts_on=date(2027, 1, 15)).state(TODAY) == "future"


def test_the_end_takes_the_place_of_anniversaries() -> None:
    assert _dates(ended_on=date(2026, 12, 31), paid_until=None) == [("end", "2026-12-31")]


def test_a_cancelled_contract_has_no_days_and_no_premium() -> None:
    assert _dates(is_cancelled=True) == []
    assert replace(CONTRACT, is_cancelled=True).due_on is None


@pytest.mark.parametrize(
    ("changed", "due", "is_overdue"),
    [
        ({}, date(2026, 12, 15), False),
        ({"paid_until": date(2026, 11, 23)}, TODAY, False),
        ({"paid_until": date(2026, 11, 22)}, date(2026, 11, 23), True),
        ({"frequency": "single"}, None, False),
        ({"premium": None}, None, False),
        ({"paid_until": None}, None, False),
    ],
)
def test_a_premium_is_due_the_day_after_it_is_paid_until(changed, due, *, is_overdue) -> None:
    contract = replace(CONTRACT, **changed)
    assert contract.due_on == due
    assert contract.is_overdue(TODAY) == is_overdue
    assert (KeyDate("premium", due) in contract.dates(TODAY, MONTH)) == (due is not None and not is_overdue)


def test_an_id_tells_nothing_and_stays_while_newer_keys_are_added() -> None:
    ids = ContractIds(Keys(("an-old-key",)))
    assert ids.of("940000001") == ContractIds(Keys(("a-new-key", "an-old-key"))).of("940000001")
    assert ids.of("940000001") != ContractIds(Keys(("a-new-key",))).of("940000001")
    assert len({ids.of(str(number)) for number in range(2000)}) == 2000
    assert len(ids.of("940000001")) == 22
