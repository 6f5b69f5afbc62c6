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


@pytest.mark.parametrize(
    ("number", "until", "since"), [(1, "1-jéig", "1-jétől"), (20, "20-ig", "20-ától"), (25, "25-ig", "25-étől")]
)
def test_a_span_ends_and_begins_in_hungarian_with_the_endings_of_its_day(number: int, until: str, since: str) -> None:
    one = date(2026, 11, number)
    assert spoken_dates.day_until(one, "hu").endswith(until)
    assert spoken_dates.day_from(one, "hu").endswith(since)
    assert spoken_dates.day_until(one, "en") == spoken_dates.day_from(one, "en") == spoken_dates.day(one, "en")


def test_a_day_in_figures_follows_the_language() -> None:
    assert [spoken_dates.short(date(2026, 11, 5), one) for one in ("hu", "sk")] == ["2026.11.05", "05.11.2026"]
