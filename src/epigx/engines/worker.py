"""A process of this machine that runs one task after the other, and stops when told to or when its parent is gone."""

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

__all__ = ["Worker", "end"]

PATIENCE = 60.0
"""Seconds that a training has to save where it is."""


class Worker:
    """A new process, at the parent's end; the imports of one task serve the next."""

    def __init__(self) -> None:
        from epigx.dataset.build.pool import interruptions_held  # brings pandas, which not every task needs

        context = get_context("spawn")  # torch's threads do not survive a fork
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,))
        with interruptions_held():
            self.process.start()
        theirs.close()
        self.alive = True
        self._unsent: Exception | None = None

    def start(self, task: Task) -> None:
        """Hand a task over."""
        try:
            self.pipe.send(task)
        except OSError:
            pass  # the process died; its end of the pipe tells
        except Exception as error:  # pickle raises whatever the objects raise
            self._unsent = error
            with suppress(OSError):
                self.pipe.send(None)  # so that there is an answer to wait for

    def outcome(self, task: Task) -> Outcome:
        """Return how the task ended; the pipe has something to read by now."""
        try:
            answer: Outcome | str = self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            self.process.join()
            self.pipe.close()
            return failed(task, _death(self.process.exitcode))
        unsent, self._unsent = self._unsent, None
        if unsent is not None:
            return failed(task, f"It cannot be sent to another process: {unsent}")
        return answer if isinstance(answer, Outcome) else failed(task, answer)


def end(idle: Sequence[Worker], busy: Sequence[Worker]) -> None:
    """End processes: those at work are told to stop, and have a minute for it unless there is another Ctrl-C."""
    for worker in busy:
        worker.process.terminate()
    for worker in (*idle, *busy):
        worker.pipe.close()  # those without work leave
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
    """Work until there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be held back from a new process
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
            answer = "" if task is None else attempt(task)
        except (EOFError, OSError):
            return
        except Exception as error:  # unpickling imports the function's module
            answer = f"Its process cannot import it: {sentence(error)}"
        try:
            pipe.send(answer)
        except OSError:
            return


def _stop_with_parent() -> None:
    """Ask this process to stop, as the system would, when its parent was killed outright: a training saves itself."""
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _death(status: int | None) -> str:
    """Say how a process ended without an answer."""
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        return f"Its process was ended by {name}, perhaps for want of memory: run fewer at a time, or give it more."
    return (
        f"Its process ended with status {status} before the task did. In a script, start engines under "
        '`if __name__ == "__main__":`.'
    )
