"""Seq2Exp (Su et al., 2025): one network selects the positions that matter, a second one predicts from them.

The mask is drawn from :class:`~epigx.models.mask_posterior.MaskPosterior`. The information bottleneck that keeps it
sparse is an objective (:mod:`epigx.objectives.bottleneck`). Blacklisted positions are never selected, and the central
base pairs, the promoter, always are.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.distributions import Beta
from torch.nn.utils.rnn import pad_sequence

from epigx.backbones import Backbone, Caduceus
from epigx.batch import Batch, Prediction
from epigx.errors import ConfigError
from epigx.models.base import Cost, Model, Need
from epigx.models.encoders import SignalEncoder
from epigx.models.head import Head, centre, centre_of, pool_centre
from epigx.models.mask_posterior import MaskEvidence, MaskPosterior

__all__ = [
    "HardSeq2Exp",
    "Packing",
    "Selection",
    "Seq2Exp",
    "Seq2ExpHard",
    "Seq2ExpModel",
    "Seq2ExpSoft",
    "SoftSeq2Exp",
    "pool_packed",
]

Packing = Literal["gene", "batch"]


class Seq2ExpModel(Model):
    """Settings that the soft and the hard variant share; their defaults differ as in the official scripts."""

    backbone: Backbone = Caduceus()
    """Sequence network that predicts from the selected positions."""
    generator: Backbone | None
    """Sequence network that computes the mask; if not set, the backbone does both, with the same weights."""
    generator_signals: bool
    """Whether the network that computes the mask also reads the signals."""
    positions: bool
    """Whether to add a learned vector at each position; windows can then not be longer than in training."""
    evidence: MaskEvidence
    """Weights of sequence and signals in the distribution of the mask."""
    pool: int = Field(default=2_000, ge=1)
    """Central base pairs that are always selected, and whose hidden states are averaged."""
    blacklist: bool = True
    """Whether to exclude the dataset's blacklist from the mask; set to false if the dataset has none."""

    @property
    def needs(self) -> frozenset[Need]:
        """The blacklist, if ``blacklist`` is true."""
        return frozenset({"blacklist"}) if self.blacklist else frozenset()

    @property
    def makes_mask(self) -> bool:
        """Whether the network returns a mask: always."""
        return True

    def cost(self, window: int, weights: int, n_elements: int = 61) -> Cost:
        """Estimate the cost of one prediction, which reads the window twice: for the mask and for the expression."""
        per_position = (self.generator or self.backbone).bytes_per_position + self.backbone.bytes_per_position
        applied = weights - (window * self.backbone.d_model if self.positions else 0)  # one vector for each position
        return Cost(applied, window * (2 if self.generator is None else 1), per_position * window)

    @model_validator(mode="after")
    def _same_width(self) -> Seq2ExpModel:
        if self.generator is not None and self.generator.d_model != self.backbone.d_model:
            raise ValueError(
                f"generator.d_model ({self.generator.d_model}) and backbone.d_model ({self.backbone.d_model}) "
                "must be equal, as both read the same embedding"
            )
        return self

    @abstractmethod
    def build(self, n_signals: int, n_features: int, window: int) -> Seq2Exp:
        """Return the network with fresh weights.

        Raises
        ------
        ConfigError
            ``evidence`` has another number of signals; the window is not longer than ``pool``; or it is too long for a
            backbone.
        """


class Seq2ExpSoft(Seq2ExpModel):
    """Multiplies each position by its z: a random draw in training, the mean otherwise."""

    kind: Literal["seq2exp_soft"] = "seq2exp_soft"
    generator: Backbone | None = Caduceus()
    generator_signals: bool = False
    positions: bool = False
    evidence: MaskEvidence = MaskEvidence(scale=10.0, floor=1.0)

    def build(self, n_signals: int, n_features: int, window: int) -> SoftSeq2Exp:
        """Return the network with fresh weights."""
        return SoftSeq2Exp(self, n_signals, n_features, window)


