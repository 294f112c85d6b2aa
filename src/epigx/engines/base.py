"""What an engine is: it takes a list of tasks that do not depend on each other, and says how each of them ended.

An engine decides where tasks run, and nothing else. A task is a function of a module with plain arguments that writes
its own files, so that every engine comes to the same files, and what one engine began another can finish. A machine may
be lost after a task has ended and before that is known: a task that is run again has to find its files and leave them.
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
    """A call to be made somewhere.

    Parameters
    ----------
    name : str
        What people call it.
    function : callable
        Found in a module by its name, so that another process can import it. What it returns is dropped.
    arguments : tuple
        Its positional arguments; they are pickled.
    threads : int
        Cores that it keeps busy.
    memory_gb : float, GB
        Memory that it needs, roughly.
    """

    name: str
    function: Callable[..., object]
    arguments: tuple[Any, ...] = ()
    threads: int = 1
    memory_gb: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Parameters
    ----------
    name : str
        The task's.
    state : {"done", "failed", "skipped"}
        Skipped is what had been done before.
    error : str, optional
        What went wrong, in a sentence.
    """

    name: str
    state: Literal["done", "failed", "skipped"]
    error: str | None = None


class Engine(Kind):
    """Settings of a place where tasks run; a new engine is a subclass with its own ``kind`` and ``run``."""

    @abstractmethod
    def run(self, tasks: Sequence[Task], *, progress: Progress | None = None) -> list[Outcome]:
        """Run tasks, several at a time and in any order; one that fails stops no other.

        Parameters
        ----------
        tasks : sequence of Task
            What to do.
        progress : callable, optional
            Called, in the process and the thread of the caller, when a task is started and when it has ended.

        Returns
        -------
        list of Outcome
            In the order of the tasks.

        Raises
        ------
        ConfigError
            The engine lacks a package, or cannot start with its settings.
        KeyboardInterrupt
            Ctrl-C: what was running was told to stop, and a training that was told so goes on where it was.
        """

    def threads_each(self, tasks: int) -> int:
        """Return how many threads a task should use that can use any number, where ``tasks`` of them are to run."""
        return 1


def attempt(task: Task) -> Outcome:
    """Run a task in this process, and turn an error into a sentence."""
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
    >>> failed(Task("a", print), "It is too late.")
    Outcome(name='a', state='failed', error='It is too late.')
    """
    return Outcome(task.name, "failed", reason if isinstance(reason, str) else sentence(reason))


def sentence(error: Exception) -> str:
    """Say in one line what went wrong; the errors of epigx are sentences already.

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
