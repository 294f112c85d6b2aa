"""The distribution of Seq2Exp's mask (Su et al., 2025), which combines evidence from the sequence and from signals.

The mask keeps a share z of each position, z ~ Beta(α, β), where α is the evidence for the position and β the evidence
against it.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.distributions import Beta
from torch.nn.functional import softplus

from epigx.config import Config
from epigx.errors import ConfigError
from epigx.layers.linear import Linear

__all__ = ["MaskEvidence", "MaskPosterior"]

SMALLEST = 1e-8
"""Added to α and to the sequence's share of β, which must be positive."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class MaskEvidence(Config):
    """Weights of sequence and signals in the mask; one number per signal, in the order of the inputs.

    The defaults are the official ones for H3K27ac, DNase and Hi-C contact. The signals' weights are not learned.
    """

    against: tuple[NotNegative, ...] = (1.5, 0.2, 1.0)
    """bᵢ: constant evidence against each position, in units of signal i."""
    weights: tuple[Positive, ...] = (2.0, 2.0, 1.0)
    """Weight of each signal in the mixture; normalised to sum to 1."""
    scale: float = Field(gt=0)
    """Weight of the signals relative to the sequence."""
    floor: float = Field(ge=0)
    """Added to all evidence, for and against; 1 prevents U-shaped distributions."""
    concentration: float = Field(default=1.0, gt=0)
    """Factor of α and β; larger values narrow the distribution around the same mean."""

    @model_validator(mode="after")
    def _one_number_per_signal(self) -> MaskEvidence:
        if len(self.against) != len(self.weights):
            raise ValueError(
                f"against has {len(self.against)} numbers and weights has {len(self.weights)}; give one per signal"
            )
        return self


class MaskPosterior(nn.Module):
    """z ~ Beta(c (α_seq + Σ wᵢ αᵢ), c (β_seq + Σ wᵢ βᵢ)) for each position.

    α_seq and β_seq are softplus of two linear read-outs of the hidden state, plus the floor f; αᵢ = (sᵢ + f) · scale
    and βᵢ = (bᵢ + f) · scale, where sᵢ is the signal. Negative signals are set to zero.

    Raises
    ------
    ConfigError
        The configuration has another number of signals.
    """

    def __init__(self, config: MaskEvidence, d_model: int, n_signals: int) -> None:
        super().__init__()
        if len(config.weights) != n_signals:
            raise ConfigError(
                f"model.evidence has weights for {len(config.weights)} signals, but the run's inputs have {n_signals}. "
                "Give one number per signal in model.evidence.weights and model.evidence.against."
            )
        self.config = config
        self.readout = Linear(d_model, 2)
        # Parameters that are not trained, because the official parameter counts include them.
        shares = torch.tensor(config.weights).log().log_softmax(0)
        self.log_shares = nn.Parameter(shares, requires_grad=False)
        self.against = nn.Parameter(torch.tensor(config.against), requires_grad=False)

    def forward(
        self, hidden: Float[Tensor, "batch length channel"], signals: Float[Tensor, "batch length signal"]
    ) -> Beta:
        """Return the distribution of z at each position, always in float32."""
        config = self.config
        with torch.autocast(hidden.device.type, enabled=False):
            against, in_favour = (softplus(self.readout(hidden.float())) + config.floor + SMALLEST).unbind(-1)
            shares = self.log_shares.softmax(0)
            alphas = (signals.float().clamp(min=0) + config.floor) * config.scale + SMALLEST
            betas = (self.against + config.floor) * config.scale
            alpha = (in_favour + (alphas * shares).sum(-1)) * config.concentration
            beta = (against + (betas * shares).sum(-1)) * config.concentration
        return Beta(alpha, beta, validate_args=False)
