"""The hidden folder next to a dataset in which it is built, so that an interrupted build can continue.

::

    .k562.parts/key          hash of the manifest, the window, and the sources' sizes and times
    .k562.parts/done/…json   the report of each finished task
    .k562.parts/whole/       the new dataset, renamed to ``k562`` when it is complete
    .k562.parts/old/         the replaced dataset, only between two renames
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.store import FORMAT_VERSION
from epigx.errors import InputError
from epigx.version import __version__

__all__ = ["WorkFolder", "build_key"]


def build_key(manifest: Manifest, window: int) -> str:
    """Return a hash of everything that determines the dataset; of the sources, their size and time."""
    files = {file: manifest.locate(file).stat() for file in manifest.files()}
    values = {
        "epigx": __version__,
        "format": FORMAT_VERSION,
        "window": window,
        "manifest": manifest.model_dump(mode="json", exclude={"root"}),
        "sources": {file: (stat.st_size, stat.st_mtime_ns) for file, stat in files.items()},
    }
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


@dataclass(frozen=True)
class WorkFolder:
    """The work folder of the dataset at ``out``."""

    out: Path

    @property
    def path(self) -> Path:
        """The hidden sibling."""
        return self.out.parent / f".{self.out.name}.parts"

    @property
    def whole(self) -> Path:
        """The new dataset."""
        return self.path / "whole"

    def check_free(self, *, force: bool) -> None:
        """Check that writing to ``out`` loses nothing.

        Raises
        ------
        InputError
            ``out`` exists and ``force`` is false, or it is not a dataset.
        """
        if not os.path.lexists(self.out):
            return
        if not force:
            raise InputError(f"{self.out} already exists. Choose another folder, or replace it with --force.")
        is_dataset = (self.out / "dataset.json").is_file()
        if not is_dataset and not (self.out.is_dir() and not any(self.out.iterdir())):
            raise InputError(f"{self.out} exists and is not a dataset, so it is not replaced. Choose another folder.")

    def prepare(self, key: str, size: int) -> bool:
        """Create the folder, or reuse the one of an interrupted build with the same key.

        Parameters
        ----------
        key : str
            See :func:`build_key`.
        size : int
            Size of the dataset in bytes.

        Returns
        -------
        bool
            Whether the folder is new, so that its arrays have to be created.

        Raises
        ------
        InputError
            The disk has less free space than that.
        """
        marker = self.path / "key"
        if self.whole.is_dir() and marker.is_file() and marker.read_text() == key:
            return False
        self.out.parent.mkdir(parents=True, exist_ok=True)
        # Remove the content of an earlier build, but not the folder itself, which is locked.
        for left in self.path.iterdir() if self.path.is_dir() else ():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        free = shutil.disk_usage(self.out.parent).free
        if free < size:
            raise InputError(
                f"{self.out} needs {_in_units(size)}, but only {_in_units(free)} are free. Free some disk space."
            )
        for folder in (self.whole / "signals", self.path / "done"):
            folder.mkdir(parents=True)
        return True

    def begin(self, key: str) -> None:
        """Save the key, once the arrays are created."""
        _write(self.path / "key", key)

    def report(self, task: str) -> dict[str, Any] | None:
        """Return the report of a task, or ``None`` while it is not finished."""
        path = self._report(task)
        return dict(json.loads(path.read_text())) if path.is_file() else None

    def finish(self, task: str, report: dict[str, Any]) -> None:
        """Save the report of a finished task."""
        _write(self._report(task), json.dumps(report))

    def publish(self) -> None:
        """Move the complete dataset to ``out``."""
        for path in (*self.whole.rglob("*"), self.whole):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        if self.out.exists():
            self.out.rename(self.path / "old")
        self.whole.rename(self.out)
        shutil.rmtree(self.path)

    def discard(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder, so that only one process builds the dataset.

        This first undoes a replacement that was killed between its two renames. The lock ends with the process.

        Raises
        ------
        InputError
            Another build has locked it.
        """
        handle = self._lock()
        try:
            self._put_back()
            yield
        finally:
            if self._is_current(handle):
                with suppress(OSError):
                    self.path.rmdir()  # only if it is empty
            os.close(handle)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn errors of a full or read-only disk into clear messages."""
        try:
            yield
        except OSError as error:
            reason = error.strerror
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                remedy = f"Free some space and run the same command to continue: finished tasks are in {self.path}."
            elif error.errno in (errno.ENOTDIR, errno.EEXIST):
                reason, remedy = "a folder of its path is a file", "Choose another folder."
            elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                remedy = "Choose a folder that you may write to."
            else:
                raise
            raise InputError(f"{self.out} cannot be written: {reason}. {remedy}") from error

    def _report(self, task: str) -> Path:
        return self.path / "done" / f"{task}.json"

    def _lock(self) -> int:
        """Open and lock the folder, and return its file descriptor."""
        while True:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
            except FileNotFoundError:  # in /proc, for example
                raise InputError(
                    f"{self.out} cannot be written: no folder can be created there. Choose another folder."
                ) from None
            handle = os.open(self.path, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                raise InputError(
                    f"{self.out} is being built by another process. Wait until it ends, or choose another folder."
                ) from None
            except OSError:
                return handle  # the file system has no locks
            if self._is_current(handle):
                return handle
            os.close(handle)  # the other process has just removed the folder

    def _is_current(self, handle: int) -> bool:
        """Return whether a file descriptor still refers to the folder."""
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False

    def _put_back(self) -> None:
        """Undo the first of the two renames of a replacement, if the build was killed between them."""
        old = self.path / "old"
        if old.exists() and not os.path.lexists(self.out):
            old.rename(self.out)


def _write(path: Path, text: str) -> None:
    """Write a small file atomically; :meth:`WorkFolder.writing` handles system errors."""
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)


def _in_units(size: int) -> str:
    """Return a size in bytes as GB or MB."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
