"""Options that mean the same in every command, and the check of an output file."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from epigx.errors import ConfigError, InputError

__all__ = ["LOOK", "Drop", "Force", "Json", "Out", "Settings", "check_output"]


def _shown(default: Any) -> str | None:
    """Show a default only if it is informative."""
    return None if default in (None, False, 0, "", ()) else str(default)


LOOK = Parameter(negative=(), show_default=_shown)

Out = Annotated[Path, Parameter(name=["--out", "-o"])]
"""Output path."""

Json = Annotated[bool, Parameter(name="--json")]
"""Print JSON to standard output."""

Force = Annotated[bool, Parameter(name="--force")]
"""Replace an existing output, once the new one is complete."""

Settings = Annotated[tuple[str, ...], Parameter(name="--set")]
"""Values of a configuration, as key=value."""

Drop = Annotated[tuple[str, ...], Parameter(name="--drop")]
"""Signals that are set to zero."""


def check_output(out: Path, *, force: bool, suffixes: Collection[str] = ()) -> None:
    """Refuse an output file that cannot be written, before any work, so that no result is lost at the end.

    Parameters
    ----------
    suffixes : collection of str
        The allowed suffixes; empty: any.
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
