"""The findings of `epigx check`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from epigx.errors import EpigxError

__all__ = ["Level", "Problem", "Problems", "counted", "listed"]

Level = Literal["error", "warning", "notice"]
"""``error``: no dataset can be built; ``warning``: one can, but look at it first; ``notice``: for information."""


class Problem(NamedTuple):
    """One finding."""

    level: Level
    where: str
    message: str


class Problems(list[Problem]):
    """The findings of a check, in the order in which they were found.

    ``root`` is the folder of the manifest's files; errors of the readers then name files as the manifest does.
    """

    def __init__(self, root: Path | None = None) -> None:
        super().__init__()
        self._folder = "" if root is None else f"{root}{os.sep}"

    def error(self, where: str, message: str) -> None:
        """Add a problem that prevents a build."""
        self._add(Problem("error", where, message))

    def warning(self, where: str, message: str) -> None:
        """Add a problem that does not prevent a build."""
        self._add(Problem("warning", where, message))

    def notice(self, where: str, message: str) -> None:
        """Add information about how the input was read."""
        self._add(Problem("notice", where, message))

    @contextmanager
    def catching(self, where: str) -> Iterator[None]:
        """Turn an error that epigx raises into a finding, and continue."""
        try:
            yield
        except EpigxError as error:
            self.error(where, self._in_manifest_paths(where, str(error)))

    def _add(self, problem: Problem) -> None:
        if problem not in self:  # several cell types may use the same file
            self.append(problem)

    def _in_manifest_paths(self, where: str, message: str) -> str:
        """Name files as the manifest does, and leave out ``where`` at the start."""
        message = message.replace(self._folder, "") if self._folder else message
        rest = message.removeprefix(where)
        return rest.lstrip(" ,:") if rest != message and rest[:1] in {" ", ",", ":"} else message


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "gene"), counted(1200, "gene")
    ('1 gene', '1,200 genes')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Join names; of many, only the first few.

    Examples
    --------
    >>> listed(["chr1", "chr2", "chr3"], most=2)
    'chr1, chr2 and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
