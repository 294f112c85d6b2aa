"""CPU time of rivals, taken in turns, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple, Protocol, Self

from benchmarks.apart import Apart, FailedError, peak, run_apart

__all__ = ["Case", "Effort", "Hopeless", "compare", "fastest", "in_turns"]


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
    as_they_come: Mapping[str, Case] | None = None,
) -> dict[str, Any]:
    """Measure the peak memory of each rival in a process of its own, then the time of all that fit in turns.

    Parameters
    ----------
    cases : mapping
        What is compared; the first one is ours, which the ratios are taken to.
    effort : Effort
        How long to measure.
    hopeless : Hopeless, optional
        What was too slow or too large before; it is added to.
    as_they_come : mapping, optional
        Rivals that are measured without epigx's settings of memory, in another process, in turns with the first ones.

    Returns
    -------
    dict
        ``rivals``: by name, the median CPU seconds, all rounds, ``times`` as slow as the first (None if that is
        missing), and ``peak_mib`` (None where the system does not tell); ``left_out``: by name, why a rival is missing.
    """
    hopeless = hopeless or Hopeless()
    left_out: dict[str, str] = {}
    peaks: dict[str, int | None] = {}
    bare = as_they_come or {}
    for name, case in {**cases, **bare}.items():
        if (reason := hopeless.reason(name, case.size)) is None:
            try:
                limits = {"seconds": effort.seconds, "gibibytes": effort.gibibytes}
                peaks[name] = run_apart(peak, case, tuned=name not in bare, **limits)
                continue
            except FailedError as failure:
                reason = str(failure)
                hopeless.add(name, case.size, reason)
        left_out[name] = reason
    fitting = [{name: case for name, case in some.items() if name in peaks} for some in (cases, bare)]
    rounds = in_turns(*fitting, effort.rounds, effort.patience)
    medians = {name: statistics.median(own) for name, own in rounds.items()}
    first = medians.get(next(iter(cases)))
    return {
        "rivals": {
            name: {
                "seconds": medians[name],
                "rounds": rounds[name],
                "times": medians[name] / first if first else None,
                "peak_mib": peaks[name],
            }
            for name in rounds
        },
        "left_out": left_out,
    }


def in_turns(
    cases: Mapping[str, Case], as_they_come: Mapping[str, Case], rounds: int, patience: float
) -> dict[str, list[float]]:
    """Return the CPU seconds of every round of every rival, after one that brings in code, threads and memory.

    There are two processes, one with epigx's settings of memory and one without; one rival runs at a time. The largest
    of both groups have to fit into memory at once.
    """
    with ExitStack() as both:
        home: dict[str, Apart] = {}
        first: dict[str, float] = {}
        for some, tuned in ((cases, True), (as_they_come, False)):
            if some:
                process = both.enter_context(Apart(made_ready, some, tuned=tuned))
                home |= dict.fromkeys(some, process)
                first |= {name: process.ask(name) for name in some}
        times: dict[str, list[float]] = {name: [] for name in home}
        for _ in range(rounds):
            for name, process in home.items():
                if not times[name] or first[name] + sum(times[name]) < patience:
                    times[name].append(process.ask(name))
    return times


def made_ready(cases: Mapping[str, Case]) -> Callable[[str], float]:
    """Prepare rivals, and return what runs one of them by its name and tells its CPU seconds."""
    runs: dict[str, Callable[[], object]] = {}
    for name, case in cases.items():
        case.small().prepare()()
        runs[name] = case.prepare()
    return lambda name: _once(runs[name])


def fastest(run: Callable[[], object], rounds: int = 20) -> float:
    """Return the least CPU seconds of a function: what the machine can do when nothing disturbs it."""
    run()
    return min(_once(run) for _ in range(rounds))


def _once(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
