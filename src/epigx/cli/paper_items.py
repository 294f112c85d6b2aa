"""From the arguments of ``epigx reproduce`` to tables and figures."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from epigx import paper
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError
from epigx.paper.items import Exhibit, Impossible, Scores
from epigx.paper.study import Study
from epigx.recipes.data import Scale

__all__ = [
    "NAMES",
    "WITHOUT_DATA",
    "command",
    "exhibits_of",
    "impossible",
    "seeds_of",
    "study_of",
]

NAMES = (
    "table1", "table2", "table3", "table4", "table5", "table6", "table7", "table8",
    "figure1a", "figure1b", "figure1c", "figure4",
)  # fmt: skip
"""The tables and figures, in the order of ``all``."""

WITHOUT_DATA = {"table8"}
"""Tables that need no dataset."""


def seeds_of(text: str) -> tuple[int, ...]:
    """Parse a list of seeds.

    Raises
    ------
    ConfigError
        It is not a list of whole numbers.

    Examples
    --------
    >>> seeds_of("2,22")
    (2, 22)
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise ConfigError(f"--seeds {text!r} is not a list of whole numbers. Write them as 2,22,222.")
    return tuple(map(int, words))


def study_of(data: Path, cell_types: Sequence[str], seeds: str | None, scale: Scale, settings: Sequence[str]) -> Study:
    """Return the study that the options describe."""
    chosen = () if seeds is None else seeds_of(seeds)
    return Study.on(open_dataset(data), cell_types=cell_types, seeds=chosen, scale=scale, settings=settings)


def exhibits_of(names: Sequence[str], study: Study | None, scale: Scale) -> list[Exhibit]:
    """Plan tables and figures.

    Raises
    ------
    ConfigError
        One of them needs a dataset and none is given.
    """
    if study is None and (needy := [name for name in names if name not in WITHOUT_DATA]):
        raise ConfigError(f"{needy[0]} needs a dataset. Add --data FOLDER (made with `epigx build`).")
    return [getattr(paper, name)(scale if name in WITHOUT_DATA else study) for name in names]


def impossible(exhibits: Sequence[Exhibit]) -> dict[str, list[str]]:
    """Return the rows that cannot be trained, grouped by the reason."""
    found: dict[str, list[str]] = {}
    for exhibit in exhibits:
        for row in exhibit.rows if isinstance(exhibit, Scores) else ():
            if isinstance(row.system, Impossible):
                found.setdefault(row.system.reason, []).append(f"{row.label} ({exhibit.name}, {row.cell_type})")
    return found


def command(exhibit: str, flags: Mapping[str, object]) -> str:
    """Return the command as text, with the options that were given.

    Examples
    --------
    >>> command("table1", {"data": "d", "scale": "small", "jobs": None, "set": ("a=1", "b={x: 2}")})
    "epigx reproduce table1 --data d --scale small --set a=1 --set 'b={x: 2}'"
    """
    words = ["epigx", "reproduce", exhibit]
    for flag, value in flags.items():
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                words += [f"--{flag}", str(one)]
    return shlex.join(words)
