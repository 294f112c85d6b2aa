"""Encoders of bases and signals (g_θ) for the predictor, and of signals (g_ω) for background patterns."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from epigx.errors import ConfigError
from epigx.layers.batch_norm import BatchNorm
from epigx.layers.linear import Linear

__all__ = ["Activation", "ConfounderEncoder", "MotifEncoder", "SignalEncoder", "mean_over_positions"]

Activation = Literal["sigmoid", "softmax"]


class MotifEncoder(nn.Module):
    """Embeds several bases as one position: a convolution finds motifs and max-pooling keeps the best match of each.

    Parameters
    ----------
    resolution : int, bp
        Bases per position.
    width : int, bp
        Width of a convolution filter; odd.
    """

    def __init__(self, n_encoded: int, resolution: int, n_motifs: int = 64, width: int = 15) -> None:
        super().__init__()
        self.resolution = resolution
        self.convolution = nn.Conv1d(4, n_motifs, width, padding=width // 2)
        self.projection = Linear(n_motifs, n_encoded)

    def forward(self, sequence: Float[Tensor, "batch length base"]) -> Float[Tensor, "batch position encoded"]:
        """Embed each position; positions with only N are skipped, because their result is the bias."""
        reach = self.convolution.weight.shape[2] // 2
        padded = functional.pad(sequence.transpose(1, 2), (reach, reach))
        stretches = padded.unfold(2, self.resolution + 2 * reach, self.resolution).transpose(1, 2)
        known = stretches.any(-1).any(-1)
        weight, bias = self.convolution.weight, self.convolution.bias
        assert bias is not None
        found = functional.conv1d(stretches[known], weight, bias)
        best = bias.repeat(*known.shape, 1).to(found.dtype)
        best[known] = functional.max_pool1d(found, self.resolution).squeeze(-1)
        embedded: Tensor = self.projection(torch.relu(best))
        return embedded


def mean_over_positions(
    signals: Float[Tensor, "batch length signal"], resolution: int
) -> Float[Tensor, "batch position signal"]:
    """Average signals over positions of ``resolution`` base pairs."""
    if resolution == 1:
        return signals
    genes, length, channels = signals.shape
    return signals.reshape(genes, length // resolution, resolution, channels).mean(2)


class SignalEncoder(Linear):
    """g_θ: H = g_θ(S), one linear layer per position, from d signals to d′ channels (section 3.1, appendix G.1)."""

    def __init__(self, n_signals: int, n_encoded: int) -> None:
        super().__init__(n_signals, n_encoded)

    def forward(self, signals: Float[Tensor, "batch length signal"]) -> Float[Tensor, "batch length encoded"]:
        """Encode the signals of each position."""
        return super().forward(signals)


class ConfounderEncoder(nn.Module):
    """g_ω: A = g_ω(S), n background patterns per gene from a small 1D-CNN (section 3.4 and appendix H.2).

    Three stages of convolution, batch normalisation, ReLU and pooling by 4; the mean over positions; a projection to
    n · d′ numbers; an activation. The projection's rows are ordered ``channel * n + pattern``, as in the official
    weights. It has 10,960 parameters at d = 3, n = 2, d′ = 128 (Table 8: "11K").

    Parameters
    ----------
    activation : {"sigmoid", "softmax"}
        Activation of the pattern weights; the paper uses the sigmoid. The softmax is over the d′ channels.
    """

    SHORTEST = 64

    @classmethod
    def check_length(cls, window: int) -> None:
        """Raise ConfigError if a window is shorter than 64 bp, too short for the three poolings."""
        if window < cls.SHORTEST:
            raise ConfigError(
                f"The confounder encoder needs windows of at least {cls.SHORTEST} bp, but this one has {window} bp. "
                "Use a longer window (data.window) or the objective 'regression'."
            )

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
        """Return the patterns of each gene, always in float32."""
        self.check_length(signals.shape[1])
        summary = self.convolutions(signals.transpose(1, 2)).mean(-1)
        weights = self.projection(summary).float().unflatten(-1, (-1, self.n_patterns)).transpose(1, 2)
        return torch.sigmoid(weights) if self.activation == "sigmoid" else torch.softmax(weights, dim=-1)


def _stage(n_in: int, n_out: int, *, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(n_in, n_out, width, padding=width // 2), BatchNorm(n_out), nn.ReLU(), nn.MaxPool1d(4)
    )
