"""The catalogue: the states by their names."""

from collections.abc import Callable
from dataclasses import dataclass

from services.profiles import Profile
from webapp.demo.states.walker import Walker

Walk = Callable[[Walker], None]


@dataclass(frozen=True)
class State:
    """One state. `moves_clock` where the demonstration's clock is moved on the way, which others notice too."""

    name: str
    group: str
    walk: Walk
    status: int = 200
    """Of the page."""
    needs: str = ""
    """The steps that a journey must have for it, in this order."""
    asks: str = ""
    """What customers must be asked for: a kind of number, of holder, or a datum."""
    by_staff: bool = False
    """Whether staff must be able to begin a registration."""
    letters: str = ""
    """How letters must be sent."""
    moves_clock: bool = False


_OF_STAFF = ("identify", "email", "email-sent")
"""How a journey begins that staff can begin."""
GROUPS = (
    "registration",
    "dead ends",
    "signing in",
    "the account",
    "the portal",
    "contracts",
    "letters",
    "requests",
    "the forgotten password",
    "invoices and payments",
    "documents",
    "customer service and advisers",
)
STATES: dict[str, State] = {}


def state(
    group: str,
    *,
    status: int = 200,
    needs: str = "",
    asks: str = "",
    by_staff: bool = False,
    letters: str = "",
    moves_clock: bool = False,
) -> Callable[[Walk], Walk]:
    """Add a walk to the catalogue, under its own name."""

    def add(walk: Walk) -> Walk:
        name = walk.__name__.replace("_", "-")
        STATES[name] = State(name, group, walk, status, needs, asks, by_staff, letters, moves_clock)
        return walk

    return add


def known(profile: Profile) -> list[State]:
    """Return the states that an insurer's customers can come to, in order."""
    journey, rules = profile.journey, profile.identification
    asked = {"", *rules.identifiers, *rules.asks, *rules.data}
    fit = (
        one
        for one in STATES.values()
        if [step for step in journey if step in one.needs.split()] == one.needs.split()
        and one.asks in asked
        and one.letters in ("", profile.letters)
        and (not one.by_staff or tuple(journey[:3]) == _OF_STAFF)
    )
    return sorted(fit, key=lambda one: GROUPS.index(one.group))
