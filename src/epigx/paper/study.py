"""The dataset and the terms of a comparison, and how a recipe becomes the runs of a row.

Every run of every table and figure is configured by :meth:`Study.system`, so that they share runs: the name of a run's
folder gives the recipe, the cell type and the seed, and the first digits of a checksum of all that decides its weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from epigx.dataset.store import Dataset
from epigx.errors import ConfigError, DatasetError
from epigx.recipes.data import SEEDS, SHORT, SMALL, Recipe, Scale
from epigx.runs.config import RunConfig
from epigx.runs.method import Method

__all__ = ["Study", "System"]

ALIKE = ("objective.distance=l1",)
"""The loss of all networks. The paper says that its prediction loss is the L1 function, while the code of Seq2Exp, from
which Table 1 cites the other systems, uses smooth L1. A table should compare systems, not losses."""


@dataclass(frozen=True)
class System:
    """A system, trained once per seed, or once if nothing in it is random."""

    runs: Mapping[str, RunConfig] = field(default_factory=dict)
    """By name of the folder; equal configurations have equal names; empty if the dataset lacks what it needs."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    """Of the model, and of the objective, which inference does not need."""
    n_elements: int = 0  # regulatory elements per gene in the dataset, including the promoter
    reason: str = ""  # why it cannot be trained on this dataset; empty if it can

    @property
    def config(self) -> RunConfig | None:
        """The configuration of its first run, if it can be trained."""
        return next(iter(self.runs.values()), None)

    @property
    def window(self) -> int | None:
        """The bp that it reads; None if it cannot be trained."""
        return self.config.data.window if self.config else None

    @property
    def is_random(self) -> bool:
        """Whether its runs differ by a seed."""
        return self.config is not None and self.config.method.seed_used is not None

    @property
    def reads_elements(self) -> bool:
        """Whether it reads a promoter and candidate enhancers instead of a window."""
        return self.config is not None and "elements" in self.config.method.needs

    @property
    def cpu_hours(self) -> float:
        """Rough estimate of the training time of each run."""
        if self.config is None:
            return 0.0
        return self.config.method.cpu_hours(self.window or 0, self.parameters.get("model", 0), self.n_elements)


@dataclass(frozen=True)
class Study:
    """A dataset, and the settings shared by all systems that are compared on it."""

    dataset: Dataset  # training and test genes
    cell_types: tuple[str, ...]  # one model is trained for each; at least one
    seeds: tuple[int, ...] = SEEDS  # seeds of weights and gene order; at least one
    scale: Scale = "paper"  # size of networks and training
    settings: tuple[str, ...] = ()  # settings of all runs, as ``key=value``

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
        """Return a study with defaults filled in: all cell types with test labels, and the seeds of the scale."""
        test = dataset.split.of(dataset.genes["chrom"].to_numpy()) == "test"
        scored = [name for name in dataset.cell_types if np.isfinite(dataset.expression(name)[test]).any()]
        chosen = tuple(dict.fromkeys(cell_types)) or tuple(scored)
        for name in chosen:
            dataset.expression(name)  # raises if there is no such cell type
        if absent := [name for name in chosen if name not in scored] or ([] if chosen else dataset.cell_types):
            raise DatasetError(
                f"{dataset.path}: no gene of the test chromosomes ({', '.join(dataset.split.test)}) has a label in "
                f"{', '.join(absent)}, so nothing can be scored. Choose a cell type with expression there."
            )
        if len(set(seeds)) < len(seeds):
            raise ConfigError(f"A seed is given twice in {', '.join(map(str, seeds))}. Give each once.")
        return cls(dataset, chosen, tuple(seeds) or (SEEDS if scale == "paper" else SEEDS[:2]), scale, tuple(settings))

    def length(self, published: int) -> int:
        """Return the bp to read for a length in the paper: at the small scale a fraction of it; always even."""
        short = SMALL if self.scale == "small" else SHORT
        return published * short // SHORT // 2 * 2

    def system(
        self, recipe: Recipe, cell_type: str, *changes: str, variant: str = "", window: int | None = None
    ) -> System:
        """Return a system with its runs, one for each seed; without runs if the dataset lacks what it needs.

        Parameters
        ----------
        *changes : str
            Settings that differ from the recipe, as ``key=value``.
        variant : str
            Name of the difference, for the run's folder.
        window : int, optional
            bp to read; by default the recipe's window, or the dataset's if that is shorter.
        """
        name = "-".join(filter(None, (recipe.__name__.replace("_", "-"), variant, cell_type)))
        configs = [self._configure(recipe, cell_type, seed, window, changes) for seed in self.seeds]
        if configs[0].method.seed_used is None:
            configs = configs[:1]
        try:
            self._require(configs[0], cell_type)
            parameters = self._parameters(configs[0])
        except (ConfigError, DatasetError) as error:
            return System(reason=str(error))
        elements = self.dataset.about.regions.elements
        n_elements = 1 + (elements.count if elements else 60)
        return System({self._folder(name, config): config for config in configs}, parameters, n_elements)

    def _folder(self, name: str, config: RunConfig) -> str:
        seed = config.method.seed_used
        return "-".join([name, *([] if seed is None else [str(seed)]), self._digest(config)])

    def _require(self, config: RunConfig, cell_type: str) -> None:
        """Check that the dataset has the regions and features that the method reads."""
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
            return config.override(*_shorter_training(asked, config.method), *asked)

        # Twice, as the model may depend on the window.
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
        """Return a checksum of what decides the weights: the settings and the dataset's content, not its path."""
        data = config.data.model_copy(update={"path": self.dataset.hash})
        return _checksum(config.model_copy(update={"data": data}).dump())


def _concerns(assignment: str, config: RunConfig) -> bool:
    """Return whether a setting for all runs applies to this one: baselines have no model, objective or training."""
    first = _key(assignment).partition(".")[0]
    return first in type(config.method).model_fields or first not in ("model", "objective", "training")


def _shorter_training(assignments: Sequence[str], method: Method) -> tuple[str, ...]:
    """Return the settings that adapt the warm-up to other training steps, as ``epigx train --steps`` does."""
    steps = [value for key, _, value in (one.partition("=") for one in assignments) if _key(key) == "training.steps"]
    return method.with_steps(int(steps[-1])) if steps and steps[-1].strip().isdecimal() else ()


def _key(assignment: str) -> str:
    return assignment.partition("=")[0].strip().removeprefix("method.")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
