"""Talk on standard error, data on standard output.

Talk goes through :mod:`logging`, so that one setting decides what is heard: the commands speak at the level INFO, the
library's own notices are heard from WARNING on, or from INFO on with ``-v``.
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
    """The console of help texts, which leaves it to the end of the call to tell that the reader has had enough."""

    def on_broken_pipe(self) -> None:
        """Raise on, where rich would exit with a status of its own."""
        raise BrokenPipeError


@cache
def stderr() -> Console:
    """Return the one console that writes to standard error; lines logged during progress stand above its bar."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


class _Talk(logging.Handler):
    """Write a record as a plain sentence, with ``Warning:`` or ``Error:`` before it when it is one."""

    def emit(self, record: logging.LogRecord) -> None:
        text = Text(record.getMessage())
        kind = "Error" if record.levelno >= logging.ERROR else "Warning" if record.levelno >= logging.WARNING else ""
        if kind:
            text = Text.assemble((f"{kind}: ", _STYLES[kind]), text)
        stderr().print(text)


def configure_logging(verbosity: int) -> None:
    """Decide what is heard.

    Parameters
    ----------
    verbosity : int
        -2: errors. -1: warnings and errors. 0: what the commands say, too. 1: the steps of the library. 2: everything.
    """
    package = logging.getLogger("epigx")
    package.handlers = [_Talk()]
    package.propagate = False
    quiet = {-2: logging.ERROR, -1: logging.WARNING}.get(verbosity)
    package.setLevel(quiet or {0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))
    _commands.setLevel(quiet or logging.INFO)


def say(text: str) -> None:
    """Tell the user something, on standard error; silent with ``--quiet``."""
    _commands.info("%s", text)


def warn(text: str) -> None:
    """Tell the user of something that deserves a look."""
    _commands.warning("%s", text)


def fail(text: str) -> None:
    """Tell the user why the command ends."""
    if not logging.getLogger("epigx").handlers:  # an error before the options were read
        configure_logging(0)
    _commands.error("%s", text)


def emit(text: str) -> None:
    """Write data to standard output."""
    print(text)


def emit_json(value: Any) -> None:
    """Write a value to standard output as JSON; numbers that are not finite become ``null``."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=str))


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Align rows of text: the first column to the left, the others to the right unless they hold words.

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
            cell.rjust(width) if right and place else cell.ljust(width)
            for place, (cell, width, right) in enumerate(zip(row, widths, numeric, strict=True))
        )
        for row in table
    )
    return "\n".join(line.rstrip() for line in lines)


def _plain(value: Any) -> Any:
    """Turn arrays, paths and numbers of other libraries into what JSON knows."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value
