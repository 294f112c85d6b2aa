"""Backdoor adjustment whose patterns are held to differ between genes, and come from background signals alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from epigx.batch import Batch, Loss, Prediction
from epigx.models import ConfounderEncoder, Model, Predictor
from epigx.objectives.backdoor import Backdoor, BackdoorLoss, diversity, diversity_floor
from epigx.objectives.background import need_background
from epigx.objectives.base import Distance, Objective

__all__ = ["GeneSpecificBackdoor", "GeneSpecificBackdoorLoss", "sameness"]


class GeneSpecificBackdoor(Objective):
    """L₁ + α L₂ + β L₃(aᵢ - āᵢ) + γ mean max(0, s - sd aᵢ): Eq. 6 with patterns that fixed masks cannot satisfy.

    L₃ compares what is left of the patterns after their mean over the genes of the batch is taken off, and the last
    term asks that each weight varies over genes by a standard deviation of at least s. Patterns are A = g_ω(S_bg), of
    the background signals alone.

    Assumption: the background state of a gene is in its background signals, and differs between genes; the paper's
    L₃ is as low for one mask that all genes share.
    """

    kind: Literal["gene_specific_backdoor"] = "gene_specific_backdoor"
    alpha: float = Field(default=1.0, ge=0)
    """Weight α of the intervention loss L₂."""
    beta: float = Field(default=1.0, ge=0)
    """Weight β of the diversity loss L₃."""
    gamma: float = Field(default=10.0, ge=0)
    """Weight γ of the sameness of patterns over genes."""
    spread: float = Field(default=0.2, gt=0, le=0.5)
    """Standard deviation s over genes that is enough; weights between 0 and 1 have at most 0.5."""
    n_patterns: int = Field(default=2, ge=1)
    """Background patterns n."""
    distance: Distance = "l1"
    """Distance of L₁ and L₂."""
    temperature: float = Field(default=2.0, gt=0)
    """Sharpness t of L₃."""

    @property
    def compares_genes(self) -> bool:
        """Patterns are held against their mean over the batch."""
        return True

    @property
    def predictions(self) -> int:
        """One from the signals as they are, and one with each pattern."""
        return 1 + self.n_patterns

    def check_length(self, window: int) -> None:
        """Make sure that the confounder encoder takes such windows."""
        ConfounderEncoder.check_length(window)

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> GeneSpecificBackdoorLoss:
        """Return the objective's module, which holds the confounder encoder g_ω of the background signals.

        Raises
        ------
        ConfigError
            There is no background signal.
        """
        need_background(self.kind, model, background)
        return GeneSpecificBackdoorLoss(self, background, model.n_encoded)


class GeneSpecificBackdoorLoss(BackdoorLoss):
    """The four losses of a batch."""

    def __init__(self, config: GeneSpecificBackdoor, background: tuple[int, ...], n_encoded: int) -> None:
        paper = Backdoor(
            alpha=config.alpha,
            beta=config.beta,
            n_patterns=config.n_patterns,
            distance=config.distance,
            temperature=config.temperature,
        )
        super().__init__(paper, len(background), n_encoded)
        self.gamma, self.spread = config.gamma, config.spread
        self.background = list(background)

    def forward(self, model: Predictor, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict with and without intervention, and compare both with the labels, and patterns with each other."""
        prediction, loss = super().forward(model, batch)
        assert prediction.patterns is not None
        term = sameness(prediction.patterns, self.spread)
        terms = {**loss.terms, "sameness": term.detach()}
        return prediction, replace(loss, total=loss.total + self.gamma * term, terms=terms)

    def patterns(self, batch: Batch) -> Float[Tensor, "batch pattern encoded"]:
        """Return the patterns of each gene, from its background signals."""
        patterns: Tensor = self.confounder_encoder(batch.signals[..., self.background])
        return patterns

    def diversity(self, patterns: Float[Tensor, "batch pattern encoded"]) -> Float[Tensor, ""]:
        """Return L₃ of what sets the gene's patterns apart from those of the batch."""
        return diversity(patterns - patterns.mean(0), self.config.temperature)

    @property
    def floor(self) -> float:
        """The lowest L₃: of n vectors of any sign the lowest common cosine is -1 / (n - 1)."""
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
    # A small variance is added, since the square root has no slope at zero, where training has to leave from.
    deviation = (patterns.var(dim=0, correction=0) + 1e-4).sqrt()
    return (spread - deviation).clamp_min(0).mean()
