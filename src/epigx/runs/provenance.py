"""Provenance of a run: what it was trained on, with which software, and for how long."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from pydantic import Field

from epigx.config import Config
from epigx.dataset.manifest.split import Split
from epigx.version import __version__

__all__ = ["Provenance", "versions"]


class Provenance(Config):
    """The content of a run's ``provenance.json``; what is unknown (of imported weights, say) keeps its default."""

    origin: str = "trained"
    """``trained``, or where the weights were imported from."""
    finished: bool = True
    """Whether training reached its last step."""

    dataset: str | None = None
    """Dataset folder, as it was given."""
    dataset_hash: str | None = None
    """The sha256 of its ``dataset.json``, and so of all of it."""
    cell_types: tuple[str, ...] = ()
    """Cell types trained on."""
    split: Split | None = None
    """Chromosomes that were held out."""
    chromosomes_trained: tuple[str, ...] = ()
    """Chromosomes whose genes were trained on: the run must not be scored there."""
    genes_trained: tuple[str, ...] = ()
    """Genes trained on, by identifier."""
    n_train: int = 0
    """Training examples: genes with a label, counted once per cell type."""
    n_valid: int = 0
    """Validation examples."""
    n_without_label: int = 0
    """Examples of those two sets left out because they have no label."""
    n_low_coverage: int = 0
    """Examples left out because their window has too many N bases (``data.min_dna_coverage``)."""

    seed: int | None = None
    """Seed of the initial weights and of the order of genes."""
    steps_done: int = 0
    """Optimizer steps made."""
    best_step: int = 0
    """The step whose weights were kept."""
    n_parameters: dict[str, int] = Field(default_factory=dict)
    """Fitted parameters by what holds them: the model, and a network's objective, which prediction does not use."""

    sha256: dict[str, str] = Field(default_factory=dict)
    """Checksums of the files that decide what the run predicts, by name."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of epigx, Python and the packages that the numbers depend on."""
    device: str = "cpu"
    """Where it was trained."""
    kernel: str = ""
    """Implementation of the hot loops, of a network."""
    kernel_why: str = ""
    """Why that one."""
    processes: int = 1
    """How many processes trained together."""
    wall_seconds: float = 0.0
    """Duration, summed over resumptions."""
    cpu_seconds: float = 0.0
    """Processor time, summed over processes and resumptions."""


def versions(*packages: str) -> dict[str, str]:
    """Return the versions that a run's numbers depend on: epigx, Python, and the packages named if installed."""
    found = {"epigx": __version__, "python": platform.python_version()}
    for package in ("numpy", *packages):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