class Seq2ExpHard(Seq2ExpModel):
    """Removes positions whose z is below a threshold; z is a random draw in training, the mean otherwise."""

    kind: Literal["seq2exp_hard"] = "seq2exp_hard"
    generator: Backbone | None = None
    generator_signals: bool = True
    positions: bool = True
    evidence: MaskEvidence = MaskEvidence(scale=1.0, floor=0.0)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Smallest z of kept positions."""
    gradient: Literal["kl-only", "straight-through"] = "kl-only"
    """Gradient of the mask. With ``kl-only``, as in the official code, the prediction loss does not train the mask,
    because its values do not enter the prediction. With ``straight-through``, kept positions are multiplied by the
    mask, whose value is 1 and whose gradient is that of z (docs/decisions/0014)."""
    packing: Packing = "gene"
    """Whether the kept positions of each gene are read separately (``gene``), or zero-padded to the longest of a batch
    as in the official code (``batch``), where predictions depend on the batch (docs/decisions/0014)."""

    def build(self, n_signals: int, n_features: int, window: int) -> HardSeq2Exp:
        """Return the network with fresh weights."""
        return HardSeq2Exp(self, n_signals, n_features, window)


class Selection(NamedTuple):
    """A prediction and the distribution of its mask."""

    prediction: Prediction
    posterior: Beta
    """Distribution of z at each gene and position."""


class Seq2Exp(nn.Module):
    """Computes a mask from the window, then predicts from the selected positions."""

    def __init__(self, config: Seq2ExpModel, n_signals: int, n_features: int, window: int) -> None:
        super().__init__()
        if window <= config.pool:
            raise ConfigError(
                f"The window of {window:,} bp is not longer than the centre that is always selected "
                f"(model.pool: {config.pool:,}). "
                "Train on longer windows (data.window) or reduce model.pool."
            )
        for network in filter(None, (config.generator, config.backbone)):
            network.check_length(window)
        d_model = config.backbone.d_model
        self.central = config.pool
        self.generator_signals = config.generator_signals
        self.blacklist = config.blacklist
        self.sequence_encoder = config.backbone.embedding()
        self.signal_encoder = SignalEncoder(n_signals, d_model)
        self.positions = nn.Parameter(torch.zeros(1, window, d_model)) if config.positions else None
        self.generator = None if config.generator is None else config.generator.build()
        self.posterior = MaskPosterior(config.evidence, d_model, n_signals)
        self.backbone = config.backbone.build()
        self.head = Head(d_model, n_features)

    def forward(self, batch: Batch) -> Prediction:
        """Predict the expression of each gene from the selected positions."""
        return self.select(batch).prediction

    def select(self, batch: Batch) -> Selection:
        """Predict, and return the distribution of the mask."""
        sequence: Tensor = self.sequence_encoder(batch.sequence)
        if self.positions is not None:
            sequence = sequence + _centre(self.positions, sequence.shape[1])
        embedded = sequence + self.signal_encoder(batch.signals)
        generator = self.backbone if self.generator is None else self.generator
        first_reading = generator(embedded if self.generator_signals else sequence)
        posterior: Beta = self.posterior(first_reading, batch.signals)
        mask = _decided(self.draw(posterior), batch.blacklist if self.blacklist else None, self.central)
        expression = self.head(self.read(embedded, mask), batch.features)
        return Selection(Prediction(expression, mask=mask), posterior)

    @abstractmethod
    def draw(self, posterior: Beta) -> Float[Tensor, "batch length"]:
        """Return the weight of each position, before blacklist and centre are applied; deterministic in evaluation."""

    @abstractmethod
    def read(
        self, embedded: Float[Tensor, "batch length channel"], mask: Float[Tensor, "batch length"]
    ) -> Float[Tensor, "batch channel"]:
        """Run the backbone on the selected positions and average the hidden states of the centre."""


class SoftSeq2Exp(Seq2Exp):
    """Multiplies the embedding by the mask."""

    def draw(self, posterior: Beta) -> Float[Tensor, "batch length"]:
        """Return a random draw of z in training, its mean in evaluation."""
        return posterior.rsample() if self.training else posterior.mean

    def read(
        self, embedded: Float[Tensor, "batch length channel"], mask: Float[Tensor, "batch length"]
    ) -> Float[Tensor, "batch channel"]:
        """Run the backbone on the weighted window."""
        weighted = (embedded * mask[..., None]).to(embedded.dtype)
        return pool_centre(self.backbone(weighted), self.central)


class HardSeq2Exp(Seq2Exp):
    """Removes the positions that are not in the mask."""

    def __init__(self, config: Seq2ExpHard, n_signals: int, n_features: int, window: int) -> None:
        super().__init__(config, n_signals, n_features, window)
        self.threshold = config.threshold
        self.gradient = config.gradient
        self.packing: Packing = config.packing

    def draw(self, posterior: Beta) -> Float[Tensor, "batch length"]:
        """Return 1 where z reaches the threshold and 0 elsewhere; with the gradient of z for straight-through."""
        z = posterior.rsample() if self.training else posterior.mean
        chosen = (z >= self.threshold).to(z.dtype)
        # The value in brackets is exactly zero.
        return chosen if self.gradient == "kl-only" else chosen + (z - z.detach())

    def read(
        self, embedded: Float[Tensor, "batch length channel"], mask: Float[Tensor, "batch length"]
    ) -> Float[Tensor, "batch channel"]:
        """Run the backbone on the kept positions as one sequence."""
        if self.gradient == "straight-through":
            embedded = (embedded * mask[..., None]).to(embedded.dtype)
        return pool_packed(self.backbone, embedded, mask.detach().bool(), self.central, self.packing)


def _decided(
    mask: Float[Tensor, "batch length"], blacklist: Bool[Tensor, "batch length"] | None, central: int
) -> Float[Tensor, "batch length"]:
    """Set the mask to 0 on the blacklist, then to 1 in the centre, at the promoter."""
    if blacklist is not None:
        mask = mask.masked_fill(blacklist, 0.0)
    promoter = torch.zeros(mask.shape[1], dtype=torch.bool, device=mask.device)
    promoter[centre_of(mask.shape[1], central)] = True
    return mask.masked_fill(promoter, 1.0)


def _centre(positions: Float[Tensor, "1 longest channel"], length: int) -> Float[Tensor, "1 length channel"]:
    """Return the position vectors for a window with the same centre."""
    if length > positions.shape[1]:
        raise ConfigError(
            f"The model has vectors for {positions.shape[1]:,} positions, but the windows have {length:,} bp. "
            "Use shorter windows, or train with model.positions=false."
        )
    return centre(positions, length)


def pool_packed(
    backbone: nn.Module,
    embedded: Float[Tensor, "gene length channel"],
    keep: Bool[Tensor, "gene length"],
    central: int,
    packing: Packing,
) -> Float[Tensor, "gene channel"]:
    """Run a backbone over the kept positions and average the hidden states of the centre, in float32.

    Parameters
    ----------
    keep : Bool[Tensor, "gene length"]
        Positions to keep; must include the centre.
    packing : {"gene", "batch"}
        Whether genes are read separately, or as one batch that is zero-padded on the right. With padding, the hidden
        states of a gene depend slightly on the other genes of the batch.
    """
    kept = [window[places] for window, places in zip(embedded, keep, strict=True)]
    if packing == "batch":
        hidden = list(backbone(pad_sequence(kept, batch_first=True)))
    else:
        hidden = [backbone(window[None])[0] for window in kept]
    promoter = centre_of(keep.shape[1], central)
    starts = keep[:, : promoter.start].sum(1).tolist()
    width = promoter.stop - promoter.start
    pairs = zip(hidden, starts, strict=True)
    return torch.stack([states[start : start + width].mean(0, dtype=torch.float32) for states, start in pairs])
