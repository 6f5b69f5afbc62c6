"""Draws journeys from their declaration: as text for a terminal, and as SVG for documents."""

from collections.abc import Sequence
from html import escape

from services.profiles import Profile
from services.profiles.request_kinds import Page
from webapp.journey.journey import ACTIVATION
from webapp.journey.registry import journey_of

_WIDTH, _HEIGHT, _GAP, _ROW = 124, 50, 18, 152
_MARGIN = 24


def stations(profile: Profile) -> list[tuple[str, str]]:
    """Return the steps of a profile's journey, each with what it asks for or how it is limited.

    Raises ProfileError when the journey is not possible.
    """
    journey = journey_of(profile)
    names = [*(step.name for step in journey.steps), *([ACTIVATION] if journey.has_activation else [])]
    return [(name, _about(name, profile)) for name in names]


def draw_text(profile: Profile) -> str:
    """Return the journey, and the kinds of requests, as lines of text."""
    lines = [profile.name]
    for number, (name, about) in enumerate(stations(profile), 1):
        lines.append(f"  {number}  {name:<12}{about}".rstrip())
        if name == "email-sent":
            lines.append("     ── behind the mailed link: the second half ──")
        if name == "password":
            lines.append("     ── the account is open ──")
    return "\n".join([*lines, *_requests(profile)])


def _requests(profile: Profile) -> list[str]:
    """Return a line for each kind of request: its pages in order, the questions of one page joined by a plus."""
    if not profile.requests:
        return []
    width = max(map(len, profile.requests)) + 2
    lines = [
        f"  {name:<{width}}{'  →  '.join(map(_page, kind.pages))}  →  send; {_days(kind.days)}"
        for name, kind in profile.requests.items()
    ]
    return ["", "  requests", *lines]


def _days(days: int) -> str:
    return "at once" if not days else "1 working day" if days == 1 else f"{days} working days"


def _page(page: Page) -> str:
    asked = " + ".join(f"{one.name}{'?' if one.is_optional else ''}" for one in page.questions)
    conditions = " and ".join(f"{name} = {'/'.join(wanted)}" for name, wanted in page.condition.items())
    return f"(if {conditions}: {asked})" if conditions else asked


def draw_svg(profiles: Sequence[Profile]) -> str:
    """Return the journeys, a row each, as one SVG document that fits a light and a dark page."""
    rows = [stations(profile) for profile in profiles]
    width = 2 * _MARGIN + max(len(row) for row in rows) * (_WIDTH + _GAP) - _GAP
    height = _MARGIN + len(rows) * _ROW
    drawn = [
        _row(profile.name, row, _MARGIN + place * _ROW)
        for place, (profile, row) in enumerate(zip(profiles, rows, strict=True))
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="13">\n'
        f"<title>{escape('; '.join(_told(p, r) for p, r in zip(profiles, rows, strict=True)))}</title>\n"
        f'<rect width="{width}" height="{height}" rx="14" fill="#f8f5ef"/>\n' + "\n".join(drawn) + "\n</svg>\n"
    )


def _told(profile: Profile, row: list[tuple[str, str]]) -> str:
    return f"{profile.name}: {', '.join(name for name, _ in row)}"


def _row(name: str, row: list[tuple[str, str]], top: int) -> str:
    parts = [f'<text x="{_MARGIN}" y="{top + 14}" font-weight="700" fill="#1b2a2e">{escape(name)}</text>']
    y = top + 26
    is_second = False
    for place, (step, about) in enumerate(row):
        x = _MARGIN + place * (_WIDTH + _GAP)
        if place:
            parts.append(
                f'<path d="M{x - _GAP + 4} {y + _HEIGHT // 2}h{_GAP - 10}m-5-5 5 5-5 5" fill="none" stroke="#556161" '
                'stroke-width="1.5"/>'
            )
        fill = "#e1eeef" if is_second else "#ffffff"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="10" fill="{fill}" stroke="#0d5c63"/>'
            f'<text x="{x + _WIDTH // 2}" y="{y + _HEIGHT // 2 + 5}" text-anchor="middle" font-weight="600" '
            f'fill="#0d5c63">{escape(step)}</text>'
        )
        for line, words in enumerate(_lines(about)):
            parts.append(
                f'<text x="{x + _WIDTH // 2}" y="{y + _HEIGHT + 16 + 14 * line}" text-anchor="middle" font-size="11" '
                f'fill="#556161">{escape(words)}</text>'
            )
        is_second = is_second or step == "email-sent"
    return "\n".join(parts)


def _lines(about: str) -> list[str]:
    """Return the words in lines of a box's width."""
    lines = [""]
    for word in about.split():
        if lines[-1] and len(lines[-1]) + len(word) >= 20:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _about(name: str, profile: Profile) -> str:
    code, password = profile.one_time_code, profile.password
    if name == "identify":
        numbers = " or ".join(_words(kind) for kind in profile.identification.identifiers)
        data = list(dict.fromkeys(" + ".join(map(_words, data)) for data in profile.identification.asks.values()))
        return f"{numbers}; {' or '.join(data)}"
    typed = f"the last {code.typed} of {code.length} digits" if code.takes_tail else f"{code.length} digits"
    about = {
        "email-sent": f"a link, {profile.registration.minutes} minutes",
        "sms-code": f"{typed}, {code.minutes} minutes",
        "password": f"{password.min_length} characters or more",
        ACTIVATION: f"{typed}, at the first sign-in",
    }
    return about.get(name, "")


def _words(name: str) -> str:
    return name.replace("_", " ")
