"""A clock moved by hand."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """A clock that keeps its time until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float = 0, **by: float) -> None:
        """Move on by seconds, or by what `timedelta` knows besides."""
        self.moment += timedelta(seconds=seconds, **by)
