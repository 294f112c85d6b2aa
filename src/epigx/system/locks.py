"""One writer at a time: a lock file beside a folder, held by a process that is alive.

A training that is started by hand refuses a folder that is held. An engine may believe that a machine is lost which is
only slow, and start its task again elsewhere: that one waits until the first has ended. On one machine the owner's
process is looked up; that of another machine counts as alive while it touches its lock file, as seen by the clock of
the one who waits.
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
from epigx.system.atomic import making

__all__ = ["Hold", "held", "lock_of"]

BEAT, STALE, PAUSE = 10.0, 120.0, 0.5
"""Seconds between two signs of life, without one until an owner counts as dead, and between two looks."""


def lock_of(folder: Path) -> Path:
    """Return the lock file of a folder: a hidden sibling, the same one under whatever name the folder is reached."""
    folder = folder.resolve()
    return folder.parent / f".{folder.name}.lock"


@contextmanager
def held(folder: str | Path, *, wait: bool = True) -> Iterator[Hold]:
    """Hold a folder; take over from a dead owner, and wait for a live one or, without ``wait``, refuse.

    Raises
    ------
    RunError
        A live process holds the folder, and ``wait`` is false.
    InputError
        The folder's parent cannot be written to.
    """
    hold = Hold(Path(folder))
    with making(hold.folder):
        hold.lock.parent.mkdir(parents=True, exist_ok=True)
        hold.take(wait=wait)
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

    def take(self, *, wait: bool = True) -> None:
        """Create the lock file, once nobody else has one; without ``wait``, an owner that lives is an error."""
        seen, since = "", time.monotonic()
        while not self._create():
            now, before = _state(self.lock), seen
            if now != before:
                seen, since = now, time.monotonic()
            alive = _is_there(now)
            if alive is None and now and before not in ("", now):
                alive = True  # it gave a sign of life
            if alive is False or (now and alive is None and time.monotonic() - since >= STALE):
                self._break(now)
            elif alive and not wait:
                raise RunError(
                    f"{self.folder} is being written by another process, {_name_of(now)}. Let it end, or choose "
                    "another folder."
                )
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


def _is_there(state: str) -> bool | None:
    """Whether an owner's process lives; none where that cannot be seen from here, or its lock is not written yet."""
    try:
        owner = json.loads(state.partition("\n")[0])
    except ValueError:
        return None
    if owner["machine"] != _here():
        return None
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return bool(owner["born"] == _born(owner["pid"]))


def _name_of(state: str) -> str:
    """Say which process owns a lock, to people."""
    try:
        owner = json.loads(state.partition("\n")[0])
    except ValueError:
        return "which has just begun"
    return f"number {owner['pid']} on {owner['machine'].partition(' ')[0]}"


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
