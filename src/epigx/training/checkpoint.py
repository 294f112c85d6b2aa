"""The checkpoint: everything that a resumed training needs to give the same weights, in one file.

The file holds tensors and plain values only; reading it runs no code. It keeps neither the state of a random generator
nor a position in the data: learning rate, batch and random numbers of a step depend only on the seed and the step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import torch
from torch import Tensor

from epigx.errors import RunError
from epigx.system.atomic import atomic_file

__all__ = ["Best", "State"]

_FORMAT = 2


@dataclass(frozen=True)
class Best:
    """The validation with the lowest mean squared error."""

    step: int
    """Optimizer steps made before it."""
    mse: float
    """Mean squared error over the validation genes."""
    weights: dict[str, Tensor]
    """``model.*`` and ``objective.*``, on the CPU."""


@dataclass
class State:
    """The checkpoint of a training run."""

    dataset_hash: str
    kernel: str
    """Name of the kernel; another one rounds differently."""
    processes: int = 1
    """Number of processes that train together; another number rounds differently."""
    step: int = 0
    """Optimizer steps made."""
    weights: dict[str, Tensor] = field(default_factory=dict)
    """``model.*`` and ``objective.*`` after that step."""
    optimizer: dict[str, Any] = field(default_factory=dict)
    """State of AdamW after that step."""
    terms: dict[str, Tensor] = field(default_factory=dict)
    """Loss terms of each step since the last row of the log, (step,)."""
    rows: list[dict[str, float]] = field(default_factory=list)
    """Rows of the log."""
    best: Best | None = None
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    """CPU time, summed over processes."""

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically; an older one is replaced."""
        best = None if self.best is None else vars(self.best)
        with atomic_file(path) as partial:
            torch.save({"format": _FORMAT, **vars(self), "best": best}, partial)

    @classmethod
    def load(cls, path: Path) -> State:
        """Read a checkpoint; RunError if it is missing, damaged, or of another version of epigx."""
        try:
            if not is_zipfile(path):
                raise ValueError("the file is missing, truncated, or not a checkpoint")
            with ZipFile(path) as archive:  # PyTorch does not verify the checksums that it writes
                if damaged := archive.testzip():
                    raise ValueError(f"its member {damaged} is damaged")
            values = torch.load(path, map_location="cpu", weights_only=True)
            if values.pop("format") != _FORMAT:
                raise ValueError("it was written by another version of epigx")
            best = values.pop("best")
            return cls(best=None if best is None else Best(**best), **values)
        except Exception as error:  # a damaged archive raises many kinds of exception
            reason = str(error).partition("\n")[0]
            raise RunError(f"{path} cannot be read: {reason}. Restart the run with --force.") from None
