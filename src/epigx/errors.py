"""The errors that epigx raises on purpose, and the exit code each one ends a command with.

Every message says what is wrong, where, the value that was found, and the remedy, in one or two sentences.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "DatasetError",
    "EpigxError",
    "InputError",
    "LeakageError",
    "RunError",
    "did_you_mean",
]


class EpigxError(Exception):
    """An error that epigx foresaw: its message is meant for the user.

    Attributes
    ----------
    exit_code : int
        The exit status of a command that ends with this error (2: usage or bad input; 1: the run itself failed).
    """

    exit_code: int = 2


class InputError(EpigxError):
    """A user's own file (FASTA, GTF, bigWig, Hi-C, table, manifest) is missing, damaged or does not fit the others."""


class ConfigError(EpigxError):
    """A configuration holds an unknown key or a value that cannot work."""


class DatasetError(EpigxError):
    """A dataset folder is absent, incomplete, damaged, or lacks what was asked of it."""


class RunError(EpigxError):
    """A run folder or a checkpoint is absent, damaged, or belongs to another model."""


class LeakageError(EpigxError):
    """A run would be scored on chromosomes that it was trained on."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the nearest known word, as the end of an error message.

    Returns
    -------
    str
        ``" Did you mean 'alpha'?"`` when a near word exists, and otherwise the whole choice, ``" Choose from: a, b."``.

    Examples
    --------
    >>> did_you_mean("alhpa", ["alpha", "beta"])
    " Did you mean 'alpha'?"
    >>> did_you_mean("gamma_ray", ["x", "y"])
    ' Choose from: x, y.'
    """
    choice = sorted(known)
    near = get_close_matches(word, choice, n=1, cutoff=0.6)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" Choose from: {', '.join(choice)}."
