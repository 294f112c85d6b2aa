"""The three values that cross layers: what a model reads, what it says, and what an objective makes of it.

Axes: ``batch`` genes, ``length`` bases of the window, ``signal`` epigenomic channels, ``feature`` per-gene scalars,
``pattern`` background patterns, ``encoded`` encoded-signal channels (d′ in the paper).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Batch", "Loss", "Prediction"]


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
    """

    sequence: Float[Tensor, "batch length 4"]
    signals: Float[Tensor, "batch length signal"]
    features: Float[Tensor, "batch feature"]
    expression: Float[Tensor, " batch"] | None = None
    gene_id: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of genes."""
        return self.sequence.shape[0]

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch with its tensors on ``device``."""
        return replace(
            self,
            sequence=self.sequence.to(device, non_blocking=True),
            signals=self.signals.to(device, non_blocking=True),
            features=self.features.to(device, non_blocking=True),
            expression=None if self.expression is None else self.expression.to(device, non_blocking=True),
        )


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
    """What training minimises, and its parts by name, for the log.

    Parameters
    ----------
    total : Float[Tensor, ""]
        The scalar to minimise.
    terms : Mapping of str to Float[Tensor, ""]
        The unweighted parts (``"prediction"`` for L1, ``"intervention"`` for L2, ``"diversity"`` for L3).
    """

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
