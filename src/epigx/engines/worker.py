"""A process of this machine that runs one task after another, and stops on request or when its parent has died."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection

from epigx.engines.base import Outcome, Task, attempt, failed, sentence
from epigx.system.setup_process import setup_process
from epigx.system.shutdown import ctrl_c_blocked

__all__ = ["Worker", "end"]

PATIENCE = 60.0
"""Seconds that a training has to write its checkpoint."""


class Worker:
    """The parent's handle of a new process. The process keeps its imports from one task to the next."""

    def __init__(self) -> None:
        context = get_context("spawn")  # torch's threads do not survive a fork
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,))
        with ctrl_c_blocked():
            self.process.start()
        theirs.close()
        self.alive = True
        self._unsent: Exception | None = None

    def start(self, task: Task) -> None:
        """Send a task to the process."""
        try:
            self.pipe.send(task)
        except OSError:
            pass  # the process died, which `outcome` reports
        except Exception as error:  # packing a task raises whatever its objects raise
            self._unsent = error
            with suppress(OSError):
                self.pipe.send(None)  # so that the process answers

    def outcome(self, task: Task) -> Outcome:
        """Return how the task ended. Call it when the pipe has something to read."""
        try:
            answer: Outcome | str = self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            self.process.join()
            self.pipe.close()
            return failed(task, _death(self.process.exitcode))
        unsent, self._unsent = self._unsent, None
        if unsent is not None:
            return failed(task, f"The task cannot be sent to another process: {unsent}")
        return answer if isinstance(answer, Outcome) else failed(task, answer)


def end(idle: Sequence[Worker], busy: Sequence[Worker]) -> None:
    """End processes. Those that run a task get SIGTERM and a minute to stop; a second Ctrl-C ends them at once."""
    for worker in busy:
        worker.process.terminate()
    for worker in (*idle, *busy):
        worker.pipe.close()  # those without a task end
    deadline = time.monotonic() + PATIENCE
    try:
        for worker in (*busy, *idle):
            worker.process.join(max(0.0, deadline - time.monotonic()))
    finally:
        for worker in (*busy, *idle):
            worker.process.kill()
            worker.process.join()
            worker.process.close()


def _serve(pipe: Connection) -> None:
    """Run tasks until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be blocked for a new process
    setup_process(torch=False)  # a task that uses torch sets its own threads
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
            answer = "" if task is None else attempt(task)
        except (EOFError, OSError):
            return
        except Exception as error:  # unpacking a task imports the module of its function
            answer = f"The process cannot import the task: {sentence(error)}"
        try:
            pipe.send(answer)
        except OSError:
            return


def _stop_with_parent() -> None:
    """Send SIGTERM to this process when its parent was killed, so that a training writes its checkpoint."""
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _death(status: int | None) -> str:
    """Return the message for a process that ended without an answer."""
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        return f"The process was ended by {name}, perhaps because memory ran out. Run fewer tasks at a time."
    return (
        f"The process ended with status {status} before the task was done. In a script, start engines under "
        '`if __name__ == "__main__":`.'
    )
