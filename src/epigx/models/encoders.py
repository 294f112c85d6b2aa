"""The two networks that read epigenomic signals: g_θ for the predictor, g_ω for the background patterns."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.errors import ConfigError
from epigx.layers.linear import Linear

__all__ = ["Activation", "ConfounderEncoder", "SignalEncoder"]

Activation = Literal["sigmoid", "softmax"]


class SignalEncoder(Linear):
    """g_θ: H = g_θ(S), one linear layer per position (section 3.1 and appendix G.1).

    Parameters
    ----------
    n_signals : int
        Signals d.
    n_encoded : int
        Encoded-signal channels d′.
    """

    def __init__(self, n_signals: int, n_encoded: int) -> None:
        super().__init__(n_signals, n_encoded)

    def forward(self, signals: Float[Tensor, "batch length signal"]) -> Float[Tensor, "batch length encoded"]:
        """Encode each position's signals."""
        return super().forward(signals)


class ConfounderEncoder(nn.Module):
    """g_ω: A = g_ω(S), n background patterns per gene from a small 1D-CNN (section 3.4 and appendix H.2).

    Three times convolution, batch normalisation, ReLU and pooling by 4; the mean over positions; a projection to
    n · d′ numbers; an activation. Row ``channel * n + pattern`` of the projection gives one weight, as in the official
    weights. 10,960 parameters at d = 3, n = 2, d′ = 128 (Table 8: "11K").

    Parameters
    ----------
    n_signals : int
        Signals d.
    n_patterns : int
        Patterns n.
    n_encoded : int
        Encoded-signal channels d′.
    activation : {"sigmoid", "softmax"}
        How a pattern's weights are bounded; the paper's is the sigmoid, and the softmax runs over the d′ channels.
    """

    SHORTEST = 64

    def __init__(
        self, n_signals: int, n_patterns: int = 2, n_encoded: int = 128, activation: Activation = "sigmoid"
    ) -> None:
        super().__init__()
        self.n_patterns = n_patterns
        self.activation = activation
        self.convolutions = nn.Sequential(
            _stage(n_signals, 8, width=7), _stage(8, 16, width=5), _stage(16, 32, width=3)
        )
        self.projection = Linear(32, n_encoded * n_patterns)

    def forward(self, signals: Float[Tensor, "batch length signal"]) -> Float[Tensor, "batch pattern encoded"]:
        """Return each gene's patterns, in float32 whatever the precision of the network.

        Raises
        ------
        ConfigError
            The windows are shorter than 64 bp, of which the three poolings leave nothing.
        """
        if (length := signals.shape[1]) < self.SHORTEST:
            raise ConfigError(
                f"The confounder encoder needs windows of at least {self.SHORTEST} bp, and got {length} bp. "
                "Use a longer window (data.window) or the objective 'regression'."
            )
        summary = self.convolutions(signals.transpose(1, 2)).mean(-1)
        weights = self.projection(summary).float().unflatten(-1, (-1, self.n_patterns)).transpose(1, 2)
        return torch.sigmoid(weights) if self.activation == "sigmoid" else torch.softmax(weights, dim=-1)


def _stage(n_in: int, n_out: int, *, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(n_in, n_out, width, padding=width // 2), nn.BatchNorm1d(n_out), nn.ReLU(), nn.MaxPool1d(4)
    )
