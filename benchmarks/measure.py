"""CPU time and memory of implementations, measured in turns so that other load affects all of them equally."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

from benchmarks.worker import Worker, WorkerError, run_in_worker

__all__ = ["Case", "Effort", "TooSlow", "compare", "fastest", "in_turns", "peak", "ready"]


class Case(Protocol):
    """Something to measure, which can be sent to another process."""

    def prepare(self) -> Callable[[], object]:
        """Make weights and inputs, and return the function to time."""
        ...

    def small(self) -> Self:
        """Return the same case at a small size, which loads code and starts threads before the measurement."""
        ...

    @property
    def size(self) -> tuple[int, ...]:
        """Sizes that time and memory grow with."""
        ...


class Effort(NamedTuple):
    """How long to measure."""

    rounds: int = 5
    """Rounds of which the median is taken."""
    patience: float = 200.0
    """CPU seconds after which a case starts no further round; it gets at least one after the warm-up round."""
    seconds: int = 300
    """Limit on the CPU seconds of one pass; a case that needs more is left out."""
    gibibytes: int = 16
    """Limit on the memory of one pass."""


class TooSlow:
    """Cases that exceeded a limit at some size and are not tried at larger sizes."""

    def __init__(self) -> None:
        self._known: list[tuple[str, tuple[int, ...], str]] = []

    def add(self, name: str, size: tuple[int, ...], reason: str) -> None:
        self._known.append((name, size, reason))

    def reason(self, name: str, size: tuple[int, ...]) -> str | None:
        for known, least, reason in self._known:
            if name == known and all(own >= other for own, other in zip(size, least, strict=True)):
                return reason
        return None


def compare(
    cases: Mapping[str, Case],
    effort: Effort,
    too_slow: TooSlow | None = None,
    *,
    default_settings: Collection[str] = (),
) -> dict[str, Any]:
    """Measure the peak memory of each case that fits, then its time, in turns with ours.

    Each runs in its own process: in a shared one, fragmented memory made a block 1.3 times as slow.

    Parameters
    ----------
    cases : mapping
        Implementations by name; the first one is ours, and ratios are relative to it.
    effort : Effort
        Rounds and limits.
    too_slow : TooSlow, optional
        Cases that exceeded a limit before; new ones are added.
    default_settings : collection of str, optional
        Names to measure a second time without epigx's memory settings, as ``mambapy, default settings``.

    Returns
    -------
    dict
        ``competitors``: by name (ours included), the median CPU ``seconds``, all ``rounds``, ``times`` (how many times
        slower than ours in turns with it; None if ours is missing), and ``peak_mib`` (None if unknown on this
        system); ``left_out``: by name, why a case is missing.
    """
    too_slow = too_slow or TooSlow()
    left_out: dict[str, str] = {}
    peaks: dict[str, int | None] = {}
    bare = {f"{name}, default settings": cases[name] for name in default_settings}
    every = {**cases, **bare}
    for name, case in every.items():
        if (reason := too_slow.reason(name, case.size)) is None:
            try:
                limits = {"seconds": effort.seconds, "gibibytes": effort.gibibytes}
                peaks[name] = run_in_worker(peak, case, tuned=name not in bare, **limits)
                continue
            except WorkerError as failure:
                reason = str(failure)
                too_slow.add(name, case.size, reason)
        left_out[name] = reason
    first, *others = every
    rounds: dict[str, list[float]] = {}
    times: dict[str, float | None] = {}
    with ExitStack() as workers:
        ours = [workers.enter_context(Worker(ready, every[first]))] if first in peaks else []
        if ours:
            rounds[first], times[first] = [], 1.0
        for name in filter(peaks.__contains__, others):
            with Worker(ready, every[name], tuned=name not in bare) as other:
                *beside, rounds[name] = in_turns([*ours, other], effort.rounds, effort.patience)
            times[name] = statistics.median(rounds[name]) / statistics.median(*beside) if beside else None
            for own in beside:
                rounds[first] += own
        if ours and not rounds[first]:
            (rounds[first],) = in_turns(ours, effort.rounds, effort.patience)
    return {
        "competitors": {
            name: {
                "seconds": statistics.median(own),
                "rounds": own,
                "times": times[name],
                "peak_mib": peaks[name],
            }
            for name, own in rounds.items()
        },
        "left_out": left_out,
    }


def in_turns(workers: Sequence[Worker], rounds: int, patience: float) -> list[list[float]]:
    """Return the CPU seconds of every round in each worker, after a warm-up round that loads code and memory.

    They run one at a time, until all rounds are done or one of them has used up its patience.
    """
    spent = [worker.ask(None) for worker in workers]
    found: list[list[float]] = [[] for _ in workers]
    for _ in range(rounds):
        if found[0] and any(first + sum(own) > patience for first, own in zip(spent, found, strict=True)):
            break
        for worker, own in zip(workers, found, strict=True):
            own.append(worker.ask(None))
    return found


def ready(case: Case) -> Callable[[None], float]:
    """Prepare a case, and return a function that runs it and returns its CPU seconds."""
    case.small().prepare()()
    run = case.prepare()
    return lambda _: _once(run)


def peak(case: Case) -> int | None:
    """Return the memory that one pass adds to its process in MiB, or None if not on Linux."""
    case.small().prepare()()  # so that code and thread pools do not count
    run = case.prepare()
    if sys.platform != "linux":
        run()
        return None
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    before = _memory("VmRSS")
    run()
    return round((_memory("VmHWM") - before) / 1024)


def fastest(run: Callable[[], object], rounds: int = 20) -> float:
    """Return the fewest CPU seconds of a function over some rounds, which other load affects least."""
    run()
    return min(_once(run) for _ in range(rounds))


def _once(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _memory(field: str) -> int:
    """Read VmRSS (now) or VmHWM (the highest since the last reset) of this process in KiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])
