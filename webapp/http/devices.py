"""Which browser a sign-in comes from: its name for the customer, and the lasting mark by which it is known again."""

import re
from functools import lru_cache

from flask import Response, request
from flask_limiter.util import get_remote_address

from services import randomness
from services.sessions import Device
from webapp.http.cookies import keep, kept

_COOKIE = "device"
_MARK = re.compile(r"^[\w-]{16,64}$")
# The supported browsers (M3) and what they run on; the first that fits, since most name others besides themselves.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Samsung Internet", "SamsungBrowser/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Version/.*Safari/"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("Linux", "Linux|X11"),
)

ROBOT, OTHER_BROWSER = "robot", "other"
_ROBOT = re.compile(r"bot\b|crawl|spider|slurp|preview|monitor|facebookexternalhit|curl/|wget/", re.IGNORECASE)


def this_device() -> Device:
    """Return the browser of this request; without a mark yet it gets a new one, which `remember` keeps."""
    mark = kept(_COOKIE) or ""
    agent = request.headers.get("User-Agent", "")[:500]
    named = (next((name for name, sign in known if re.search(sign, agent)), "") for known in (_BROWSERS, _SYSTEMS))
    return Device(
        mark if _MARK.match(mark) else randomness.opaque_id(),
        ", ".join(name for name in named if name),
        get_remote_address(),
    )


def browser_family() -> str:
    """Return the name of the browser of this request without its version, ``robot`` for what calls itself one."""
    return _family(request.headers.get("User-Agent", "")[:500])


@lru_cache(256)
def _family(agent: str) -> str:
    if _ROBOT.search(agent):
        return ROBOT
    return next((name for name, sign in _BROWSERS if re.search(sign, agent)), OTHER_BROWSER)


def remember(device: Device, response: Response) -> None:
    """Keep the browser's mark in it for a year; it says nothing about the person."""
    keep(response, _COOKIE, device.mark)
