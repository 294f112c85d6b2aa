"""The three values that cross layers: what a model reads, what it says, and what an objective makes of it.

Axes: ``batch`` genes, ``length`` bases of the window, ``signal`` epigenomic channels, ``feature`` per-gene scalars,
``element`` a gene's promoter and candidate enhancers, ``pattern`` background patterns, ``encoded`` encoded-signal
channels (d′ in the paper).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["Batch", "Elements", "Loss", "Need", "Prediction"]

Need = Literal["peaks", "blacklist", "elements"]
"""A field of :class:`Batch` that is there only for the models that ask for it."""


@dataclass(frozen=True)
class Elements:
    """The promoter of each gene and the candidate enhancers around it."""

    sequence: Float[Tensor, "batch element length 4"]
    """One-hot bases in the order A, C, G, T; the promoter comes first, then the enhancers, the nearest first.

    An element shorter than ``length`` lies in the middle of its zeros, and a slot without an element is all zeros."""
    features: Float[Tensor, "batch element 3"]
    """Distance from the TSS in kb, log10(1 + contact with the TSS), and activity; zeros for the promoter."""

    def to(self, device: torch.device | str) -> Elements:
        """Return the elements with their tensors on ``device``."""
        return Elements(**_moved(self, device))


@dataclass(frozen=True)
class Batch:
    """Some genes with all that a model reads of them.

    Parameters
    ----------
    sequence : Float[Tensor, "batch length 4"]
        One-hot bases in the order A, C, G, T; N and positions past a chromosome's ends are four zeros.
    signals : Float[Tensor, "batch length signal"]
        Transformed epigenomic signals over the window, in the order of the run's inputs; zero where there is no data.
    features : Float[Tensor, "batch feature"]
        Scaled per-gene scalars for the head (transcript features, promoter activity).
    expression : Float[Tensor, "batch"] or None
        log10(1 + x) of the measured expression; ``None`` when the genes have no label.
    gene_id : tuple of str
        One identifier per gene.
    peaks : Bool[Tensor, "batch length"] or None
        Whether a base lies in an accessibility peak; only for models that need ``"peaks"``.
    blacklist : Bool[Tensor, "batch length"] or None
        Whether a base lies in a blacklisted region; only for models that need ``"blacklist"``.
    elements : Elements or None
        Promoter and candidate enhancers; only for models that need ``"elements"``.
    """

    sequence: Float[Tensor, "batch length 4"]
    signals: Float[Tensor, "batch length signal"]
    features: Float[Tensor, "batch feature"]
    expression: Float[Tensor, " batch"] | None = None
    gene_id: tuple[str, ...] = ()
    peaks: Bool[Tensor, "batch length"] | None = None
    blacklist: Bool[Tensor, "batch length"] | None = None
    elements: Elements | None = None

    def __len__(self) -> int:
        """Return the number of genes."""
        return self.sequence.shape[0]

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch with its tensors on ``device``."""
        elements = None if self.elements is None else self.elements.to(device)
        return replace(self, **_moved(self, device), elements=elements)


def _moved(values: Elements | Batch, device: torch.device | str) -> dict[str, Any]:
    tensors = {name: value for name, value in vars(values).items() if isinstance(value, Tensor)}
    return {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}


@dataclass(frozen=True)
class Prediction:
    """What a model says of a batch.

    Parameters
    ----------
    expression : Float[Tensor, "batch"]
        Predicted log10(1 + x), by the standard prediction h(X, H).
    interventional : Float[Tensor, "batch"] or None
        The backdoor-adjusted prediction, mean over i of h(X, H ⊙ a_i) (Eq. 3), where an objective computes it.
    patterns : Float[Tensor, "batch pattern encoded"] or None
        The background patterns a_i of each gene.
    mask : Float[Tensor, "batch length"] or None
        Weight of each position, for models that select positions.
    """

    expression: Float[Tensor, " batch"]
    interventional: Float[Tensor, " batch"] | None = None
    patterns: Float[Tensor, "batch pattern encoded"] | None = None
    mask: Float[Tensor, "batch length"] | None = None


@dataclass(frozen=True)
class Loss:
    """What training minimises, and its parts by name, for the log."""

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
    """The unweighted parts (``"prediction"`` for L1, ``"intervention"`` for L2, ``"diversity"`` for L3)."""
