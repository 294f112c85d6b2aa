"""Match chromosome names: ``chr1`` and ``1``, ``chrM`` and ``MT``."""

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
    """Find the name of a chromosome in a file, from the genes' name for it.

    It is ``name`` itself if the file has it, otherwise the name with or without ``chr`` (for the mitochondrion
    ``chrM``, ``M``, ``MT`` or ``chrMT``), otherwise ``None``.

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
    """Find the names of several chromosomes in a file; chromosomes that are not in the file are left out.

    Examples
    --------
    >>> match_chromosomes(["chr1", "chrX"], ["1", "2"])
    {'chr1': '1'}
    """
    found = {name: match_chromosome(name, available) for name in dict.fromkeys(wanted)}
    return {name: alias for name, alias in found.items() if alias is not None}


def find_chromosome(name: str, available: Collection[str], path: str | Path) -> str | None:
    """Like :func:`match_chromosome`, but log once if the file at ``path`` uses another name."""
    found = match_chromosome(name, available)
    if found not in {name, None}:
        _log_alias(str(path), name, str(found))
    return found


def require_chromosome(name: str, available: Collection[str], path: str | Path) -> str:
    """Like :func:`find_chromosome`, but raise ``InputError`` if there is none: the file lists all its chromosomes."""
    found = find_chromosome(name, available, path)
    if found is None:
        listed = [repr(known) for known in list(available)[:4]]
        has = ", ".join(listed) + (", …" if len(available) > len(listed) else "") if listed else "none"
        raise InputError(
            f"{path} has no chromosome {name!r} (it has {has}). "
            "Use files of the same assembly, or remove the genes of that chromosome."
        )
    return found


@cache
def _log_alias(path: str, name: str, alias: str) -> None:
    logger.info("%s: using chromosome %r for %r.", path, alias, name)
