"""All that training needs to go on as if it had never stopped, in one file without pickled objects.

Neither a generator's state nor a place in the data is kept: the learning rate, the batch and what is drawn in a step
are functions of the seed and the step's number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import torch
from torch import Tensor

from epigx.errors import RunError
from epigx.system.atomic import atomic_file

__all__ = ["Best", "State"]

_FORMAT = 2
_UNREADABLE = (
    RuntimeError,
    BadZipFile,
    UnpicklingError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
"""In how many ways a damaged archive and a damaged pickle can fail."""


@dataclass(frozen=True)
class Best:
    """The validation with the lowest mean squared error.

    Parameters
    ----------
    step : int
        Optimizer steps made by then.
    mse : float
        Over the validation genes.
    weights : dict of str to Tensor
        ``model.*`` and ``objective.*``, on the CPU.
    """

    step: int
    mse: float
    weights: dict[str, Tensor]


@dataclass
class State:
    """Where a training stands.

    Parameters
    ----------
    dataset_hash : str
        The dataset that it reads.
    kernel : str
        The kernel it runs on: another one rounds differently.
    processes : int
        How many train together: another number rounds differently, too.
    step : int
        Optimizer steps made.
    weights, optimizer : dict
        ``model.*`` and ``objective.*``, and the optimizer's own state, after that step.
    terms : dict of str to Tensor
        The loss terms of each step since the last row, (step,).
    rows : list of dict
        The log.
    best : Best, optional
        The weights to keep.
    wall_seconds, cpu_seconds : float
        Time spent.
    """

    dataset_hash: str
    kernel: str
    processes: int = 1
    step: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Tensor] = field(default_factory=dict)
    rows: list[dict[str, float]] = field(default_factory=list)
    best: Best | None = None
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write the state at once, in place of an older one."""
        best = None if self.best is None else vars(self.best)
        with atomic_file(path) as partial:
            torch.save({"format": _FORMAT, **vars(self), "best": best}, partial)

    @classmethod
    def load(cls, path: Path) -> State:
        """Read a state; tensors and plain values are all that the file may hold.

        Raises
        ------
        RunError
            The file is damaged, or not one of epigx's.
        """
        try:
            if not is_zipfile(path):
                raise ValueError("it is missing, cut short, or no checkpoint")
            with ZipFile(path) as archive:  # PyTorch does not look at the checksums that it writes
                if damaged := archive.testzip():
                    raise ValueError(f"its member {damaged} is damaged")
            values = torch.load(path, map_location="cpu", weights_only=True)
            if values.pop("format") != _FORMAT:
                raise ValueError("it is of another version of epigx")
            best = values.pop("best")
            return cls(best=None if best is None else Best(**best), **values)
        except _UNREADABLE as e:
            reason = str(e).partition("\n")[0]
            raise RunError(f"{path} cannot be read: {reason}. Start the run anew with --force.") from None
