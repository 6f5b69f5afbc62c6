"""Dates in words, with the ending that Hungarian gives a day."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.values import spoken_dates


@pytest.mark.parametrize(
    ("number", "ending"),
    [(1, "1-jén"), (2, "2-án"), (4, "4-én"), (10, "10-én"), (13, "13-án"), (20, "20-án"), (23, "23-án"), (31, "31-én")],
)
def test_a_hungarian_day_on_which(number: int, ending: str) -> None:
    assert spoken_dates.day_on(date(2026, 12, number), "hu").endswith(f"\N{NO-BREAK SPACE}{ending}")


def test_other_languages_have_no_ending() -> None:
    assert spoken_dates.day_on(date(2026, 11, 20), "en") == spoken_dates.day(date(2026, 11, 20), "en")
    assert spoken_dates.day(date(2026, 11, 20), "en").split() == ["20", "November", "2026"]
    assert spoken_dates.day(date(2026, 11, 20), "sk").split() == ["20.", "novembra", "2026"]


def test_a_moment_is_one_of_the_zone_with_its_seconds() -> None:
    at = datetime(2026, 11, 20, 23, 2, 5, tzinfo=UTC)
    words = spoken_dates.moment(at, ZoneInfo("Europe/Budapest"), "hu")
    assert words.split() == ["2026.", "november", "21.", "0:02:05"]
