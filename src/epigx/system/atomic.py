"""Writing that leaves either nothing or the whole: a temporary sibling, fsync, rename."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from epigx.errors import InputError

__all__ = ["atomic_file", "atomic_folder", "making"]


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; on success it takes the place of ``path`` at once.

    Raises
    ------
    InputError
        The folder cannot be written to or the disk is full. A file that stood at ``path`` is then untouched.
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
            _sync(partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` to fill; on success it becomes ``path`` by one rename.

    Parameters
    ----------
    path : str or Path
        The folder to make.
    replace : bool
        Whether a folder that stands at ``path`` may be replaced, once the new one is whole.

    Raises
    ------
    InputError
        ``path`` exists and ``replace`` is false, its parent cannot be written to, or the disk is full.
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
                _sync(file)
            _take_place(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _take_place(partial: Path, path: Path) -> None:
    """Rename ``partial`` to ``path``; what stood there is moved aside first and removed last."""
    if path.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
        path.replace(aside / path.name)
        partial.replace(path)
        shutil.rmtree(aside)
    else:
        partial.replace(path)
    _sync(path.parent)


@contextmanager
def making(path: Path) -> Iterator[None]:
    """Turn what the system says of a place where nothing can be made into a sentence.

    Raises
    ------
    InputError
        It says anything.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}. Choose a place that you may write to."
        ) from error


_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def _filling(path: Path) -> Iterator[None]:
    """Say when the disk was full; any other error of the one who writes is left as it is."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        # What libraries say of it may go over several lines (HDF5): the system's own words are enough.
        reason = os.strerror(error.errno)
        raise InputError(
            f"{path} cannot be written: {reason}. Free some space and try again; nothing was left half-written."
        ) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
