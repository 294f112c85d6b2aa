"""Backdoor adjustment with patterns from background signals that must differ between genes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from epigx.batch import Batch, Loss, Prediction
from epigx.models import ConfounderEncoder, Model, Predictor
from epigx.objectives.backdoor import Backdoor, BackdoorLoss, diversity, diversity_floor
from epigx.objectives.background import BackgroundObjective
from epigx.objectives.base import Distance

__all__ = ["GeneSpecificBackdoor", "GeneSpecificBackdoorLoss", "sameness"]


class GeneSpecificBackdoor(BackgroundObjective):
    """L₁ + α L₂ + β L₃(aᵢ - āᵢ) + γ mean max(0, s - sd aᵢ): Eq. 6 with gene-specific patterns.

    L₃ compares the patterns after subtracting their mean over the genes of the batch. The last term penalises weights
    whose standard deviation over genes is below s. Patterns are A = g_ω(S_bg), computed only from background signals.

    Assumption: the background state of a gene is visible in its background signals and differs between genes. In
    contrast, the paper's L₃ can be minimal for patterns that all genes share.
    """

    kind: Literal["gene_specific_backdoor"] = "gene_specific_backdoor"
    alpha: float = Field(default=1.0, ge=0)
    """Weight α of the intervention loss L₂."""
    beta: float = Field(default=1.0, ge=0)
    """Weight β of the diversity loss L₃."""
    gamma: float = Field(default=10.0, ge=0)
    """Weight γ of the penalty for patterns that are equal for all genes."""
    spread: float = Field(default=0.2, gt=0, le=0.5)
    """Required standard deviation s over genes; weights between 0 and 1 have at most 0.5."""
    n_patterns: int = Field(default=2, ge=1)
    """Background patterns n."""
    distance: Distance = "l1"
    """Distance of L₁ and L₂."""
    temperature: float = Field(default=2.0, gt=0)
    """Temperature t of L₃."""

    @property
    def compares_genes(self) -> bool:
        """Always: patterns are compared with their mean over the batch."""
        return True

    @property
    def predictions(self) -> int:
        """One with the measured signals, and one with each pattern."""
        return 1 + self.n_patterns

    def check_length(self, window: int) -> None:
        """Check that the window is long enough for the confounder encoder."""
        ConfounderEncoder.check_length(window)

    def _module(self, model: Model, n_signals: int, background: tuple[int, ...]) -> GeneSpecificBackdoorLoss:
        return GeneSpecificBackdoorLoss(self, background, model.n_encoded)


class GeneSpecificBackdoorLoss(BackdoorLoss):
    """The four losses of a batch."""

    def __init__(self, config: GeneSpecificBackdoor, background: tuple[int, ...], n_encoded: int) -> None:
        shared = {name: getattr(config, name) for name in ("alpha", "beta", "n_patterns", "distance", "temperature")}
        super().__init__(Backdoor(**shared), len(background), n_encoded)
        self.gamma, self.spread = config.gamma, config.spread
        self.background = list(background)

    def forward(self, model: Predictor, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict with and without interventions, and compare predictions with labels and patterns between genes."""
        prediction, loss = super().forward(model, batch)
        assert prediction.patterns is not None
        term = sameness(prediction.patterns, self.spread)
        terms = {**loss.terms, "sameness": term.detach()}
        return prediction, replace(loss, total=loss.total + self.gamma * term, terms=terms)

    def patterns(self, batch: Batch) -> Float[Tensor, "batch pattern encoded"]:
        """Return the patterns of each gene, computed from its background signals."""
        patterns: Tensor = self.confounder_encoder(batch.signals[..., self.background])
        return patterns

    def diversity(self, patterns: Float[Tensor, "batch pattern encoded"]) -> Float[Tensor, ""]:
        """Return L₃ of the differences of the patterns from their batch means."""
        return diversity(patterns - patterns.mean(0), self.config.temperature)

    @property
    def floor(self) -> float:
        """The lowest value of L₃; n vectors of any sign have a common cosine of at least -1 / (n - 1)."""
        n = self.config.n_patterns
        return diversity_floor(n, self.config.temperature, cosine=-1 / max(n - 1, 1))


def sameness(patterns: Float[Tensor, "batch pattern encoded"], spread: float) -> Float[Tensor, ""]:
    """Return mean max(0, spread - sd) over weights, sd the standard deviation over genes.

    Examples
    --------
    >>> import torch
    >>> same, apart = torch.ones(4, 2, 3), torch.tensor([0.0, 1.0])[:, None, None].expand(2, 2, 3)
    >>> round(sameness(same, 0.25).item(), 3), sameness(apart, 0.25).item()
    (0.24, 0.0)
    """
    # The square root has no finite slope at zero, where training may start, so a small variance is added.
    deviation = (patterns.var(dim=0, correction=0) + 1e-4).sqrt()
    return (spread - deviation).clamp_min(0).mean()
