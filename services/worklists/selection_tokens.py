"""Marks that stand in forms and addresses for a customer, an adviser or a place in a list, and tell nothing."""

from functools import cached_property
from typing import TYPE_CHECKING

from services.staff.member import StaffSession

if TYPE_CHECKING:
    from services.worklists.token_box import TokenBox


class SelectionTokens:
    """Seals texts for one session of one member of staff: there alone they can be read again.

    A mark is the same in every window, and nothing need be kept of it.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        """`keys` come newest first; the newest seals, all of them read."""
        self._keys = keys

    def seal(self, session: StaffSession, purpose: str, text: str) -> str:
        """Return the mark of `text`."""
        return self._box.seal(f"{session.id} {purpose}", text)

    def read(self, session: StaffSession, purpose: str, mark: str) -> str | None:
        """Return what was sealed for this session and purpose, or None."""
        return self._box.open(f"{session.id} {purpose}", mark)

    @cached_property
    def _box(self) -> "TokenBox":
        from services.worklists.token_box import TokenBox  # noqa: PLC0415 (see there)

        return TokenBox(self._keys)
