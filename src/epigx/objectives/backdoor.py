"""Backdoor adjustment (section 3.3): training with do(H), by which a model stops leaning on background signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from epigx.batch import Batch, Loss, Prediction
from epigx.errors import ConfigError
from epigx.models import ConfounderEncoder, Model, Predictor
from epigx.models.encoders import Activation
from epigx.objectives.base import Distance, Objective, ObjectiveModule, distance, labels, pattern_statistics

__all__ = ["Backdoor", "BackdoorLoss", "diversity", "diversity_floor"]


class Backdoor(Objective):
    """L₁ + α L₂ + β L₃ (Eq. 6); the defaults are the paper's, and every departure of the official code is an option.

    Where the paper is silent (temperature, norm of the patterns, logarithm per gene) the default is the official
    code's; docs/decisions/0001 to 0007 give each choice a page.
    """

    kind: Literal["backdoor"] = "backdoor"
    alpha: float = Field(default=1.0, ge=0)
    """Weight α of the intervention loss L₂."""
    beta: float = Field(default=1.0, ge=0)
    """Weight β of the diversity loss L₃."""
    n_patterns: int = Field(default=2, ge=1)
    """Background patterns n."""
    distance: Distance = "l1"
    """Distance of L₁ and L₂: l1 is the paper's, smooth_l1 the official code's."""
    average: Literal["predictions", "hidden"] = "predictions"
    """What Eq. 3 averages over patterns: predictions as written, or hidden states before the head (official code)."""
    diagonal: bool = False
    """Whether the sum of L₃ has the terms i = j too, as in Algorithm 1 and the official code, and not in Eq. 5."""
    normalize: bool = True
    """Whether L₃ compares patterns scaled to unit length, on which Eq. 5 is the uniformity loss that it cites."""
    activation: Activation = "sigmoid"
    """How the weights of a pattern are bounded; the paper's is the sigmoid."""
    temperature: float = Field(default=2.0, gt=0)
    """Sharpness t of L₃, which the paper does not give."""

    @property
    def predictions(self) -> int:
        """One from the signals as they are, and one with each pattern."""
        return 1 + self.n_patterns

    def check_length(self, window: int) -> None:
        """Make sure that the confounder encoder takes such windows."""
        ConfounderEncoder.check_length(window)

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> BackdoorLoss:
        """Return the objective's module, which holds the confounder encoder g_ω; as in the paper, roles do not matter.

        Raises
        ------
        ConfigError
            The model encodes no signals, so that there is nothing to intervene on.
        """
        if not (model.n_encoded and n_signals):
            raise ConfigError(
                "The objective 'backdoor' intervenes on encoded signals, and the model has none. "
                "Give it signals, or use the objective 'regression'."
            )
        return BackdoorLoss(self, n_signals, model.n_encoded)


