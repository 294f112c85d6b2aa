"""What an exhibit is: which runs it needs, what is read off them, what the paper printed, and how it is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from epigx.paper.published import Published
from epigx.runs.config import RunConfig

__all__ = ["Counts", "Exhibit", "Impossible", "Locus", "Row", "Scores", "Trained"]


@dataclass(frozen=True)
class Trained:
    """A system, trained once per seed, or once if nothing in it is random.

    Parameters
    ----------
    runs : mapping of str to RunConfig
        By the name of the run's folder; equal configurations have equal names.
    parameters : mapping of str to int
        Of the model, and of the objective, which inference does not need.
    """

    runs: Mapping[str, RunConfig]
    parameters: Mapping[str, int]

    @property
    def window(self) -> int:
        """Length that it reads, in bp."""
        window = next(iter(self.runs.values())).data.window
        assert window is not None  # Study.train sets it
        return window

    @property
    def is_random(self) -> bool:
        """Whether its runs differ by a seed."""
        return next(iter(self.runs.values())).method.seed_used is not None

    @property
    def reads_elements(self) -> bool:
        """Whether it reads a promoter and candidate enhancers, and no window."""
        return "elements" in next(iter(self.runs.values())).method.needs


@dataclass(frozen=True)
class Impossible:
    """What cannot be trained on this dataset, and why."""

    reason: str


@dataclass(frozen=True)
class Row:
    """A line of a table, or a mark of a figure.

    Parameters
    ----------
    label : str
        What the exhibit calls it.
    cell_type : str
        The cell type; each has a table of its own.
    system : Trained or Impossible
        What predicts.
    group : str
        Heading that it stands under, with the rows that it is ranked among.
    drop : tuple of str
        Signals that are set to zero when it is scored.
    window : int, optional
        Length that is read when it is scored, where that is not the one trained on.
    at : float, optional
        Its place on the axis of a figure.
    baseline : bool
        Whether the other rows of its group are compared with it.
    published : Published, optional
        What the paper says of it.
    """

    label: str
    cell_type: str
    system: Trained | Impossible
    group: str = ""
    drop: tuple[str, ...] = ()
    window: int | None = None
    at: float | None = None
    baseline: bool = False
    published: Published | None = None


@dataclass(frozen=True)
class Scores:
    """An exhibit of scores on the test chromosomes.

    Parameters
    ----------
    name, title, caption : str
        Name of the command's argument, heading, and what has to be known to read it.
    rows : tuple of Row
        In the order of the paper.
    axis : str
        What :attr:`Row.at` measures; empty where rows are names.
    """

    name: str
    title: str
    caption: str
    rows: tuple[Row, ...]
    axis: str = ""

    @property
    def trained(self) -> tuple[Trained, ...]:
        """The systems that it needs."""
        return tuple(row.system for row in self.rows if isinstance(row.system, Trained))


@dataclass(frozen=True)
class Counts:
    """An exhibit of parameter counts; it needs no runs and no data.

    Parameters
    ----------
    name, title, caption : str
        As of :class:`Scores`.
    rows : tuple of (str, str, int, int)
        System, what the paper prints, parameters of the model and of the objective.
    """

    name: str
    title: str
    caption: str
    rows: tuple[tuple[str, str, int, int], ...]
    trained: tuple[Trained, ...] = field(default=(), init=False)


@dataclass(frozen=True)
class Locus:
    """An exhibit of single genes: their signals, their expression, and what is predicted of them.

    Parameters
    ----------
    name, title, caption : str
        As of :class:`Scores`.
    systems : mapping of str to mapping of str to Trained
        By cell type and label: whose predictions are shown.
    genes : int
        Genes shown of each cell type.
    """

    name: str
    title: str
    caption: str
    systems: Mapping[str, Mapping[str, Trained]]
    genes: int = 2

    @property
    def trained(self) -> tuple[Trained, ...]:
        """The systems that it needs."""
        return tuple(system for systems in self.systems.values() for system in systems.values())


Exhibit = Scores | Counts | Locus
