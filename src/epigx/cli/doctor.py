"""``epigx doctor``: versions, device, kernel and memory."""

from __future__ import annotations

from textwrap import indent
from typing import Any

from cyclopts import App

from epigx.cli.console import columns, emit, emit_json
from epigx.cli.options import Json

app = App(
    name="doctor",
    help_epilogue=(
        "Example:\n  epigx doctor\n  epigx doctor --json > machine.json\n\nAdd its output to a bug report, please."
    ),
)


@app.default
def doctor(*, json: Json = False) -> None:
    """Show versions, device, kernel, memory and optional packages.

    Parameters
    ----------
    json : bool
        Print JSON.
    """
    from epigx.cli import machine

    found: dict[str, dict[str, Any]] = {
        "versions": machine.versions(),
        "compute": machine.compute(),
        "resources": machine.resources(),
        "optional packages": machine.extras(),
    }
    if json:
        emit_json(found)
        return
    for title, values in found.items():
        emit(title)
        emit(indent(columns([(key.replace("_", " "), _text(value)) for key, value in values.items()]), "  "))


def _text(value: Any) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
