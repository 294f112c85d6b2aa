"""CPU time of rivals, taken in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, Protocol, Self

from benchmarks.apart import Apart, FailedError, peak, run_apart

__all__ = ["Case", "Effort", "Hopeless", "compare", "fastest", "in_turns", "made_ready"]


class Case(Protocol):
    """Something to measure, which can be sent to another process."""

    def prepare(self) -> Callable[[], object]:
        """Make weights and inputs, and return what is timed."""
        ...

    def small(self) -> Self:
        """Return the same at the least size, to load code and start threads before anything is measured."""
        ...

    @property
    def size(self) -> tuple[int, ...]:
        """What both time and memory grow with."""
        ...


class Effort(NamedTuple):
    """How long to measure."""

    rounds: int = 5
    """Rounds of which the median is taken."""
    patience: float = 200.0
    """CPU seconds after which a rival starts no further round; it has at least one, after one that does not count."""
    seconds: int = 300
    """CPU seconds that one pass may take: a rival that needs more is left out."""
    gibibytes: int = 16
    """Memory that one pass may take."""


class Hopeless:
    """Rivals that were too slow or too large at some size, and so are not tried at larger ones."""

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
    hopeless: Hopeless | None = None,
    *,
    as_they_come: Collection[str] = (),
) -> dict[str, Any]:
    """Measure the peak memory of each rival that fits, then its time, in turns with ours.

    Each has a process of its own: what others leave of the memory has made a block 1.3 times as slow.

    Parameters
    ----------
    cases : mapping
        What is compared; the first one is ours, which the ratios are taken to.
    effort : Effort
        How long to measure.
    hopeless : Hopeless, optional
        What was too slow or too large before; it is added to.
    as_they_come : collection of str, optional
        Names of those that are measured once more, without epigx's settings of memory: as ``mambapy, as it comes``.

    Returns
    -------
    dict
        ``rivals``: by name, the median CPU seconds, all rounds (of ours: those beside all rivals), ``times`` as slow as
        ours in turns with it (None if ours is missing), and ``peak_mib`` (None where the system does not tell);
        ``left_out``: by name, why a rival is missing.
    """
    hopeless = hopeless or Hopeless()
    left_out: dict[str, str] = {}
    peaks: dict[str, int | None] = {}
    bare = {f"{name}, as it comes": cases[name] for name in as_they_come}
    every = {**cases, **bare}
    for name, case in every.items():
        if (reason := hopeless.reason(name, case.size)) is None:
            try:
                limits = {"seconds": effort.seconds, "gibibytes": effort.gibibytes}
                peaks[name] = run_apart(peak, case, tuned=name not in bare, **limits)
                continue
            except FailedError as failure:
                reason = str(failure)
                hopeless.add(name, case.size, reason)
        left_out[name] = reason
    first, *others = every
    rounds: dict[str, list[float]] = {}
    times: dict[str, float | None] = {}
    with ExitStack() as while_needed:
        ours = [while_needed.enter_context(Apart(made_ready, every[first]))] if first in peaks else []
        if ours:
            rounds[first], times[first] = [], 1.0
        for name in filter(peaks.__contains__, others):
            with Apart(made_ready, every[name], tuned=name not in bare) as rival:
                *beside, rounds[name] = in_turns([*ours, rival], effort.rounds, effort.patience)
            times[name] = statistics.median(rounds[name]) / statistics.median(*beside) if beside else None
            for own in beside:
                rounds[first] += own
        if ours and not rounds[first]:
            (rounds[first],) = in_turns(ours, effort.rounds, effort.patience)
    return {
        "rivals": {
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


def in_turns(processes: Sequence[Apart], rounds: int, patience: float) -> list[list[float]]:
    """Return the CPU seconds of every round in each process, after one that brings in code, threads and memory.

    They take turns, one at a time, until all rounds are done or one of them is out of patience.
    """
    spent = [process.ask(None) for process in processes]
    found: list[list[float]] = [[] for _ in processes]
    for _ in range(rounds):
        if found[0] and any(first + sum(own) > patience for first, own in zip(spent, found, strict=True)):
            break
        for process, own in zip(processes, found, strict=True):
            own.append(process.ask(None))
    return found


def made_ready(case: Case) -> Callable[[None], float]:
    """Prepare a rival, and return what runs it and tells its CPU seconds."""
    case.small().prepare()()
    run = case.prepare()
    return lambda _: _once(run)


def fastest(run: Callable[[], object], rounds: int = 20) -> float:
    """Return the least CPU seconds of a function: what the machine can do when nothing disturbs it."""
    run()
    return min(_once(run) for _ in range(rounds))


def _once(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
