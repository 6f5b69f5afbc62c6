"""What was typed, read as the answer to a question of each type (P34)."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.profiles.request_kinds import Page, Question
from services.refusal import Refusal
from services.requests.reading import Reader

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=ZoneInfo("Europe/Budapest"))
HUNGARIAN = Reader("HU", ("hu", "en"), NOW)
SLOVAK = Reader("SK", ("sk", "en"), NOW)


def question(kind: str, *, is_optional: bool = False) -> Question:
    options = ("water", "fire") if kind == "choice" else ()
    return Question(name="q", type=kind, options=options, is_optional=is_optional)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "typed", "answer"),
    [
        ("text", "  M1,   45 km ", "M1, 45 km"),
        ("long_text", " egy\r\nkettő ", "egy\nkettő"),
        ("date", "2026. november 20.", "2026-11-20"),
        ("date_from_today", "2026-11-30", "2026-11-30"),
        ("date_until_today", "2026.11.30.", "2026-11-30"),
        ("year", "2025.", "2025"),
        ("time", "14:30", "14:30"),
        ("time", "7.05", "07:05"),
        ("money", "24 900", 24900),
        ("plate", "abc-123", "ABC123"),
        ("postal_code", "1137", "1137"),
        ("bank_account", "HU42 1177 3016 1111 1018 0000 0000", "HU42117730161111101800000000"),
        ("bank_account", "11773016-11111018-00000000", "HU42117730161111101800000000"),
        ("bank_account", "11773016-11111018", "HU42117730161111101800000000"),
        ("bank_account", "SK31 1200 0000 1987 4263 7541", "SK3112000000198742637541"),
        ("phone", "20 123 4567", "+36201234567"),
        ("email", "anna@example.hu", "anna@example.hu"),
        ("yes_no", "yes", "yes"),
        ("choice", "fire", "fire"),
        ("statement", "1", True),
    ],
)
def test_an_answer_has_one_written_form(kind: str, typed: str, answer: Any) -> None:
    assert HUNGARIAN.read(question(kind), typed) == answer


@pytest.mark.parametrize(
    ("kind", "typed", "refusal"),
    [
        ("text", " ", "text.empty"),
        ("long_text", "x" * 4001, "long_text.too_long"),
        ("date", "tegnap", "date.malformed"),
        ("date", "2026-02-30", "date.impossible"),
        ("date_from_today", "2026-11-29", "date.past"),
        ("date_until_today", "2026-12-01", "date.future"),
        ("year", "2027", "date.future"),
        ("year", "26", "date.year"),
        ("time", "24:00", "time.malformed"),
        ("money", "sok", "money.malformed"),
        ("money", "12,50", "money.malformed"),
        ("money", "0", "money.zero"),
        ("plate", "ABC", "plate.malformed"),
        ("postal_code", "113", "postal_code.malformed"),
        ("bank_account", "HU43 1177 3016 1111 1018 0000 0000", "account.check"),
        ("bank_account", "11773017-11111018-00000000", "account.check"),
        ("bank_account", "1234", "account.malformed"),
        ("bank_account", "XX00", "account.malformed"),
        ("phone", "kettő", "phone.malformed"),
        ("email", "anna", "email.malformed"),
        ("yes_no", "maybe", "yes_no.empty"),
        ("choice", "thief", "choice.unknown"),
        ("choice", "", "choice.empty"),
        ("statement", "", "statement.empty"),
        ("contract", "", "contract.empty"),
    ],
)
def test_what_cannot_be_an_answer_says_why(kind: str, typed: str, refusal: str) -> None:
    with pytest.raises(Refusal) as raised:
        HUNGARIAN.read(question(kind), typed)
    assert str(raised.value) == refusal


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (("2026", "", "5"), ("month", {"month"})),
        (("26", "11", "5"), ("year", {"year"})),
        (("2026", "13", "5"), ("impossible", {"month"})),
        (("2026", "2", "30"), ("impossible", {"day"})),
        (("2026", "feb", "3"), ("malformed", {"month"})),
    ],
)
def test_a_date_in_parts_says_which_part_is_wrong(parts: tuple[str, str, str], told: tuple[str, set[str]]) -> None:
    with pytest.raises(Refusal) as raised:
        HUNGARIAN.read(question("date"), "", parts)
    assert (raised.value.reason, set(raised.value.facts["parts"])) == told


def test_a_whole_date_may_stand_in_the_first_part() -> None:
    assert HUNGARIAN.read(question("date"), "", ("2026-12-24", "", "")) == "2026-12-24"
    assert HUNGARIAN.read(question("date"), "", ("2026", "12", "24")) == "2026-12-24"


def test_money_is_in_the_main_unit_of_the_country() -> None:
    assert SLOVAK.read(question("money"), "120,50") == 12050
    assert SLOVAK.read(question("money"), "120") == 12000


def page(*questions: tuple[str, str]) -> Page:
    return Page(questions=tuple(Question(name=name, type=kind) for name, kind in questions))  # type: ignore[arg-type]


def test_what_happened_was_not_later_today() -> None:
    asked = page(("happened_on", "date_until_today"), ("happened_at", "time"))
    found = {
        at: [(name, str(one)) for name, one in HUNGARIAN.check(asked, {"happened_on": day, "happened_at": at})]
        for day, at in (("2026-11-30", "10:00"), ("2026-11-30", "10:01"), ("2026-11-29", "23:59"))
    }
    assert found == {"10:00": [], "10:01": [("happened_at", "time.future")], "23:59": []}


def test_the_last_day_is_not_before_the_first() -> None:
    asked = page(("from", "date"), ("last_day", "date"))
    assert not list(HUNGARIAN.check(asked, {"from": "2026-12-01", "last_day": "2026-12-01"}))
    assert not list(HUNGARIAN.check(asked, {"from": "2026-12-01", "last_day": None}))
    ((name, refusal),) = HUNGARIAN.check(asked, {"from": "2026-12-01", "last_day": "2026-11-30"})
    assert (name, str(refusal)) == ("last_day", "date.before")


def test_what_may_be_left_empty_is_none() -> None:
    for kind in ("text", "date", "bank_account", "money"):
        assert HUNGARIAN.read(question(kind, is_optional=True), " ") is None
