"""The inputs of a run and their scaling, fitted once on training genes and saved with the run.

The same :class:`Inputs` then read any other dataset, of another cell type or another lab, on the same scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from epigx.config import Config
from epigx.dataset.manifest.sources import FeatureTransform
from epigx.dataset.signals import Role, Transform
from epigx.dataset.store import Dataset
from epigx.errors import ConfigError, DatasetError, did_you_mean

__all__ = ["FeatureInput", "Inputs", "SignalInput", "fit_inputs"]


class SignalInput(Config):
    """A signal of the batch."""

    name: str
    """Its name in the dataset."""
    transform: Transform = "none"
    """The scaling of raw values."""
    role: Role
    """Foreground or background."""


class FeatureInput(Config):
    """A feature of the batch: one number per gene.

    A value x becomes x (``none``), (x − mean) / scale (``zscore``), or the same for log10(1 + x) (``log10zscore``). A
    missing value becomes the training mean.
    """

    name: str
    """Its name in the dataset."""
    transform: FeatureTransform = "none"
    """The scaling of raw values."""
    mean: float = 0.0
    """Mean over the training genes, after log10(1 + x) if used."""
    scale: float = Field(default=1.0, gt=0)
    """Standard deviation over the training genes, after log10(1 + x) if used."""

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Scale raw values, (gene,) to (gene,); NaN becomes the training mean."""
        logged = _logged(values, self.transform)
        filled = np.where(np.isnan(logged), self.mean, logged)
        scaled = filled if self.transform == "none" else (filled - self.mean) / self.scale
        return scaled.astype(np.float32)


class Inputs(Config):
    """The inputs of a run: window length, signals and features, in the model's order."""

    window: int = Field(ge=2, multiple_of=2)
    """Window length in bp: the centre of the dataset's windows."""
    signals: tuple[SignalInput, ...]
    """The signals, in order; may be empty."""
    features: tuple[FeatureInput, ...]
    """The features, in order; may be empty."""
    dna: bool = True
    """Whether DNA is read; otherwise the sequence is all zeros."""

    @property
    def background(self) -> tuple[int, ...]:
        """Indices of the background signals."""
        return tuple(index for index, signal in enumerate(self.signals) if signal.role == "background")

    def check(self, dataset: Dataset) -> None:
        """Raise ``DatasetError`` unless a dataset has all inputs, and windows that are long enough."""
        if self.window > dataset.window:
            raise DatasetError(
                f"{dataset.path} has windows of {dataset.window:,} bp, but {self.window:,} bp are asked for. "
                f"Build it with --window {self.window}."
            )
        _find("signal", [signal.name for signal in self.signals], [signal.name for signal in dataset.signals], dataset)
        _find("feature", [feature.name for feature in self.features], [f.name for f in dataset.features], dataset)


def fit_inputs(
    dataset: Dataset,
    cell_types: Sequence[str],
    gene_index: NDArray[np.int64],
    *,
    window: int | None = None,
    signals: Sequence[str] | None = None,
    transforms: Mapping[str, Transform] | None = None,
    features: Sequence[str] | None = None,
    dna: bool = True,
) -> Inputs:
    """Choose the inputs of a run, and fit the scaling of the features.

    Parameters
    ----------
    cell_types : sequence of str
        The training cell types; their genes are pooled.
    gene_index : ndarray of int64, (gene,)
        Rows of the training genes; no other gene is used.
    window : int, optional
        Window length in bp; by default the dataset's.
    signals, features : sequence of str, optional
        Signals and features by name, in the model's order; all by default.
    transforms : mapping, optional
        Transforms by signal, where they differ from the dataset's.

    Raises
    ------
    ConfigError
        The window is odd, or a transform is given for a signal that is not an input.
    DatasetError
        A name is unknown, the windows are too short, or a feature has no value for any training gene.
    """
    known = {signal.name: signal for signal in dataset.signals}
    chosen = list(known) if signals is None else list(signals)
    _find("signal", chosen, known, dataset)
    transforms = transforms or {}
    for name in transforms:
        if name not in chosen:
            raise ConfigError(f"A transform is set for {name!r}, which is no input.{did_you_mean(name, chosen)}")
    inputs = Inputs.parse(
        {
            "window": dataset.window if window is None else window,
            "signals": [
                {"name": name, "transform": transforms.get(name, known[name].transform), "role": known[name].role}
                for name in chosen
            ],
            "features": _fit_features(dataset, cell_types, gene_index, features),
            "dna": dna,
        }
    )
    inputs.check(dataset)
    return inputs


def _fit_features(
    dataset: Dataset, cell_types: Sequence[str], gene_index: NDArray[np.int64], names: Sequence[str] | None
) -> list[FeatureInput]:
    known = [feature.name for feature in dataset.features]
    chosen = known if names is None else list(names)
    _find("feature", chosen, known, dataset)
    if not chosen:
        return []
    values = np.concatenate([dataset.feature_values(cell_type)[gene_index] for cell_type in cell_types])
    fitted = []
    for name in chosen:
        column = known.index(name)
        transform = dataset.features[column].transform
        logged = _logged(values[:, column], transform)
        present = logged[~np.isnan(logged)]
        if not present.size:
            raise DatasetError(f"{dataset.path}: no training gene has a value of the feature {name!r}. Leave it out.")
        # A constant feature has no information and becomes 0. Its computed deviation is often a rounding error, not 0.
        scale = 1.0 if transform == "none" or np.ptp(present) == 0 else float(present.std())
        fitted.append(FeatureInput(name=name, transform=transform, mean=float(present.mean()), scale=scale))
    return fitted


def _logged(values: NDArray[np.float64], transform: Literal["none", "zscore", "log10zscore"]) -> NDArray[np.float64]:
    return np.log10(1 + values) if transform == "log10zscore" else values


def _find(what: str, names: Sequence[str], known: Mapping[str, object] | Sequence[str], dataset: Dataset) -> None:
    for name in names:
        if name not in known:
            raise DatasetError(f"{dataset.path} has no {what} {name!r}.{did_you_mean(name, known)}")
    if len(set(names)) != len(names):
        raise ConfigError(f"A {what} is repeated in {', '.join(names)}. Name each once.")
