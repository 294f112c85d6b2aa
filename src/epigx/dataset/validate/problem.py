"""What `epigx check` reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

from epigx.errors import EpigxError

__all__ = ["Level", "Problem", "Problems", "counted", "listed"]

Level = Literal["error", "warning", "notice"]
"""``error``: a dataset cannot be built; ``warning``: it can, but look; ``notice``: something was taken as meant."""


class Problem(NamedTuple):
    """One finding."""

    level: Level
    where: str
    message: str


class Problems(list[Problem]):
    """The findings of a check, in the order of finding."""

    def error(self, where: str, message: str) -> None:
        """Add what stands in the way of a build."""
        self.append(Problem("error", where, message))

    def warning(self, where: str, message: str) -> None:
        """Add what a build passes over."""
        self.append(Problem("warning", where, message))

    def notice(self, where: str, message: str) -> None:
        """Add how something was understood."""
        self.append(Problem("notice", where, message))

    @contextmanager
    def catching(self, where: str) -> Iterator[None]:
        """Take an error that epigx raises as a finding, unless it was found before, and go on."""
        try:
            yield
        except EpigxError as error:
            if Problem("error", where, str(error)) not in self:
                self.error(where, str(error))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "gene"), counted(1200, "gene")
    ('1 gene', '1,200 genes')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str], most: int = 5) -> str:
    """Join words, the first few of many.

    Examples
    --------
    >>> listed(["chr1", "chr2", "chr3"], most=2)
    'chr1, chr2 and 1 more'
    """
    return ", ".join(words[:most]) + (f" and {len(words) - most:,} more" if len(words) > most else "")
