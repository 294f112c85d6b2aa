"""How likely each position is to matter: a Beta distribution from the sequence and one from each signal, mixed.

Seq2Exp's information bottleneck (Su et al., 2025) keeps a share z of each position, z ~ Beta(α, β). What speaks for a
position is in α, what speaks against it is in β.
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
"""Added to each part of α and to the sequence's part of β, which have to be positive."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class MaskEvidence(Config):
    """How sequence and signals are weighed against each other; one number per signal, in the order of the inputs.

    The official numbers are for H3K27ac, DNase and Hi-C contact. The signals' evidence is fixed, not learned.
    """

    against: tuple[NotNegative, ...] = (1.5, 0.2, 1.0)
    """bᵢ: what speaks against any position, in units of signal i."""
    weights: tuple[Positive, ...] = (2.0, 2.0, 1.0)
    """Share of each signal in the mixture, up to a common factor."""
    scale: float = Field(gt=0)
    """How much the signals count beside the sequence."""
    floor: float = Field(ge=0)
    """Added to every piece of evidence, for and against; 1 keeps the distributions from being U-shaped."""
    concentration: float = Field(default=1.0, gt=0)
    """Factor of α and β, which leaves the mean as it is and narrows the distribution."""

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
    and βᵢ = (bᵢ + f) · scale, where sᵢ is the signal. A signal below zero counts as none.

    Parameters
    ----------
    config : MaskEvidence
        Weights and scales.
    d_model : int
        Channels of the hidden state.
    n_signals : int
        Signals.

    Raises
    ------
    ConfigError
        The configuration is for another number of signals.
    """

    def __init__(self, config: MaskEvidence, d_model: int, n_signals: int) -> None:
        super().__init__()
        if len(config.weights) != n_signals:
            raise ConfigError(
                f"model.evidence weighs {len(config.weights)} signals, and the run's inputs have {n_signals}. "
                "Give one number per signal in model.evidence.weights and model.evidence.against."
            )
        self.config = config
        self.readout = Linear(d_model, 2)
        # Parameters, though nothing trains them: the official parameter counts include the six.
        shares = torch.tensor(config.weights).log().log_softmax(0)
        self.log_shares = nn.Parameter(shares, requires_grad=False)
        self.against = nn.Parameter(torch.tensor(config.against), requires_grad=False)

    def forward(
        self, hidden: Float[Tensor, "batch length channel"], signals: Float[Tensor, "batch length signal"]
    ) -> Beta:
        """Return the distribution of each position's z, in float32 whatever the precision of the network."""
        config = self.config
        with torch.autocast(hidden.device.type, enabled=False):
            against, in_favour = (softplus(self.readout(hidden.float())) + config.floor + SMALLEST).unbind(-1)
            shares = self.log_shares.softmax(0)
            alphas = (signals.float().clamp(min=0) + config.floor) * config.scale + SMALLEST
            betas = (self.against + config.floor) * config.scale
            alpha = (in_favour + (alphas * shares).sum(-1)) * config.concentration
            beta = (against + (betas * shares).sum(-1)) * config.concentration
        return Beta(alpha, beta, validate_args=False)
