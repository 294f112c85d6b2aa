"""Backdoor adjustment (section 3.3): training with interventions on the encoded signals, do(H)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from epigx.batch import Batch, Loss, Prediction
from epigx.errors import ConfigError
from epigx.models import ConfounderEncoder, Model, Predictor
from epigx.models.encoders import Activation
from epigx.objectives.base import Distance, Objective, ObjectiveModule, distance, labels

__all__ = ["Backdoor", "BackdoorLoss", "diversity", "diversity_floor", "pattern_statistics"]


class Backdoor(Objective):
    """L₁ + α L₂ + β L₃ (Eq. 6). The defaults follow the paper; the differences of the official code are options.

    Where the paper gives no value (temperature, norm of the patterns, logarithm per gene), the default is that of the
    official code; see docs/decisions/0001 to 0007.
    """

    kind: Literal["backdoor"] = "backdoor"
    alpha: float = Field(default=1.0, ge=0)
    """Weight α of the intervention loss L₂."""
    beta: float = Field(default=1.0, ge=0)
    """Weight β of the diversity loss L₃."""
    n_patterns: int = Field(default=2, ge=1)
    """Background patterns n."""
    distance: Distance = "l1"
    """Distance of L₁ and L₂: l1 in the paper, smooth_l1 in the official code."""
    average: Literal["predictions", "hidden"] = "predictions"
    """What Eq. 3 averages over patterns: predictions (paper) or hidden states before the head (official code)."""
    diagonal: bool = False
    """Whether the sum of L₃ includes i = j, as in Algorithm 1 and the official code, but not in Eq. 5."""
    normalize: bool = True
    """Whether L₃ scales patterns to unit length; only then is Eq. 5 the uniformity loss that it cites."""
    activation: Activation = "sigmoid"
    """Activation of the pattern weights; the paper uses the sigmoid."""
    temperature: float = Field(default=2.0, gt=0)
    """Temperature t of L₃, which the paper does not give."""

    @property
    def predictions(self) -> int:
        """One with the measured signals, and one with each pattern."""
        return 1 + self.n_patterns

    def check_length(self, window: int) -> None:
        """Check that the window is long enough for the confounder encoder."""
        ConfounderEncoder.check_length(window)

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> BackdoorLoss:
        """Return the objective's module with the confounder encoder g_ω; it ignores signal roles, as in the paper.

        Raises
        ------
        ConfigError
            The model encodes no signals.
        """
        if not (model.n_encoded and n_signals):
            raise ConfigError(
                "The objective 'backdoor' intervenes on encoded signals, but the model has none. "
                "Use a model with signals, or the objective 'regression'."
            )
        return BackdoorLoss(self, n_signals, model.n_encoded)


class BackdoorLoss(ObjectiveModule):
    """The three losses of a batch, and the confounder encoder, which is used only in training."""

    config: Backdoor

    def __init__(self, config: Backdoor, n_signals: int, n_encoded: int) -> None:
        super().__init__(config)
        self.confounder_encoder = ConfounderEncoder(n_signals, config.n_patterns, n_encoded, config.activation)

    def forward(self, model: Predictor, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict with and without interventions and compare both with the labels (Algorithm 1)."""
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
        """Return the background ``patterns`` of each gene, (gene, pattern, encoded)."""
        return {"patterns": self.patterns(batch)}

    def summarize(self, diagnostics: Mapping[str, Tensor]) -> dict[str, float]:
        """Return :func:`pattern_statistics` and ``diversity_floor``, the lowest possible value of L₃."""
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
        """Run the backbone on one batch of the arm without intervention (weights of 1) and the n intervened arms."""
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

    With one pattern and i ≠ j, the sum is empty and L₃ is defined as 0.

    Parameters
    ----------
    diagonal : bool
        Whether the sum includes i = j.
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
    # Not a matrix product, because autocast would round it to bfloat16.
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
    """Return the lowest possible value of L₃, where all pairs of patterns have the lowest cosine.

    Parameters
    ----------
    normalize : bool
        Whether each pattern is scaled to unit length first; otherwise L₃ is lowest for patterns of zeros.
    cosine : float
        The lowest cosine that all pairs can have: 0 if weights cannot be negative.

    Examples
    --------
    >>> round(diversity_floor(2), 4), round(diversity_floor(2, diagonal=True), 4)
    (-3.3069, 0.7113)
    """
    total = n_patterns * (n_patterns - 1) * math.exp(2 * temperature * (cosine - 1))
    if diagonal:
        total += n_patterns * (1.0 if normalize else math.exp(-2 * temperature))
    return math.log(total) if total else 0.0


def pattern_statistics(patterns: Float[Tensor, "gene pattern encoded"]) -> dict[str, float]:
    """Measure whether the patterns differ from each other and between genes.

    Returns
    -------
    dict of str to float
        ``pattern_cosine``: mean cosine between two patterns of a gene, over pairs and genes (absent with one pattern);
        ``pattern_sd_1``, ``pattern_sd_2``, …: standard deviation of a pattern's weights over genes, averaged over the
        weights; 0 means that all genes have the same pattern.
    """
    patterns = patterns.detach().cpu().double()
    pairs = list(combinations(range(patterns.shape[1]), 2))
    spread = patterns.std(dim=0, correction=0).mean(dim=-1)
    found = {f"pattern_sd_{number}": float(value) for number, value in enumerate(spread, start=1)}
    if pairs:
        first, second = (patterns[:, [pair[side] for pair in pairs]] for side in (0, 1))
        found = {"pattern_cosine": float(torch.cosine_similarity(first, second, dim=-1).mean())} | found
    return found
