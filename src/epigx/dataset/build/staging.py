"""The hidden folder beside a dataset in which it is built, so that a build that was killed goes on where it was.

::

    .k562.parts/key          what is being built: a hash of the manifest, the window, and the sources' sizes and times
    .k562.parts/done/…json   one file for each finished task, with what it reported
    .k562.parts/whole/       the dataset to be, renamed to ``k562`` once it is whole
    .k562.parts/old/         a dataset that is being replaced, for the instant between two renames
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
    """Return a hash that changes with whatever changes the dataset; sources count by their size and time."""
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
        """The dataset to be."""
        return self.path / "whole"

    def check_free(self, *, force: bool) -> None:
        """Make sure that nothing is lost by writing to ``out``.

        Raises
        ------
        InputError
            Something stands there and ``force`` is false, or it is no dataset.
        """
        if not os.path.lexists(self.out):
            return
        if not force:
            raise InputError(f"{self.out} already exists. Choose another folder, or replace it with --force.")
        is_dataset = (self.out / "dataset.json").is_file()
        if not is_dataset and not (self.out.is_dir() and not any(self.out.iterdir())):
            raise InputError(f"{self.out} exists and is not a dataset, so it is not replaced. Choose another folder.")

    def prepare(self, key: str, size: int) -> bool:
        """Make the folder, or take up the one that a build of the same key left.

        Parameters
        ----------
        key : str
            See :func:`build_key`.
        size : int
            Bytes that the dataset will take.

        Returns
        -------
        bool
            Whether it is new, so that its arrays have still to be made.

        Raises
        ------
        InputError
            The disk has less room than that.
        """
        marker = self.path / "key"
        if self.whole.is_dir() and marker.is_file() and marker.read_text() == key:
            return False
        self.out.parent.mkdir(parents=True, exist_ok=True)
        # What is left is removed, and not the folder itself, which is held.
        for left in self.path.iterdir() if self.path.is_dir() else ():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        free = shutil.disk_usage(self.out.parent).free
        if free < size:
            raise InputError(
                f"{self.out} needs {_in_words(size)}, and {_in_words(free)} are free there. Free some space."
            )
        for folder in (self.whole / "signals", self.path / "done"):
            folder.mkdir(parents=True)
        return True

    def begin(self, key: str) -> None:
        """Note what is being built, once the arrays are made."""
        _write(self.path / "key", key)

    def report(self, task: str) -> dict[str, Any] | None:
        """Return what a task reported, or ``None`` while it is not finished."""
        path = self._report(task)
        return dict(json.loads(path.read_text())) if path.is_file() else None

    def finish(self, task: str, report: dict[str, Any]) -> None:
        """Note that a task is finished."""
        _write(self._report(task), json.dumps(report))

    def publish(self) -> None:
        """Let the whole dataset take its place, by renaming."""
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
        """Give up what was done so far."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, so that two builds of one dataset do not spoil each other's work.

        A replacement that was killed between its two renames is undone first. The hold ends with the process, however
        that ends.

        Raises
        ------
        InputError
            Another build holds it.
        """
        handle = self._hold()
        try:
            self._put_back()
            yield
        finally:
            if self._is_held(handle):
                with suppress(OSError):
                    self.path.rmdir()  # only if nothing was begun
            os.close(handle)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the system says of a full or unwritable disk into a sentence."""
        try:
            yield
        except OSError as error:
            reason = error.strerror
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                remedy = f"Free some space and build again: what is done is kept in {self.path}."
            elif error.errno in (errno.ENOTDIR, errno.EEXIST):
                reason, remedy = "a part of its path is a file", "Choose a folder."
            elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                remedy = "Choose a folder that you may write to."
            else:
                raise
            raise InputError(f"{self.out} cannot be written: {reason}. {remedy}") from error

    def _report(self, task: str) -> Path:
        return self.path / "done" / f"{task}.json"

    def _hold(self) -> int:
        while True:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
            except FileNotFoundError:  # of a place that holds no files, such as /proc
                raise InputError(
                    f"{self.out} cannot be written: no folder can be made there. Choose another place."
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
                return handle  # a file system without locks
            if self._is_held(handle):
                return handle
            os.close(handle)  # the one who held it has just removed it

    def _is_held(self, handle: int) -> bool:
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
    """Write a small file at once; an error of the system is left as it is, for :meth:`WorkFolder.writing` to tell."""
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)


def _in_words(size: int) -> str:
    """Return bytes as people say them."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
