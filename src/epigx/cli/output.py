"""Where a single file goes: looked at before any work, so that nothing is computed in vain."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from epigx.errors import ConfigError, InputError

__all__ = ["check_output"]


def check_output(out: Path, *, force: bool, suffixes: Collection[str] = ()) -> None:
    """Refuse an output file that could not be written.

    Parameters
    ----------
    out : Path
        The file to be written.
    force : bool
        Whether a file that stands there may be replaced.
    suffixes : collection of str
        The endings that name a format; none: any will do.

    Raises
    ------
    ConfigError
        The suffix names no format.
    InputError
        The file exists and ``force`` is false, is a folder, or lies where nothing can be written.
    """
    if suffixes and out.suffix not in suffixes:
        raise ConfigError(f"{out} has no known suffix. End the name with {', '.join(suffixes)}.")
    if out.is_dir():
        raise InputError(f"{out} is a folder. Give the name of a file.")
    if out.exists() and not force:
        raise InputError(f"{out} already exists. Choose another name, or replace it with --force.")
    nearest = next(place for place in out.absolute().parents if os.path.lexists(place))
    if not nearest.is_dir():
        raise InputError(f"{out} cannot be written: {nearest} is no folder. Choose another place.")
    if not os.access(nearest, os.W_OK):
        raise InputError(f"{out} cannot be written: {nearest} is not writable. Choose a folder that you may write to.")
