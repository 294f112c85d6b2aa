"""Work in a process of its own: with one thread, with limits on time and memory, and with its memory measured."""

from __future__ import annotations

import logging
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from benchmarks.measure import Case

__all__ = ["FailedError", "peak", "run_apart"]

T = TypeVar("T")


class FailedError(Exception):
    """The process came to no end: it was too slow, or wanted too much memory."""


def run_apart(work: Callable[..., T], *arguments: Any, seconds: int | None = None, gibibytes: int | None = None) -> T:
    """Call a function of a module in a fresh process, and return what it returns.

    Parameters
    ----------
    work : callable
        The function; it and its arguments are pickled.
    seconds : int, optional
        CPU seconds that the process may take.
    gibibytes : int, optional
        Memory that it may have.

    Raises
    ------
    FailedError
        It ran into a limit, or raised an error.
    """
    spawn = get_context("spawn")
    reader, writer = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_child, args=(writer, seconds, gibibytes, work, *arguments))
    process.start()
    writer.close()
    try:
        succeeded, answer = reader.recv()
    except EOFError:
        succeeded, answer = False, None
    process.join()
    if not succeeded:
        reason = f"needs more than {seconds} CPU-s" if process.exitcode == -signal.SIGXCPU else answer
        raise FailedError(reason or f"its process died (exit code {process.exitcode})")
    result: T = answer
    return result


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
    writer: Connection, seconds: int | None, gibibytes: int | None, work: Callable[..., Any], *args: Any
) -> None:
    import torch

    from epigx.kernels import keep_freed_memory

    logging.getLogger("epigx").setLevel(logging.ERROR)  # what a build remarks on its inputs
    torch.set_num_threads(1)
    # As every long command of epigx does; it serves the rivals as well.
    keep_freed_memory()
    torch.set_flush_denormal(True)
    if seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 60))
    if gibibytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (gibibytes * 2**30, resource.RLIM_INFINITY))
    try:
        writer.send((True, work(*args)))
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            writer.send((False, f"needs more than {gibibytes} GiB"))
            return
        writer.send((False, f"{type(error).__name__}: {error}"))
        raise


def _memory(field: str) -> int:
    """Read VmRSS (now) or VmHWM (the highest since the last reset) of this process, KiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])
