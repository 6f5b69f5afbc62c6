"""When something is done about a letter that nobody opens (P20): the moments that the profile sets.

Only a letter with a latest day has them. All moments are in the morning of the insurer's zone.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, or_

from services.contracts.contract import next_anniversary
from services.letters import rows
from services.letters.letter import EventType
from services.profiles import Profile
from services.profiles.profile import OTHER_LETTERS, Reminders
from services.store.tables.letters import letters

_AT = time(9)
_DAY = timedelta(days=1)


def latest_day(profile: Profile, letter_type: str, anniversary: str | None, today: date) -> date | None:
    """Return the latest day of a letter that comes without one; None where the profile or the contract names none.

    `anniversary` is month and day of the contract's, as ``03-14``.
    """
    days = profile.reminders_of(letter_type).anniversary_days
    if days is None or anniversary is None:
        return None
    before = timedelta(days=days)
    return next_anniversary(anniversary, today + before) - before


def reminders(
    profile: Profile, letter_type: str, published_at: datetime, latest_on: date | None
) -> Mapping[EventType, datetime]:
    """Return when the customer is reminded, by mail and by text message; each before the letter is printed."""
    if latest_on is None:
        return {}
    rules, published_on = profile.reminders_of(letter_type), _local(profile, published_at).date()
    days: dict[EventType, date] = {}
    if rules.mail_days:
        days["reminded"] = published_on + rules.mail_after
    if rules.sms_days:
        days["reminded_sms"] = max(latest_on - rules.sms_before, published_on + _DAY)
    printed_on = _print_day(rules, published_on, latest_on)
    return {event: datetime.combine(day, _AT, profile.zone) for event, day in days.items() if day < printed_on}


def is_to_print(profile: Profile, now: datetime) -> ColumnElement[bool]:
    """Return the condition that a letter goes on the print list: nobody opened it, and its day is near.

    A letter is left a day to be opened, as far as its latest day allows. A customer who wants letters by post gets
    each one so (P19).
    """
    today = _local(profile, now).date()
    midnight = datetime.combine(today, time(), profile.zone)
    special = [name for name in profile.reminders if name != OTHER_LETTERS]
    near = [
        and_(letters.c.type == name, letters.c.latest_on <= today + profile.reminders_of(name).print_before)
        for name in special
    ]
    others = letters.c.latest_on <= today + profile.reminders_of(OTHER_LETTERS).print_before
    is_near = and_(
        letters.c.latest_on.is_not(None),
        letters.c.opened_at.is_(None),
        or_(*near, and_(letters.c.type.not_in(special), others)),
        or_(letters.c.published_at < midnight, letters.c.latest_on <= today + _DAY),
    )
    return and_(letters.c.printed_at.is_(None), rows.IS_CURRENT, or_(letters.c.is_on_paper, is_near))


def _print_day(rules: Reminders, published_on: date, latest_on: date) -> date:
    return min(max(latest_on - rules.print_before, published_on + _DAY), latest_on - _DAY)


def _local(profile: Profile, at: datetime) -> datetime:
    return at.astimezone(profile.zone)
