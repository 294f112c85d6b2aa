"""``epigx doctor``: what epigx runs on."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from epigx.cli.console import columns, emit, emit_json
from epigx.cli.options import Json

app = App(
    name="doctor",
    help_epilogue="Example:\n  epigx doctor\n  epigx doctor --json > machine.json",
)


@app.default
def doctor(*, json: Json = False) -> None:
    """Say what epigx runs on: versions, device, kernel, memory, optional packages.

    Parameters
    ----------
    json : bool
        Write JSON.
    """
    found = examine()
    if json:
        emit_json(found)
        return
    for title, values in found.items():
        emit(f"{title}\n" + _indent(columns([(key, _word(value)) for key, value in values.items()])))


def examine() -> dict[str, dict[str, Any]]:
    """Return what a bug report should hold, by heading."""
    from epigx.cli import machine

    return {
        "versions": machine.versions(),
        "compute": machine.compute(),
        "room": machine.room(),
        "optional packages": machine.extras(),
    }


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
