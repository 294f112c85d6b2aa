"""CPU time of rival functions, taken in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

__all__ = ["cpu_seconds", "fastest"]


def cpu_seconds(rivals: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run each function once to warm up, then `rounds` times in turns; return the median CPU seconds of each."""
    for run in rivals.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, run in rivals.items():
            times[name].append(_once(run))
    return {name: statistics.median(own) for name, own in times.items()}


def fastest(run: Callable[[], object], rounds: int = 20) -> float:
    """Return the least CPU seconds of a function: what the machine can do when nothing disturbs it."""
    run()
    return min(_once(run) for _ in range(rounds))


def _once(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
