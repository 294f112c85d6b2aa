"""Progress with the time left, on standard error: a bar in a terminal, otherwise a line from time to time."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from epigx.cli.console import say, stderr

__all__ = ["Progress", "duration"]

PATIENCE = 2.0  # seconds before the first line: short tasks need no progress
INTERVAL = 10.0  # seconds between lines outside of a terminal


class Progress:
    """Shows the progress of a task. Call it with the number of finished steps, their total, and optionally a note.

    Parameters
    ----------
    task : str
        Name of the task, such as ``"Building"``.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self._start = self._last = 0.0
        self._before: int | None = None
        quiet = not logging.getLogger("epigx.cli").isEnabledFor(logging.INFO)
        self._bar = None if quiet or not stderr().is_terminal else _bar()
        self._row = self._bar.add_task(task, total=None, note="") if self._bar else None

    def __enter__(self) -> Self:
        """Show the bar in a terminal."""
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Remove the bar."""
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show that ``done`` of ``total`` steps are finished."""
        if self._bar and self._row is not None:
            self._bar.update(self._row, completed=done, total=total, note=note)
            return
        now = time.monotonic()
        if self._before is None:  # imports and reading before the first call do not count
            self._start, self._before = now, done
            self._last = now + PATIENCE - INTERVAL
        if now - self._last < INTERVAL or not self._before < done < total:
            return
        self._last = now
        left = (now - self._start) * (total - done) / (done - self._before)
        say(f"{self.task}: {done:,} of {total:,} ({done / total:.0%}), {duration(left)} left{note and '; ' + note}")


def duration(seconds: float) -> str:
    """Write a duration in hours, minutes and seconds.

    Examples
    --------
    >>> duration(4.2), duration(75), duration(7_300)
    ('4 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{whole} s"


def _bar() -> Bar:
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=stderr(),
        transient=True,
    )
