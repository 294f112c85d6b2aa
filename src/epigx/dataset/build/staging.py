"""The hidden folder next to a dataset in which it is built, so that an interrupted build can continue.

::

    .k562.parts/key          hash of the manifest, the window, and the sources' sizes and times
    .k562.parts/done/…json   the report of each finished task
    .k562.parts/whole/       the new dataset, renamed to ``k562`` when it is complete
    .k562.parts/old/         the replaced dataset, only between two renames
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.store import FORMAT_VERSION, FileInfo, digest
from epigx.errors import InputError
from epigx.system.atomic import NO_SPACE, making, sync
from epigx.version import __version__

__all__ = ["WorkFolder", "build_key", "share_sequence"]

logger = logging.getLogger(__name__)


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

        It is an ``InputError`` if ``out`` exists and ``force`` is false, or if it is not a dataset.
        """
        if not os.path.lexists(self.out):
            return
        if not force:
            raise InputError(f"{self.out} already exists. Choose another folder, or replace it with --force.")
        is_dataset = (self.out / "dataset.json").is_file()
        if not is_dataset and not (self.out.is_dir() and not any(self.out.iterdir())):
            raise InputError(f"{self.out} exists and is not a dataset, so it is not replaced. Choose another folder.")

    def prepare(self, key: str, size: int) -> bool:
        """Create the folder, or reuse the one of an interrupted build with the same key (:func:`build_key`).

        Return whether the folder is new, so that its arrays have to be created. A disk with less free space than the
        dataset's ``size`` in bytes is an ``InputError``.
        """
        marker = self.path / "key"
        if self.whole.is_dir() and marker.is_file() and marker.read_text() == key:
            return False
        self.out.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_dir():  # of an earlier build
            shutil.rmtree(self.path)
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
            sync(path)
        if self.out.exists():
            self.out.rename(self.path / "old")
        self.whole.rename(self.out)
        shutil.rmtree(self.path)

    def discard(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    def undo_half_replacement(self) -> None:
        """Undo the first of the two renames of a replacement, if the build was killed between them."""
        old = self.path / "old"
        if old.exists() and not os.path.lexists(self.out):
            old.rename(self.out)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn errors of a full or read-only disk into clear messages."""
        try:
            yield
        except OSError as error:
            if error.errno in NO_SPACE:
                raise InputError(
                    f"{self.out} cannot be written: {error.strerror}. Free some space and run the same command to "
                    f"continue: finished tasks are in {self.path}."
                ) from error
            if error.errno not in (errno.ENOTDIR, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            with making(self.out):
                raise

    def _report(self, task: str) -> Path:
        return self.path / "done" / f"{task}.json"


def share_sequence(folder: Path, siblings: Path, info: FileInfo) -> None:
    """Replace the DNA of a finished dataset by a hard link to the same file of a dataset in ``siblings``, if any.

    Datasets are read-only, and a linked file exists until its last dataset is deleted. The dataset keeps its own copy
    where links are impossible, such as on some network drives. ``info`` is the size and checksum of its DNA.
    """
    for description in sorted(siblings.glob("*/dataset.json")):
        with suppress(OSError, ValueError, LookupError, TypeError):  # another dataset may be damaged or not readable
            if json.loads(description.read_text())["files"]["sequence.npy"] != info.model_dump():
                continue
            other = (description.parent / "sequence.npy").resolve(strict=True)
            if digest(other) != info:
                continue
            link = folder / "sequence.npy.link"
            link.unlink(missing_ok=True)
            os.link(other, link)
            link.replace(folder / "sequence.npy")
            logger.info("sequence.npy is a hard link to %s: the DNA is the same.", other)
            return


def _write(path: Path, text: str) -> None:
    """Write a small file atomically; :meth:`WorkFolder.writing` handles system errors."""
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)


def _in_units(size: int) -> str:
    """Return a size in bytes as GB or MB."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
