"""Engines: an engine runs a list of independent tasks and returns how each of them ended.

An engine only decides where tasks run. A task is a function of a module with plain arguments that writes its own files.
So every engine writes the same files, and one engine can finish what another has started. A machine can fail after a
task has ended and before the engine knows: a task that runs a second time must find its files and leave them unchanged.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from epigx.config import Kind
from epigx.errors import ConfigError, EpigxError

__all__ = ["Engine", "Outcome", "Progress", "Task", "attempt", "failed", "missing_extra", "sentence"]

_log = logging.getLogger(__name__)

Progress = Callable[[str, str], None]
"""Called with the name of a task and ``started``, ``done`` or ``failed``."""


@dataclass(frozen=True)
class Task:
    """A function call that an engine makes.

    Parameters
    ----------
    name : str
        Name for progress and errors.
    function : callable
        A function of a module, so that another process can import it. Its result is ignored.
    arguments : tuple
        Positional arguments. They are sent to another process.
    threads : int
        Cores that it uses.
    memory_gb : float, GB
        Memory that it needs, approximately.
    """

    name: str
    function: Callable[..., object]
    arguments: tuple[Any, ...] = ()
    threads: int = 1
    memory_gb: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """How a task ended; ``skipped``: its files existed already. An error is one sentence."""

    name: str
    state: Literal["done", "failed", "skipped"]
    error: str | None = None


class Engine(Kind):
    """Settings of an engine. A new engine is a subclass with its own ``kind`` and ``run``."""

    @abstractmethod
    def run(self, tasks: Sequence[Task], *, progress: Progress | None = None) -> list[Outcome]:
        """Run tasks, several at a time and in any order. A task that fails does not stop the others.

        Parameters
        ----------
        tasks : sequence of Task
            Tasks to run.
        progress : callable, optional
            Called in the caller's process and thread when a task starts and when it has ended.

        Returns
        -------
        list of Outcome
            In the order of the tasks.

        Raises
        ------
        ConfigError
            A package of the engine is not installed, or the engine cannot start with its settings.
        KeyboardInterrupt
            Ctrl-C was pressed. Running tasks were asked to stop; a training continues from its checkpoint when it is
            run again.
        """

    def threads_each(self, tasks: int) -> int:
        """Return how many threads each of ``tasks`` tasks should use, if a task can use any number."""
        return 1


def attempt(task: Task) -> Outcome:
    """Run a task in this process. An error becomes a sentence of the outcome."""
    try:
        task.function(*task.arguments)
    except Exception as error:
        _log.debug("%s failed.", task.name, exc_info=True)
        return failed(task, error)
    return Outcome(task.name, "done")


def failed(task: Task, reason: Exception | str) -> Outcome:
    """Return the outcome of a task that failed.

    Examples
    --------
    >>> failed(Task("a", print), "The disk is full.")
    Outcome(name='a', state='failed', error='The disk is full.')
    """
    return Outcome(task.name, "failed", reason if isinstance(reason, str) else sentence(reason))


def sentence(error: Exception) -> str:
    """Return an error as one line. The errors of epigx are sentences already.

    Examples
    --------
    >>> sentence(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero'
    """
    if isinstance(error, EpigxError):
        return str(error)
    first, _, _ = str(error).strip().partition("\n")
    return f"{type(error).__name__}: {first}"


def missing_extra(engine: str, package: str) -> ConfigError:
    """Return the error of an engine whose package is not installed."""
    return ConfigError(
        f"The engine {engine!r} needs the package {package}, which is not installed: pip install 'epigx[{engine}]'."
    )
