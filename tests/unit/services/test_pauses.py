"""The work in the background asks an absent database less and less often (F56)."""

from unittest.mock import Mock

from services.worklists.worker import WorklistWorker


class Stop:
    """Ends the work after a number of rests, and remembers the length of each."""

    def __init__(self, after: int) -> None:
        self.rests: list[float] = []
        self._after = after

    def wait(self, seconds: float) -> bool:
        self.rests.append(seconds)
        return len(self.rests) > self._after


def test_the_rests_grow_through_an_outage_and_end_with_it() -> None:
    dispatch, scan = Mock(), Mock()
    dispatch.go_on.side_effect = [ConnectionError] * 8 + [False]
    scan.go_on.return_value = False
    stop = Stop(9)
    WorklistWorker(dispatch, scan).run(stop)  # type: ignore[arg-type]
    assert stop.rests == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 0.5]
