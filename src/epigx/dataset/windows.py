"""Windows: the genes of a dataset, read in batches.

Reading is a pure function of the indices: nothing is drawn or remembered, so a batch does not depend on earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from epigx.dataset.inputs import Inputs
from epigx.dataset.signals import apply_transform
from epigx.dataset.store import Dataset
from epigx.errors import DatasetError, did_you_mean
from epigx.genome.sequence import one_hot

if TYPE_CHECKING:  # torch
    from epigx.batch import Batch, Need

__all__ = ["WindowArrays", "Windows"]


@dataclass(frozen=True)
class WindowArrays:
    """Some windows as arrays.

    Parameters
    ----------
    codes : ndarray of uint8, (window, length), or None
        Bases A 0, C 1, G 2, T 3, anything else 4; None where the run does not read DNA.
    signals : ndarray of float32, (window, length, signal)
        Transformed signals; zero where there are no data.
    features : ndarray of float32, (window, feature)
        Scaled features.
    expression : ndarray of float32, (window,)
        log10(1 + x); NaN without a label.
    gene_id : tuple of str
        One identifier per window.
    """

    codes: NDArray[np.uint8] | None
    signals: NDArray[np.float32]
    features: NDArray[np.float32]
    expression: NDArray[np.float32]
    gene_id: tuple[str, ...]


class Windows:
    """The windows of some genes in some cell types, read one batch at a time.

    It is a map-style dataset for PyTorch's loaders, and imports torch only when it makes a batch of tensors.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    cell_type : str or sequence of str
        The cell type; of several, all genes of the first come first.
    index : ndarray of int64, (gene,)
        Rows of the dataset.
    inputs : Inputs
        What to read, with transforms and scaling.
    needs : collection of str
        Fields of the batch that the model needs besides DNA, signals and features.

    Attributes
    ----------
    row : ndarray of int64, (n,)
        The dataset's row of each window.
    cell_type : ndarray of str, (n,)
        The cell type of each window.

    Raises
    ------
    DatasetError
        The dataset lacks the cell type, a signal, a feature, the length or what the model needs.
    """

    def __init__(
        self,
        dataset: Dataset,
        cell_type: str | Sequence[str],
        index: NDArray[np.int64],
        inputs: Inputs,
        needs: Collection[Need] = (),
    ) -> None:
        cell_types = (cell_type,) if isinstance(cell_type, str) else tuple(cell_type)
        inputs.check(dataset)
        self.dataset = dataset
        self.inputs = inputs
        self.drop: frozenset[str] = frozenset()
        self.needs = frozenset(needs)
        self.row = np.tile(np.asarray(index, np.int64), len(cell_types))
        self.cell_type = np.repeat(np.array(cell_types, dtype=str), len(index))
        self._label = _per_window(self, cell_types, dataset.expression)
        self._features = _per_window(self, cell_types, self._scaled_features)
        dataset.regions.require(self.needs, cell_types)

    def __len__(self) -> int:
        """Return the number of windows: genes × cell types."""
        return len(self.row)

    @cached_property
    def gene_id(self) -> NDArray[np.object_]:
        """Identifier of each window's gene, (n,)."""
        return self.dataset.genes["gene_id"].to_numpy(object)[self.row]

    @property
    def expression(self) -> NDArray[np.float32]:
        """Label of each window, float32 (n,); NaN where it has none."""
        return self._label

    @property
    def bases(self) -> int:
        """Base pairs read per window: the window itself, and promoter and elements if the model reads them."""
        elements = self.dataset.about.regions.elements if "elements" in self.needs else None
        return self.inputs.window + ((1 + elements.count) * elements.length if elements else 0)

    def labelled(self) -> Windows:
        """Return the windows with a label."""
        return self.only(np.isfinite(self._label))

    def only(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Windows:
        """Return some of the windows, by a mask or by indices, (n,)."""
        chosen = copy(self)
        chosen.__dict__.pop("gene_id", None)
        for name in ("row", "cell_type", "_label", "_features"):
            setattr(chosen, name, getattr(self, name)[keep])
        return chosen

    def arrays(self, indices: Sequence[int] | NDArray[np.int64]) -> WindowArrays:
        """Return some windows as arrays, in the order asked for."""
        chosen = np.asarray(indices, np.int64)
        return WindowArrays(
            codes=self.dataset.sequence[self.row[chosen], self.crop] if self.inputs.dna else None,
            signals=self._signals(chosen),
            features=self._features[chosen],
            expression=self._label[chosen],
            gene_id=tuple(self.gene_id[chosen]),
        )

    def raw_feature(self, name: str) -> NDArray[np.float64]:
        """Return a feature of the dataset as it is stored, without scaling, float64 (n,); NaN where it is missing."""
        known = [feature.name for feature in self.dataset.features]
        if name not in known:
            raise DatasetError(f"{self.dataset.path} has no feature {name!r}.{did_you_mean(name, known)}")
        values = np.empty(len(self))
        for cell_type, index in self._by_cell_type(np.arange(len(self))):
            values[index] = self.dataset.feature_values(cell_type)[self.row[index], known.index(name)]
        return values

    def __getitem__(self, index: int) -> Batch:
        """Return one window as a batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int] | NDArray[np.int64]) -> Batch:
        """Return some windows as one batch of tensors, in the order asked for."""
        from torch import from_numpy

        from epigx.batch import Batch, Elements

        chosen, arrays = np.asarray(indices, np.int64), self.arrays(indices)
        shape = (len(chosen), self.inputs.window, 4)
        sequence = np.zeros(shape, np.float32) if arrays.codes is None else one_hot(arrays.codes)
        elements = None
        if "elements" in self.needs:
            codes, features = self._elements(chosen)
            elements = Elements(sequence=from_numpy(one_hot(codes)), features=from_numpy(features))
        return Batch(
            sequence=from_numpy(sequence),
            signals=from_numpy(arrays.signals),
            features=from_numpy(arrays.features),
            expression=None if np.isnan(arrays.expression).all() else from_numpy(arrays.expression),
            gene_id=arrays.gene_id,
            peaks=from_numpy(self._peaks(chosen)) if "peaks" in self.needs else None,
            blacklist=from_numpy(self._blacklist(chosen)) if "blacklist" in self.needs else None,
            elements=elements,
        )

    def dropping(self, signals: Collection[str]) -> Windows:
        """Return the same windows with some signals read as zeros; one that is not read is a ``DatasetError``."""
        names = (signals,) if isinstance(signals, str) else tuple(signals)
        read = [signal.name for signal in self.inputs.signals]
        for name in names:
            if name not in read:
                raise DatasetError(f"The run reads no signal {name!r} that could be dropped.{did_you_mean(name, read)}")
        changed = copy(self)
        changed.drop = frozenset(names)
        return changed

    @property
    def crop(self) -> slice:
        """Position of the run's window in the dataset's window."""
        start = self.dataset.window // 2 - self.inputs.window // 2
        return slice(start, start + self.inputs.window)

    def _signals(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read and transform the signals of the run, float32 (batch, length, signal)."""
        stored = [signal.name for signal in self.dataset.signals]
        out = np.zeros((len(chosen), self.inputs.window, len(self.inputs.signals)), np.float32)
        for cell_type, index in self._by_cell_type(chosen):
            raw = self.dataset.signal_values(cell_type)[self.row[chosen[index]], self.crop].astype(np.float32)
            for channel, signal in enumerate(self.inputs.signals):
                if signal.name not in self.drop:
                    values = raw[..., stored.index(signal.name)]
                    out[index, :, channel] = apply_transform(values, signal.transform)
        return out

    def _by_cell_type(self, chosen: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Yield each cell type of some windows, with the indices of its windows."""
        for cell_type in np.unique(self.cell_type[chosen]):
            yield str(cell_type), np.flatnonzero(self.cell_type[chosen] == cell_type)

    def _peaks(self, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        out = np.empty((len(chosen), self.inputs.window), np.bool_)
        for cell_type, index in self._by_cell_type(chosen):
            out[index] = self.dataset.regions.peaks(cell_type, self.row[chosen[index]], self.crop)
        return out

    def _blacklist(self, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.dataset.regions.blacklist(self.row[chosen], self.crop)

    def _elements(self, chosen: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return codes, uint8 (batch, 1 + count, length), and features, float32 (batch, 1 + count, 3), of elements."""
        parts, order = [], []
        for cell_type, index in self._by_cell_type(chosen):
            parts.append(self.dataset.regions.elements(cell_type, self.row[chosen[index]]))
            order.append(index)
        back = np.argsort(np.concatenate(order))
        codes, features = (np.concatenate(arrays)[back] for arrays in zip(*parts, strict=True))
        return codes, features

    def _scaled_features(self, cell_type: str) -> NDArray[np.float32]:
        """Return the run's features of every gene of the dataset, float32 (gene, feature)."""
        stored = [feature.name for feature in self.dataset.features]
        raw = self.dataset.feature_values(cell_type)
        scaled = [feature.apply(raw[:, stored.index(feature.name)]) for feature in self.inputs.features]
        return np.stack(scaled, axis=1) if scaled else np.zeros((len(raw), 0), np.float32)


def _per_window(
    windows: Windows, cell_types: Sequence[str], of_cell_type: Callable[[str], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Gather, for each window, its row of an array that differs between cell types."""
    arrays = {name: of_cell_type(name) for name in cell_types}
    out = np.empty((len(windows), *arrays[cell_types[0]].shape[1:]), np.float32)
    for name, values in arrays.items():
        index = windows.cell_type == name
        out[index] = values[windows.row[index]]
    return out
