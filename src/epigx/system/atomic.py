"""Atomic writing: a complete file or folder appears, or nothing. Written to a temporary sibling, synced, renamed."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from epigx.errors import InputError

__all__ = ["NO_SPACE", "atomic_file", "atomic_folder", "making", "sync"]


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder to write to. On success it replaces ``path`` at once.

    A folder that is not writable and a full disk are an ``InputError``; a file at ``path`` is then unchanged.
    """
    path = Path(path)
    with making(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    partial = Path(name)
    try:
        with _filling(path):
            yield partial
            partial.chmod(0o666 & ~_umask())
            sync(partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder next to ``path`` to fill. On success it is renamed to ``path``.

    With ``replace``, it then replaces an existing folder; otherwise one is an ``InputError``, as are a parent that is
    not writable and a full disk.
    """
    path = Path(path)
    if path.exists() and not replace:
        raise InputError(f"{path} already exists. Choose another folder, or replace it with --force.")
    with making(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        with _filling(path):
            yield partial
            partial.chmod(0o777 & ~_umask())
            for file in partial.rglob("*"):
                sync(file)
            _replace(path, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(path: Path, new: Path) -> None:
    """Rename ``new`` to ``path``. An existing folder is moved away first and removed last."""
    if path.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
        path.replace(aside / path.name)
        new.replace(path)
        shutil.rmtree(aside)
    else:
        new.replace(path)
    sync(path.parent)


@contextmanager
def making(path: Path) -> Iterator[None]:
    """Turn the system's error about a folder where nothing can be written into an ``InputError``."""
    try:
        yield
    except OSError as error:
        reason, remedy = error.strerror, "Choose a folder that you can write to."
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            reason, remedy = "a folder of its path is a file", "Choose another folder."
        raise InputError(f"{path} cannot be written: {reason}. {remedy}") from error


NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Numbers of the system's errors for a full disk."""


@contextmanager
def _filling(path: Path) -> Iterator[None]:
    """Report a full disk. Any other error in the block is passed on unchanged."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        # Libraries such as HDF5 report it over several lines; the system's own message is enough.
        reason = os.strerror(error.errno)
        raise InputError(
            f"{path} cannot be written: {reason}. Free some space and try again; no incomplete file was left."
        ) from error


def sync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
