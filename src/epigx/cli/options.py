"""Options that mean the same in every command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

__all__ = ["LOOK", "Drop", "Force", "Json", "Out", "Settings"]


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
