"""One writer at a time: a lock file beside a folder, held by a process that is alive.

An engine may believe that a machine is lost which is only slow, and start its task again elsewhere. The second writer
then waits here until the first has ended. On one machine the owner's process is looked up; that of another machine
counts as alive while it touches its lock file, as seen by the clock of the one who waits.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from epigx.errors import RunError

__all__ = ["Hold", "held", "lock_of"]

BEAT, STALE, PAUSE = 10.0, 120.0, 0.5
"""Seconds between two signs of life, without one until an owner counts as dead, and between two looks."""


def lock_of(folder: Path) -> Path:
    """Return the lock file of a folder: a hidden sibling."""
    return folder.parent / f".{folder.name}.lock"


@contextmanager
def held(folder: str | Path) -> Iterator[Hold]:
    """Hold a folder, once nobody else does; wait for a live owner, and take over from a dead one."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    hold = Hold(folder)
    hold.take()
    ended = threading.Event()
    beat = threading.Thread(target=hold.beat, args=(ended,), daemon=True)
    beat.start()
    try:
        yield hold
    finally:
        ended.set()
        beat.join()
        hold.release()


class Hold:
    """A claim of this process to a folder.

    Parameters
    ----------
    folder : Path
        What is claimed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = lock_of(folder)
        self.mark = json.dumps({"machine": _here(), "pid": os.getpid(), "born": _born(os.getpid()), "id": uuid4().hex})
        self.lost = False

    def take(self) -> None:
        """Create the lock file; wait while a live process has one."""
        seen, since = "", time.monotonic()
        while not self._create():
            now = _state(self.lock)
            if now != seen:
                seen, since = now, time.monotonic()
            if now and not _alive(now, silent=time.monotonic() - since):
                self._break(now)
            else:
                time.sleep(PAUSE)

    def beat(self, ended: threading.Event) -> None:
        """Give signs of life until the end, and notice when the lock is not ours any more."""
        while not self.lost and not ended.wait(BEAT):
            with suppress(OSError):  # a file server that is away for a while
                if self._owned():
                    os.utime(self.lock)
                else:
                    self.lost = True

    def check(self) -> None:
        """Refuse to go on when another process has taken over.

        Raises
        ------
        RunError
            The process was stopped for so long that it was taken for dead.
        """
        if self.lost:
            raise RunError(
                f"{self.folder} is being written by another process, which took this one for dead: {self.lock} is its "
                "own now. Leave the work to that one."
            )

    def release(self) -> None:
        """Remove the lock file, if it is still ours."""
        if self._owned():
            self.lock.unlink(missing_ok=True)

    def _create(self) -> bool:
        try:
            handle = os.open(self.lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w") as file:
            file.write(self.mark)
        return True

    def _owned(self) -> bool:
        return _state(self.lock).startswith(self.mark)

    def _break(self, judged: str) -> None:
        """Remove a dead owner's lock, and no other: it is moved aside first, which only one process can do."""
        aside = self.lock.with_name(f"{self.lock.name}.{uuid4().hex}")
        with suppress(FileNotFoundError):  # another one was quicker
            self.lock.rename(aside)
            if _state(aside) == judged:
                aside.unlink()
            else:  # another one was quicker, and holds it by now; who came in between will notice (`beat`)
                aside.rename(self.lock)


def _state(lock: Path) -> str:
    """Return what a lock file says and when it was touched last; nothing if there is none."""
    try:
        return f"{lock.read_text()}\n{lock.stat().st_mtime_ns}"
    except FileNotFoundError:
        return ""


def _alive(state: str, *, silent: float) -> bool:
    """Judge an owner by its process, or where that cannot be seen by how long it has given no sign of life."""
    try:
        owner = json.loads(state.partition("\n")[0])
    except ValueError:  # just created, and not written yet
        return silent < STALE
    if owner["machine"] != _here():
        return silent < STALE
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return bool(owner["born"] == _born(owner["pid"]))


def _here() -> str:
    """Name the machine; containers of one may see different processes under the same numbers."""
    with suppress(OSError):
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    return socket.gethostname()


def _born(pid: int) -> str:
    """Return when a process was started, which tells it from a later one of the same number; nothing if unknown."""
    try:
        # Field 22 of proc(5); the second, the program's name, may itself hold spaces and brackets.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
