"""Functions that run in a subprocess with one thread and limits on CPU time and memory."""

from __future__ import annotations

import logging
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self, TypeVar

__all__ = ["Worker", "WorkerError", "run_in_worker"]

T = TypeVar("T")


class WorkerError(Exception):
    """The worker raised an error, or needed more time or memory than allowed."""


class Worker:
    """A new process that prepares something and then answers requests; use it in a `with` block.

    Parameters
    ----------
    prepare : callable
        A function of a module, called in the worker with the arguments that follow. It returns a function that is
        called with each request. Arguments, requests and answers are pickled.
    tuned : bool
        Use epigx's settings of memory and denormal numbers, as its long commands do. Other packages do not set them,
        but become faster with them.
    seconds : int, optional
        Limit on CPU time.
    gibibytes : int, optional
        Limit on memory.
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

    def ask(self, request: Any) -> Any:
        """Return the answer to a request.

        Raises
        ------
        WorkerError
            The worker exceeded a limit, or raised an error.
        """
        with suppress(ConnectionError):  # it ended before the request, and may have sent the reason
            self._pipe.send(request)
        try:
            succeeded, answer = self._pipe.recv()
        except (EOFError, ConnectionError):
            succeeded, answer = False, None
        if succeeded:
            return answer
        self._process.join()
        reason = f"needs more than {self._seconds} CPU-s" if self._process.exitcode == -signal.SIGXCPU else answer
        raise WorkerError(reason or f"the worker died (exit code {self._process.exitcode})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._process.terminate()  # its answer is no longer needed
        self._pipe.close()  # ends the worker
        self._process.join()


def run_in_worker(
    work: Callable[..., T],
    *arguments: Any,
    tuned: bool = True,
    seconds: int | None = None,
    gibibytes: int | None = None,
) -> T:
    """Call a function of a module in a new process and return its result; see :class:`Worker`.

    Raises
    ------
    WorkerError
        It exceeded a limit, or raised an error.
    """
    with Worker(_on_request, work, arguments, tuned=tuned, seconds=seconds, gibibytes=gibibytes) as worker:
        result: T = worker.ask(None)
    return result


def _on_request(work: Callable[..., T], arguments: tuple[Any, ...]) -> Callable[[None], T]:
    return lambda _: work(*arguments)


def _child(
    pipe: Connection,
    limits: tuple[bool, int | None, int | None],
    prepare: Callable[..., Callable[[Any], Any]],
    *arguments: Any,
) -> None:
    import torch

    from epigx.system.allocator import keep_freed_memory

    tuned, seconds, gibibytes = limits
    logging.getLogger("epigx").setLevel(logging.ERROR)  # hides the warnings of a build
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
                request = pipe.recv()
            except (EOFError, ConnectionError):
                return
            pipe.send((True, answer(request)))
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            pipe.send((False, f"needs more than {gibibytes} GiB"))
            return
        pipe.send((False, f"{type(error).__name__}: {error}"))
        raise
