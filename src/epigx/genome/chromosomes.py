"""One chromosome under several names: ``chr1`` and ``1``, ``chrM`` and ``MT``."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

from epigx.errors import InputError

__all__ = ["find_chromosome", "match_chromosome", "match_chromosomes", "require_chromosome"]

logger = logging.getLogger(__name__)

_MITOCHONDRION = ("chrM", "MT", "chrMT", "M")


def match_chromosome(name: str, available: Collection[str]) -> str | None:
    """Find the name that a file gives to a chromosome.

    Parameters
    ----------
    name : str
        The chromosome as the genes name it.
    available : collection of str
        The names that the file holds.

    Returns
    -------
    str or None
        ``name`` itself when the file has it, else its form with or without ``chr`` (and ``chrM``, ``M``, ``MT``,
        ``chrMT`` for the mitochondrion), else ``None``.

    Examples
    --------
    >>> match_chromosome("chr1", ["1", "2", "MT"])
    '1'
    >>> match_chromosome("chrM", ["1", "2", "MT"])
    'MT'
    >>> match_chromosome("chr3", ["1", "2", "MT"]) is None
    True
    """
    if name in available:
        return name
    if name in _MITOCHONDRION:
        aliases: Iterable[str] = _MITOCHONDRION
    else:
        aliases = (name.removeprefix("chr") if name.startswith("chr") else f"chr{name}",)
    return next((alias for alias in aliases if alias in available), None)


def match_chromosomes(wanted: Iterable[str], available: Collection[str]) -> dict[str, str]:
    """Find the file's name of each wanted chromosome; those that the file lacks are left out.

    Examples
    --------
    >>> match_chromosomes(["chr1", "chrX"], ["1", "2"])
    {'chr1': '1'}
    """
    found = {name: match_chromosome(name, available) for name in dict.fromkeys(wanted)}
    return {name: alias for name, alias in found.items() if alias is not None}


def find_chromosome(name: str, available: Collection[str], path: str | Path) -> str | None:
    """Do as :func:`match_chromosome`, and log once when the file at ``path`` has another name for a chromosome."""
    found = match_chromosome(name, available)
    if found not in {name, None}:
        _tell(str(path), name, str(found))
    return found


def require_chromosome(name: str, available: Collection[str], path: str | Path) -> str:
    """Do as :func:`find_chromosome`, for a file that lists all its chromosomes.

    Raises
    ------
    InputError
        The file has the chromosome under none of its names.
    """
    found = find_chromosome(name, available, path)
    if found is None:
        listed = [repr(known) for known in list(available)[:4]]
        has = ", ".join(listed) + (", …" if len(available) > len(listed) else "") if listed else "none"
        raise InputError(
            f"{path} has no chromosome {name!r} (it has {has}). "
            "Use files of one assembly, or leave out the genes of that chromosome."
        )
    return found


@cache
def _tell(path: str, name: str, alias: str) -> None:
    logger.info("%s: chromosome %r was read as %r.", path, name, alias)
