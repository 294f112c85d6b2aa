"""Work in a process of its own: with one thread, with limits on time and memory, and with its memory measured."""

from __future__ import annotations

import logging
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from benchmarks.measure import Case

__all__ = ["Apart", "FailedError", "peak", "run_apart"]

T = TypeVar("T")


class FailedError(Exception):
    """The process came to no end: it was too slow, or wanted too much memory."""


class Apart:
    """A fresh process that prepares something and then answers questions, to be used in a `with` block.

    Parameters
    ----------
    prepare : callable
        A function of a module, called in the process with the arguments that follow; what it returns is called with
        each question. All of them, and the answers, are pickled.
    tuned : bool
        Whether the process has epigx's settings of memory and of denormal numbers, as all long commands of epigx have.
        They serve the rivals as well, which come without them.
    seconds : int, optional
        CPU seconds that the process may take.
    gibibytes : int, optional
        Memory that it may have.
    """

    def __init__(
        self,
        prepare: Callable[..., Callable[[Any], Any]],
        *arguments: Any,
        tuned: bool = True,
        seconds: int | None = None,
        gibibytes: int | None = None,
    ) -> None:
        spawn = get_context("spawn")
        self._pipe, other = spawn.Pipe()
        self._seconds = seconds
        limits = (tuned, seconds, gibibytes)
        self._process = spawn.Process(target=_child, args=(other, limits, prepare, *arguments))
        self._process.start()
        other.close()

    def ask(self, question: Any) -> Any:
        """Return the answer to a question.

        Raises
        ------
        FailedError
            The process ran into a limit, or raised an error.
        """
        with suppress(ConnectionError):  # it ended before it was asked, and may have said why
            self._pipe.send(question)
        try:
            succeeded, answer = self._pipe.recv()
        except (EOFError, ConnectionError):
            succeeded, answer = False, None
        if succeeded:
            return answer
        self._process.join()
        reason = f"needs more than {self._seconds} CPU-s" if self._process.exitcode == -signal.SIGXCPU else answer
        raise FailedError(reason or f"its process died (exit code {self._process.exitcode})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._process.terminate()  # nobody waits for its answer
        self._pipe.close()  # the process takes it for the end
        self._process.join()


def run_apart(
    work: Callable[..., T],
    *arguments: Any,
    tuned: bool = True,
    seconds: int | None = None,
    gibibytes: int | None = None,
) -> T:
    """Call a function of a module in a fresh process, and return what it returns; see :class:`Apart`.

    Raises
    ------
    FailedError
        It ran into a limit, or raised an error.
    """
    with Apart(_whenever_asked, work, arguments, tuned=tuned, seconds=seconds, gibibytes=gibibytes) as process:
        result: T = process.ask(None)
    return result


def _whenever_asked(work: Callable[..., T], arguments: tuple[Any, ...]) -> Callable[[None], T]:
    return lambda _: work(*arguments)


def peak(case: Case) -> int | None:
    """Return the memory that one pass adds to the process, MiB; Linux only, None elsewhere."""
    case.small().prepare()()  # code and thread pools are not the pass's memory
    run = case.prepare()
    if sys.platform != "linux":
        run()
        return None
    Path("/proc/self/clear_refs").write_text("5")  # resets the mark
    before = _memory("VmRSS")
    run()
    return round((_memory("VmHWM") - before) / 1024)


def _child(
    pipe: Connection,
    limits: tuple[bool, int | None, int | None],
    prepare: Callable[..., Callable[[Any], Any]],
    *arguments: Any,
) -> None:
    import torch

    from epigx.system.allocator import keep_freed_memory

    tuned, seconds, gibibytes = limits
    logging.getLogger("epigx").setLevel(logging.ERROR)  # what a build remarks on its inputs
    torch.set_num_threads(1)
    if tuned:
        keep_freed_memory()
        torch.set_flush_denormal(True)
    if seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 60))
    if gibibytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (gibibytes * 2**30, resource.RLIM_INFINITY))
    try:
        answer = prepare(*arguments)
        while True:
            try:
                question = pipe.recv()
            except (EOFError, ConnectionError):
                return
            pipe.send((True, answer(question)))
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            pipe.send((False, f"needs more than {gibibytes} GiB"))
            return
        pipe.send((False, f"{type(error).__name__}: {error}"))
        raise


def _memory(field: str) -> int:
    """Read VmRSS (now) or VmHWM (the highest since the last reset) of this process, KiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])
