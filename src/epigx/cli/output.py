"""Check an output file before any work, so that no result is lost at the end."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from epigx.errors import ConfigError, InputError

__all__ = ["check_output"]


def check_output(out: Path, *, force: bool, suffixes: Collection[str] = ()) -> None:
    """Refuse an output file that cannot be written.

    Parameters
    ----------
    out : Path
        The file to write.
    force : bool
        Whether an existing file may be replaced.
    suffixes : collection of str
        The allowed suffixes; empty: any.

    Raises
    ------
    ConfigError
        The suffix is not an allowed one.
    InputError
        The file exists and ``force`` is false, it is a folder, or its folder is not writable.
    """
    if suffixes and out.suffix not in suffixes:
        raise ConfigError(f"{out} has an unknown suffix. Use one of {', '.join(suffixes)}.")
    if out.is_dir():
        raise InputError(f"{out} is a folder. Give the path of a file.")
    if out.exists() and not force:
        raise InputError(f"{out} already exists. Choose another name, or replace it with --force.")
    nearest = next(folder for folder in out.absolute().parents if os.path.lexists(folder))
    if not nearest.is_dir():
        raise InputError(f"{out} cannot be written: {nearest} is not a folder. Choose another path.")
    if not os.access(nearest, os.W_OK):
        raise InputError(f"{out} cannot be written: {nearest} is not writable. Choose a folder that you can write to.")
