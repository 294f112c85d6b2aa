"""Options that mean the same in every command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

__all__ = ["LOOK", "Drop", "Force", "Json", "Out", "Settings"]


def _shown(default: Any) -> str | None:
    """Show only defaults that tell something."""
    return None if default in (None, False, 0, "", ()) else str(default)


LOOK = Parameter(negative=(), show_default=_shown)

Out = Annotated[Path, Parameter(name=["--out", "-o"])]
"""Where the result goes."""

Json = Annotated[bool, Parameter(name="--json")]
"""Write JSON to standard output."""

Force = Annotated[bool, Parameter(name="--force")]
"""Replace what stands at the output, once the new one is whole."""

Settings = Annotated[tuple[str, ...], Parameter(name="--set", help="A value of the configuration, as key=value.")]
"""Values of the configuration."""

Drop = Annotated[tuple[str, ...], Parameter(name="--drop", help="A signal to set to zero; may be repeated.")]
"""Signals set to zero."""
