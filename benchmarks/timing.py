"""Two sides of a comparison, timed in turn within one run."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Comparison", "alternate"]


@dataclass(frozen=True)
class Comparison:
    """CPU seconds of two ways to the same numbers, and the ratio aimed at."""

    what: str
    ours_s: float
    theirs_s: float
    aim: str = ""

    @property
    def ratio(self) -> float:
        """How many times faster ours is; where the aim is "<=", how much dearer."""
        if self.aim.startswith("<="):
            return self.ours_s / self.theirs_s
        return self.theirs_s / self.ours_s


def alternate(*actions: Callable[[], object], rounds: int = 7) -> list[float]:
    """Return the median CPU seconds of a call of each action, taken in turn.

    Each round times every action once, as often as fills a fiftieth of a
    second, so that whatever slows the machine down slows all of them.
    """
    calls = [_calls(action) for action in actions]
    seconds = [
        [_cpu_s(action, n) for action, n in zip(actions, calls, strict=True)]
        for _ in range(rounds)
    ]
    return [statistics.median(taken) for taken in zip(*seconds, strict=True)]


def _calls(action: Callable[[], object]) -> int:
    action()  # what only a first call pays is not counted
    return max(1, round(0.02 / max(_cpu_s(action, 1), 1e-7)))


def _cpu_s(action: Callable[[], object], calls: int) -> float:
    begin = time.process_time()
    for _ in range(calls):
        action()
    return (time.process_time() - begin) / calls
