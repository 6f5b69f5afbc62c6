"""How long the work in the background rests between its turns: longer and longer through an outage."""

_LONGEST_SECONDS = 30.0


class Pause:
    """The rest after a turn. Each turn in a row that fails doubles it, up to half a minute."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the rest after a turn that went well."""
        self._usual = seconds
        self.seconds = seconds

    def reset(self) -> None:
        """Rest as usual: a turn went well."""
        self.seconds = self._usual

    def grow(self) -> None:
        """Rest twice as long as before: a turn failed."""
        self.seconds = min(2 * self.seconds, _LONGEST_SECONDS)
