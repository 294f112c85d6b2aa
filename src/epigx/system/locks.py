"""Lock files: one process at a time writes a folder.

A training that a user starts refuses a locked folder. An engine may start a task a second time, because it believes
that a slow machine is lost: the second process waits until the first has ended. On the same machine a lock is valid
while its owner's process exists. On another machine it is valid while the owner updates the lock file; the waiting
process measures this with its own clock. Decision 17 compares it with filelock.
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
from typing import Any
from uuid import uuid4

from epigx.errors import RunError
from epigx.system.atomic import making

__all__ = ["FolderLock", "lock_file", "locked"]

BEAT, STALE, PAUSE = 10.0, 120.0, 0.5
"""Seconds between two updates of a lock, without an update until its owner counts as dead, and between two checks."""


def lock_file(folder: Path) -> Path:
    """Return the lock file of a folder: a hidden file next to it, the same for every link to the folder."""
    folder = folder.resolve()
    return folder.parent / f".{folder.name}.lock"


@contextmanager
def locked(folder: str | Path, *, wait: bool = True) -> Iterator[FolderLock]:
    """Lock a folder. The lock of a dead process is replaced; for a live one, wait or (``wait=False``) refuse.

    Raises
    ------
    RunError
        A live process has locked the folder, and ``wait`` is false.
    InputError
        The folder's parent is not writable.
    """
    lock = FolderLock(Path(folder))
    with making(lock.folder):
        lock.path.parent.mkdir(parents=True, exist_ok=True)
        lock.take(wait=wait)
    ended = threading.Event()
    beat = threading.Thread(target=lock.beat, args=(ended,), daemon=True)
    beat.start()
    try:
        yield lock
    finally:
        ended.set()
        beat.join()
        lock.release()


class FolderLock:
    """A lock on a folder, owned by this process once it is taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = lock_file(folder)
        self.mark = json.dumps({"machine": _here(), "pid": os.getpid(), "born": _born(os.getpid()), "id": uuid4().hex})
        self.lost = False

    def take(self, *, wait: bool) -> None:
        """Create the lock file as soon as there is no other; without ``wait``, a live owner is an error."""
        before, since = "", time.monotonic()
        while not self._create():
            now = _state(self.path)
            owner = _owner(now)
            alive = _is_alive(owner)
            if now != before:
                since = time.monotonic()
                if alive is None and now and before:
                    alive = True  # it has updated its lock
            if alive is False or (now and alive is None and time.monotonic() - since >= STALE):
                self._break(now)
            elif alive and not wait:
                name = f"PID {owner['pid']} on {owner['machine'].partition(' ')[0]}" if owner else "which just started"
                raise RunError(
                    f"{self.folder} is being written by another process, {name}. Wait until it ends, or choose "
                    "another folder."
                )
            else:
                time.sleep(PAUSE)
            before = now

    def beat(self, ended: threading.Event) -> None:
        """Update the lock file until the end, and notice when another process has replaced it."""
        while not self.lost and not ended.wait(BEAT):
            with suppress(OSError):  # a file server that does not answer for a while
                if self._owned():
                    os.utime(self.path)
                else:
                    self.lost = True

    def check(self) -> None:
        """Stop with a ``RunError`` if this process was paused for so long that another one has replaced its lock."""
        if self.lost:
            raise RunError(
                f"{self.folder} is being written by another process, which considered this one dead and replaced its "
                f"lock {self.path}. This process stops; the other one continues."
            )

    def release(self) -> None:
        """Remove the lock file, if it still belongs to this process."""
        if self._owned():
            self.path.unlink(missing_ok=True)

    def _create(self) -> bool:
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w") as file:
            file.write(self.mark)
        return True

    def _owned(self) -> bool:
        return _state(self.path).startswith(self.mark)

    def _break(self, judged: str) -> None:
        """Remove a dead owner's lock and no other. It is renamed first, which only one process can do."""
        aside = self.path.with_name(f"{self.path.name}.{uuid4().hex}")
        with suppress(FileNotFoundError):  # another process was faster
            self.path.rename(aside)
            if _state(aside) == judged:
                aside.unlink()
            else:  # another process was faster and owns it now; one that came in between will notice (`beat`)
                aside.rename(self.path)


def _state(lock: Path) -> str:
    """Return the content and modification time of a lock file, or nothing if it does not exist."""
    try:
        return f"{lock.read_text()}\n{lock.stat().st_mtime_ns}"
    except FileNotFoundError:
        return ""


def _owner(state: str) -> dict[str, Any] | None:
    """Return what a lock file says about its owner; None while that is not written yet."""
    try:
        return dict(json.loads(state.partition("\n")[0]))
    except ValueError:
        return None


def _is_alive(owner: dict[str, Any] | None) -> bool | None:
    """Whether an owner's process is alive; None if that is unknown because it is on another machine."""
    if owner is None or owner["machine"] != _here():
        return None
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # the process of another user
    return bool(owner["born"] == _born(owner["pid"]))


def _here() -> str:
    """Return the machine's name, and its PID namespace: containers reuse process numbers."""
    with suppress(OSError):
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    return socket.gethostname()


def _born(pid: int) -> str:
    """Return the start time of a process, which differs from a later one with the same number; empty if unknown."""
    try:
        # Field 22 of proc(5). The second field, the program's name, may contain spaces and brackets.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
