"""Messages on standard error, results on standard output.

Messages go through :mod:`logging`, so that one setting decides what is printed: messages of commands have the level
INFO; those of the library are printed from WARNING on, or from INFO on with ``-v``.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from rich.console import Console
from rich.text import Text

__all__ = ["HelpConsole", "columns", "configure_logging", "emit", "emit_json", "fail", "say", "stderr", "warn"]

_commands = logging.getLogger("epigx.cli")
_STYLES = {"Warning": "yellow", "Error": "bold red"}


class HelpConsole(Console):
    """The console of help texts. A closed pipe is handled at the end of the call."""

    def on_broken_pipe(self) -> None:
        """Raise the error; rich would exit with another status."""
        raise BrokenPipeError


@cache
def stderr() -> Console:
    """Return the console of standard error. There is one, so that messages are printed above a progress bar."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


class _Messages(logging.Handler):
    """Print a record as a plain sentence, after ``Warning:`` or ``Error:`` if it is one."""

    def emit(self, record: logging.LogRecord) -> None:
        text = Text(record.getMessage())
        kind = "Error" if record.levelno >= logging.ERROR else "Warning" if record.levelno >= logging.WARNING else ""
        if kind:
            text = Text.assemble((f"{kind}: ", _STYLES[kind]), text)
        stderr().print(text)


def configure_logging(verbosity: int) -> None:
    """Set which messages are printed.

    Parameters
    ----------
    verbosity : int
        -2: errors. -1: and warnings. 0: and messages of the commands. 1: and steps of the library. 2: everything.
    """
    package = logging.getLogger("epigx")
    package.handlers = [_Messages()]
    package.propagate = False
    quiet = {-2: logging.ERROR, -1: logging.WARNING}.get(verbosity)
    package.setLevel(quiet or {0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))
    _commands.setLevel(quiet or logging.INFO)


def say(text: str) -> None:
    """Print a message on standard error, unless ``--quiet`` is given."""
    _commands.info("%s", text)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    _commands.warning("%s", text)


def fail(text: str) -> None:
    """Print the error that ends the command."""
    if not logging.getLogger("epigx").handlers:  # an error before the options were read
        configure_logging(0)
    _commands.error("%s", text)


def emit(text: str) -> None:
    """Print a result on standard output."""
    print(text)


def emit_json(value: Any) -> None:
    """Print a value on standard output as JSON. Numbers that are not finite become ``null``."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=str))


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Align rows of text: numbers to the right, the first column and text to the left.

    Examples
    --------
    >>> print(columns([("split", "genes"), ("train", "12"), ("test", "7")]))
    split  genes
    train     12
    test       7
    """
    table = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    numeric = [all(not cell or not cell[0].isalpha() for cell in column[1:]) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if right and index else cell.ljust(width)
            for index, (cell, width, right) in enumerate(zip(row, widths, numeric, strict=True))
        )
        for row in table
    )
    return "\n".join(line.rstrip() for line in lines)


def _plain(value: Any) -> Any:
    """Convert arrays and numbers of other libraries to plain values for JSON."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value
