"""Every sight of the site before axe-core (WCAG 2.2 AA and good practice), and in a narrow window."""

from collections.abc import Callable, Iterator

import pytest

from . import scenes
from .conftest import Meet
from .visitor import Visitor

pytestmark = pytest.mark.moves_time

Scenes = Callable[[Visitor], Iterator[str]]
_EACH = pytest.mark.parametrize(
    "sights", [scenes.steps, scenes.errors, scenes.dead_ends, scenes.account], ids=lambda it: it.__name__
)


@pytest.mark.looked_at
@_EACH
def test_axe_finds_nothing(visitor: Visitor, sights: Scenes) -> None:
    """On a phone and on a desktop."""
    assert _violations(visitor, sights) == []


@pytest.mark.once
@_EACH
def test_axe_finds_nothing_in_the_dark(meet: Meet, sights: Scenes) -> None:
    """Where the visitor's device asks for dark pages: other colours, the same contrast."""
    assert _violations(meet(color_scheme="dark"), sights) == []


@pytest.mark.once
@_EACH
def test_nothing_is_wider_than_a_narrow_window(visitor: Visitor, sights: Scenes) -> None:
    """WCAG 1.4.10: at 320 pixels nothing scrolls sideways."""
    visitor.browser.resize(320, 640)
    wide = [
        f"{sight}: {width}"
        for sight in sights(visitor)
        if (width := visitor.browser.evaluate("() => document.scrollingElement.scrollWidth")) > 320
    ]
    assert wide == []


def _violations(visitor: Visitor, sights: Scenes) -> list[str]:
    return [f"{sight}: {violation}" for sight in sights(visitor) for violation in visitor.axe()]
