"""What the exhibits are made on, and how a recipe becomes the runs of a row.

Every run of every exhibit is made by :meth:`Study.train`, so that exhibits share them: the name of a run's folder tells
the recipe, the cell type and the seed, and the first digits of a checksum of all that decides its weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from epigx.dataset.store import Dataset
from epigx.errors import ConfigError, DatasetError
from epigx.paper.items import Impossible, Trained
from epigx.recipes.data import SEEDS, SHORT, SMALL, Scale
from epigx.runs.config import RunConfig

__all__ = ["Recipe", "Study"]

Recipe = Callable[..., RunConfig]
"""A function of :mod:`epigx.recipes`."""

ALIKE = ("objective.distance=l1",)
"""What all systems of all exhibits have in common: the paper says that its prediction loss is the L1 function, while
the code of Seq2Exp, from which Table 1 cites the others, takes smooth L1. A table is to compare systems, not losses."""


@dataclass(frozen=True)
class Study:
    """A dataset and the terms on which systems are compared on it.

    Parameters
    ----------
    dataset : Dataset
        What they are trained and scored on.
    cell_types : tuple of str
        One model each; at least one.
    seeds : tuple of int
        Seeds of weights and gene order; at least one.
    scale : {"paper", "small"}
        Size of networks and training.
    settings : tuple of str
        Values of every run's configuration, as ``key=value``.
    """

    dataset: Dataset
    cell_types: tuple[str, ...]
    seeds: tuple[int, ...] = SEEDS
    scale: Scale = "paper"
    settings: tuple[str, ...] = ()

    @classmethod
    def on(
        cls,
        dataset: Dataset,
        *,
        cell_types: Sequence[str] = (),
        seeds: Sequence[int] = (),
        scale: Scale = "paper",
        settings: Sequence[str] = (),
    ) -> Study:
        """Choose what was left open: all cell types that can be scored, and the seeds of the scale.

        Raises
        ------
        DatasetError
            No gene of the test chromosomes has a label in a cell type.
        ConfigError
            A seed is given twice.
        """
        test = dataset.split.of(dataset.genes["chrom"].to_numpy()) == "test"
        scored = [name for name in dataset.cell_types if np.isfinite(dataset.expression(name)[test]).any()]
        chosen = tuple(dict.fromkeys(cell_types)) or tuple(scored)
        for name in chosen:
            dataset.expression(name)  # says so when there is no such cell type
        if absent := [name for name in chosen if name not in scored] or ([] if chosen else dataset.cell_types):
            raise DatasetError(
                f"{dataset.path}: no gene of the test chromosomes ({', '.join(dataset.split.test)}) has a label in "
                f"{', '.join(absent)}, so nothing can be scored. Choose a cell type with expression there."
            )
        if len(set(seeds)) < len(seeds):
            raise ConfigError(f"A seed is given twice in {', '.join(map(str, seeds))}. Give each once.")
        return cls(dataset, chosen, tuple(seeds) or (SEEDS if scale == "paper" else SEEDS[:2]), scale, tuple(settings))

    def length(self, published: int) -> int:
        """Return what stands for a length of the paper, in bp: at the small scale a fraction, and always even."""
        short = SMALL if self.scale == "small" else SHORT
        return published * short // SHORT // 2 * 2

    def fits(self, length: int) -> bool:
        """Whether the dataset's windows are that long."""
        return length <= self.dataset.window

    def train(
        self, recipe: Recipe, cell_type: str, *changes: str, variant: str = "", window: int | None = None
    ) -> Trained | Impossible:
        """Return the runs of a system, one for each seed.

        Parameters
        ----------
        recipe : callable
            The system.
        cell_type : str
            The cell type to train on.
        *changes : str
            What differs from the recipe, as ``key=value``.
        variant : str
            What to call the difference in the name of the run's folder.
        window : int, optional
            Length to read, in bp; the recipe's by default, or the dataset's where that is shorter.

        Raises
        ------
        ConfigError
            A setting of the study does not suit the system.
        """
        name = "-".join(filter(None, (recipe.__name__.replace("_", "-"), variant, cell_type)))
        configs = [self._configure(recipe, cell_type, seed, window, changes) for seed in self.seeds]
        if configs[0].method.seed_used is None:
            configs = configs[:1]
        try:
            self._require(configs[0], cell_type)
            parameters = self._parameters(configs[0])
        except (ConfigError, DatasetError) as error:
            return Impossible(str(error))
        return Trained({self._folder(name, config): config for config in configs}, parameters)

    def _folder(self, name: str, config: RunConfig) -> str:
        seed = config.method.seed_used
        return "-".join([name, *([] if seed is None else [str(seed)]), self._digest(config)])

    def _require(self, config: RunConfig, cell_type: str) -> None:
        """Make sure that the dataset has what a method reads beside DNA and signals.

        Raises
        ------
        DatasetError
            It lacks a region or a feature.
        """
        self.dataset.regions.require(config.method.needs, (cell_type,))
        known = {feature.name for feature in self.dataset.features}
        for name in sorted(config.method.required_features - known):
            raise DatasetError(f"{self.dataset.path} has no feature {name!r}.")

    def _configure(
        self, recipe: Recipe, cell_type: str, seed: int, window: int | None, changes: Sequence[str]
    ) -> RunConfig:
        def make(read: int | None) -> RunConfig:
            chosen = {} if read is None else {"window": read}
            config = recipe(data=self.dataset.path, cell_type=cell_type, seed=seed, scale=self.scale, **chosen)
            without = ("model.blacklist=false",) if self._lacks_blacklist(config) else ()
            asked = [s for s in (*ALIKE, *without, *changes, *self.settings) if _concerns(s, config)]
            return config.override(*asked)

        # Twice, as the window may be a part of the model.
        read = min(make(window).data.window or self.dataset.window, self.dataset.window)
        config = make(read)
        if config.data.window != read:
            raise DatasetError(
                f"{self.dataset.path} has windows of {self.dataset.window:,} bp, and --set data.window asks for "
                f"{config.data.window:,} bp. Build it with --window {config.data.window}."
            )
        return config

    def _lacks_blacklist(self, config: RunConfig) -> bool:
        return "blacklist" in config.method.needs and not self.dataset.about.regions.blacklist

    def _parameters(self, config: RunConfig) -> dict[str, int]:
        """Count parameters without allocating them."""
        signals = [s for s in self.dataset.signals if config.data.signals is None or s.name in config.data.signals]
        features = len(self.dataset.features if config.data.features is None else config.data.features)
        return config.method.parameters(len(signals), features, config.data.window or SHORT)

    def _digest(self, config: RunConfig) -> str:
        """Return a checksum of what decides the weights: the settings, and the dataset's content, not its path."""
        data = config.data.model_copy(update={"path": self.dataset.hash})
        return _checksum(config.model_copy(update={"data": data}).dump())


def _concerns(assignment: str, config: RunConfig) -> bool:
    """Return whether a setting for all runs is one that this run has: baselines have no objective or training."""
    first = assignment.partition("=")[0].partition(".")[0].strip()
    return first in ("data", "method") or first in type(config.method).model_fields or not _is_of_networks(first)


def _is_of_networks(field: str) -> bool:
    return field in ("model", "objective", "training")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
