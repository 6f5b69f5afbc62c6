"""Marks that stand in forms and addresses for a customer, an adviser or a place in a list, and tell nothing."""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from services.staff.member import StaffSession

if TYPE_CHECKING:
    from services.worklists.token_box import TokenBox

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


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

    def seal_place(self, session: StaffSession, purpose: str, row_id: str, moment: datetime | None) -> str:
        """Return the mark of a place in a list: of the row there, and of its moment where the list goes by moments."""
        text = f"{(moment - _EPOCH) // _MILLISECOND} {row_id}" if moment else row_id
        return self.seal(session, purpose, text)

    def read_place(self, session: StaffSession, purpose: str, mark: str) -> tuple[str, datetime | None] | None:
        """Return what `seal_place` was given, or None."""
        text = self.read(session, purpose, mark)
        if text is None:
            return None
        moment, _, row_id = text.rpartition(" ")
        return row_id, _EPOCH + int(moment) * _MILLISECOND if moment else None

    @cached_property
    def _box(self) -> "TokenBox":
        from services.worklists.token_box import TokenBox  # noqa: PLC0415 (see there)

        return TokenBox(self._keys)
