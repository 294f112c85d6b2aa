"""Predictions for windows that are given as arrays, without a dataset: in a notebook, or for edited sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from epigx.dataset.inputs import Inputs
from epigx.dataset.signals import apply_transform, forbids_negative
from epigx.dataset.windows import WindowArrays, Windows
from epigx.errors import ConfigError, DatasetError, did_you_mean
from epigx.evaluation.target import as_run
from epigx.genome.sequence import N
from epigx.runs.folder import Run
from epigx.runs.method import Progress

__all__ = ["ArrayWindows", "predict_arrays"]


def predict_arrays(
    run: Run | str | Path,
    *,
    signals: Mapping[str, ArrayLike] | None = None,
    sequence: Sequence[str] | NDArray[np.uint8] | None = None,
    features: Mapping[str, ArrayLike] | None = None,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> NDArray[np.floating[Any]]:
    """Predict the expression of genes whose windows are given as arrays.

    Give everything that ``run.inputs`` lists, as raw values: the run applies its transforms and scaling. A window is
    centred on the TSS, which is at index ``window // 2``, and lies in the direction of the windows that the run was
    trained on (``dataset.about.orient``).

    Parameters
    ----------
    run : Run, str or Path
        The run, or its folder.
    signals : mapping of str to array_like of shape (gene, window)
        Raw values of each signal at each bp, in the unit of the run's dataset, such as fold change; 0 without data.
    sequence : sequence of str, or ndarray of uint8, (gene, window)
        DNA as letters, or as codes A 0, C 1, G 2, T 3, N 4. A run without DNA ignores it.
    features : mapping of str to array_like of shape (gene,)
        Raw values of each feature; NaN where it is missing.
    batch_size : int, optional
        Genes at a time. The predictions do not depend on it.
    progress : callable, optional
        Called after each batch with the number of genes done and their total.

    Returns
    -------
    ndarray, (gene,)
        log10(1 + x), as the model predicts it; :func:`~epigx.evaluation.predict.predict` raises values below 0 to 0.

    Raises
    ------
    DatasetError
        A name is missing or unknown, a shape is wrong, or a value is not finite or too small for its transform.
    ConfigError
        The run reads peaks, a blacklist or regulatory elements: these need a dataset.

    Examples
    --------
    >>> epigx.predict_arrays("runs/ridge", signals={"h3k27ac": counts}, sequence=dna)  # doctest: +SKIP
    """
    run = as_run(run)
    method = run.config.method
    if method.needs:
        raise ConfigError(
            f"{run.path} reads {', '.join(sorted(method.needs))}, which cannot be given as arrays. Build a dataset and "
            "use predict."
        )
    windows = ArrayWindows(run.inputs, signals or {}, sequence, features or {}, required=method.required_features)
    return run.fitted.predict(windows, batch_size=batch_size, progress=progress)


class ArrayWindows(Windows):
    """Windows that are held in memory instead of in a dataset; parameters are those of :func:`predict_arrays`.

    Parameters
    ----------
    inputs : Inputs
        What is read, and on what scale.
    required : collection of str
        Features that are read besides those of ``inputs``.
    """

    def __init__(
        self,
        inputs: Inputs,
        signals: Mapping[str, ArrayLike],
        sequence: Sequence[str] | NDArray[np.uint8] | None,
        features: Mapping[str, ArrayLike],
        required: frozenset[str] = frozenset(),
    ) -> None:
        transforms = {signal.name: signal.transform for signal in inputs.signals}
        scalings = {feature.name: feature for feature in inputs.features}
        _check_names("signal", signals, transforms)
        _check_names("feature", features, {**scalings, **dict.fromkeys(required)})
        codes = _codes(sequence) if inputs.dna else None
        raw = {name: np.asarray(signals[name], np.float32) for name in transforms}
        self._raw = {name: np.asarray(values, np.float64) for name, values in features.items()}
        n = _count(inputs.window, codes, raw, self._raw)
        for name, values in raw.items():
            _check_values(name, values, negative=not forbids_negative(transforms[name]))
        channels = [apply_transform(raw[name], transforms[name]) for name in transforms]
        columns = [scaling.apply(self._raw[name]) for name, scaling in scalings.items()]
        self.inputs = inputs
        self.drop: frozenset[str] = frozenset()
        self.needs = frozenset()
        self.row = np.arange(n)
        self.cell_type = np.full(n, "")
        self._label = np.full(n, np.nan, np.float32)
        self._all = WindowArrays(
            codes=codes,
            signals=np.stack(channels, axis=2) if channels else np.zeros((n, inputs.window, 0), np.float32),
            features=np.stack(columns, axis=1) if columns else np.zeros((n, 0), np.float32),
            expression=self._label,
            gene_id=tuple(map(str, range(n))),
        )

    def arrays(self, indices: Sequence[int] | NDArray[np.int64]) -> WindowArrays:
        """Return some windows as arrays, in the order asked for."""
        chosen, whole = np.asarray(indices, np.int64), self._all
        return WindowArrays(
            codes=None if whole.codes is None else whole.codes[chosen],
            signals=whole.signals[chosen],
            features=whole.features[chosen],
            expression=whole.expression[chosen],
            gene_id=tuple(whole.gene_id[index] for index in chosen),
        )

    def raw_feature(self, name: str) -> NDArray[np.float64]:
        """Return a feature as it was given, float64 (n,)."""
        return self._raw[name]


def _check_names(what: str, given: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name in given:
        if name not in wanted:
            raise DatasetError(f"The run reads no {what} {name!r}.{did_you_mean(name, wanted)}")
    for name in wanted:
        if name not in given:
            raise DatasetError(f"The run reads the {what} {name!r}, which is not given. Add it to {what}s.")


def _codes(sequence: Sequence[str] | NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    if sequence is None:
        raise DatasetError("The run reads DNA, and no sequence is given. Add sequence, as strings or as codes.")
    if isinstance(sequence, str):
        raise DatasetError("sequence is a single string. Give a list of strings, one per gene.")
    if not isinstance(sequence, np.ndarray):
        lengths = {len(letters) for letters in sequence}
        if len(lengths) > 1:
            raise DatasetError(f"The sequences differ in length ({min(lengths)} to {max(lengths)} bp).")
        letters = np.array([list(text.upper()) for text in sequence], dtype="U1").reshape(len(sequence), -1)
        return np.select([letters == base for base in "ACGT"], [np.uint8(code) for code in range(4)], np.uint8(N))
    if sequence.dtype.kind not in "iu" or (sequence.size and not 0 <= sequence.min() <= sequence.max() <= N):
        raise DatasetError("sequence must hold the codes 0 to 4 (A, C, G, T, N) as whole numbers.")
    return sequence.astype(np.uint8)


def _count(
    window: int, codes: NDArray[np.uint8] | None, signals: Mapping[str, NDArray[Any]], features: Mapping[str, Any]
) -> int:
    """Return the number of genes, after checking that all arrays agree on it."""
    found = {f"The signal {name!r}": values.shape for name, values in signals.items()}
    if codes is not None:
        found = {"sequence": codes.shape, **found}
    shapes = {name: (shape, (shape[0] if shape else 0, window)) for name, shape in found.items()}
    shapes |= {f"The feature {name!r}": (values.shape, values.shape[:1]) for name, values in features.items()}
    if not shapes:
        raise DatasetError("Nothing is given. Give signals, sequence and features as run.inputs lists them.")
    first, (shape, _) = next(iter(shapes.items()))
    n = shape[0] if shape else 0
    for name, (shape, wanted) in shapes.items():
        if shape != wanted or len(shape) == 0:
            kind = "(gene,)" if name.startswith("The feature") else f"(gene, {window})"
            raise DatasetError(f"{name} has the shape {shape}, and the run reads {kind}.")
        if shape[0] != n:
            raise DatasetError(
                f"{first} has {n} genes, but {name[0].lower()}{name[1:]} has {shape[0]}. Give all for the same genes."
            )
    return int(n)


def _check_values(name: str, values: NDArray[np.float32], *, negative: bool) -> None:
    if not np.isfinite(values).all():
        raise DatasetError(f"The signal {name!r} has values that are not finite. Use 0 where there are no data.")
    if not negative and values.size and (lowest := float(values.min())) < 0:
        raise DatasetError(
            f"The signal {name!r} reaches {lowest:g}, and its transform takes no negative values. Give raw values: the "
            "run transforms them itself."
        )