class BackdoorLoss(ObjectiveModule):
    """The three losses of a batch, and the confounder encoder, which inference never calls.

    Parameters
    ----------
    config : Backdoor
        Weights and options.
    n_signals : int
        Signals d.
    n_encoded : int
        Encoded-signal channels d′.
    """

    def __init__(self, config: Backdoor, n_signals: int, n_encoded: int) -> None:
        super().__init__()
        self.config = config
        self.confounder_encoder = ConfounderEncoder(n_signals, config.n_patterns, n_encoded, config.activation)

    def forward(self, model: Predictor, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict with and without intervention, and compare both with the labels (Algorithm 1)."""
        config, observed = self.config, labels(batch)
        prediction, interventional, patterns = self._arms(model, batch)
        terms = {
            "prediction": distance(config.distance, prediction, observed),
            "intervention": distance(config.distance, interventional, observed),
            "diversity": self.diversity(patterns),
        }
        total = terms["prediction"] + config.alpha * terms["intervention"] + config.beta * terms["diversity"]
        loss = Loss(total=total, terms={name: term.detach() for name, term in terms.items()})
        return Prediction(prediction, interventional, patterns), loss

    def intervene(self, model: Predictor, batch: Batch) -> Prediction:
        """Return h(X, H), its backdoor adjustment (1/n) Σᵢ h(X, H ⊙ aᵢ) (Eq. 3), and the patterns aᵢ."""
        return Prediction(*self._arms(model, batch))

    def patterns(self, batch: Batch) -> Float[Tensor, "batch pattern encoded"]:
        """Return the background patterns aᵢ of each gene, A = g_ω(S)."""
        patterns: Tensor = self.confounder_encoder(batch.signals)
        return patterns

    def diagnostics(self, batch: Batch) -> dict[str, Tensor]:
        """Return the patterns of each gene, (gene, pattern, encoded)."""
        return {"patterns": self.patterns(batch)}

    def summarize(self, diagnostics: Mapping[str, Tensor]) -> dict[str, float]:
        """Return :func:`~epigx.objectives.base.pattern_statistics` and ``diversity_floor``, the lowest possible L₃."""
        return pattern_statistics(diagnostics["patterns"]) | {"diversity_floor": self.floor}

    def diversity(self, patterns: Float[Tensor, "batch pattern encoded"]) -> Float[Tensor, ""]:
        """Return L₃ of a batch's patterns."""
        config = self.config
        return diversity(patterns, config.temperature, diagonal=config.diagonal, normalize=config.normalize)

    @property
    def floor(self) -> float:
        """The lowest value that L₃ can take."""
        config = self.config
        return diversity_floor(
            config.n_patterns, config.temperature, diagonal=config.diagonal, normalize=config.normalize
        )

    def _arms(self, model: Predictor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Send the standard arm, of weight one, and the n intervened arms through the backbone as one batch."""
        patterns = self.patterns(batch)
        sequence, signals = model.encode_sequence(batch), model.encode_signals(batch)
        weights = torch.cat([torch.ones_like(patterns[:, :1]), patterns], dim=1).to(signals.dtype)
        arms = sequence[:, None] + signals[:, None] * weights[:, :, None]
        pooled = model.pool(model.hidden(arms.flatten(0, 1))).view(*weights.shape[:2], -1)
        if self.config.average == "hidden":
            # Pooling is linear, so the mean of pooled states is the pooled mean of states.
            pooled = torch.stack([pooled[:, 0], pooled[:, 1:].mean(1)], dim=1)
        features = batch.features[:, None].expand(-1, pooled.shape[1], -1)
        predicted = model.head(pooled.flatten(0, 1), features.flatten(0, 1)).view(pooled.shape[:2])
        return predicted[:, 0], predicted[:, 1:].mean(1), patterns


def diversity(
    patterns: Float[Tensor, "batch pattern encoded"],
    temperature: float = 2.0,
    *,
    diagonal: bool = False,
    normalize: bool = True,
) -> Float[Tensor, ""]:
    """Return L₃ = log Σ_{i≠j} exp(2t aᵢ·aⱼ − 2t) (Eq. 5), per gene, averaged over genes.

    With one pattern and i ≠ j the sum is empty; its logarithm is defined as 0 here, as one pattern cannot be alike.

    Parameters
    ----------
    patterns : Float[Tensor, "batch pattern encoded"]
        Background patterns aᵢ.
    temperature : float
        Sharpness t.
    diagonal : bool
        Whether i = j belongs to the sum.
    normalize : bool
        Whether each pattern is scaled to unit length first.

    Examples
    --------
    >>> orthogonal = torch.eye(2).expand(1, 2, 2)
    >>> round(diversity(orthogonal).item(), 4)  # log 2 − 2t, its lowest for two patterns
    -3.3069
    """
    n = patterns.shape[1]
    if n == 1 and not diagonal:
        return patterns.new_zeros(())
    if normalize:
        patterns = patterns / (patterns.norm(dim=-1, keepdim=True) + 1e-8)
    # Products and sums instead of a matrix product, which autocast would round to bfloat16.
    products = (patterns[:, :, None] * patterns[:, None]).sum(-1)
    exponents = 2 * temperature * (products - 1)
    if not diagonal:
        exponents = exponents.masked_fill(torch.eye(n, dtype=torch.bool, device=patterns.device), -torch.inf)
    return exponents.flatten(1).logsumexp(-1).mean()


def diversity_floor(
    n_patterns: int,
    temperature: float = 2.0,
    *,
    diagonal: bool = False,
    normalize: bool = True,
    cosine: float = 0.0,
) -> float:
    """Return the lowest value of L₃: that of patterns of which any two have the lowest cosine.

    Parameters
    ----------
    n_patterns : int
        Patterns n.
    temperature : float
        Sharpness t.
    diagonal : bool
        Whether i = j belongs to the sum.
    normalize : bool
        Whether each pattern is scaled to unit length first; if not, patterns of zeros are the lowest.
    cosine : float
        The lowest cosine that any two patterns can have: 0 where weights cannot be negative.

    Examples
    --------
    >>> round(diversity_floor(2), 4), round(diversity_floor(2, diagonal=True), 4)
    (-3.3069, 0.7113)
    """
    total = n_patterns * (n_patterns - 1) * math.exp(2 * temperature * (cosine - 1))
    if diagonal:
        total += n_patterns * (1.0 if normalize else math.exp(-2 * temperature))
    return math.log(total) if total else 0.0
