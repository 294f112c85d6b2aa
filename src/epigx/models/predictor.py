"""The predictor h_φ: embedded DNA plus encoded signals, a backbone, pooling around the TSS, and a head."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from epigx.backbones import Backbone, Caduceus
from epigx.batch import Batch, Prediction
from epigx.errors import ConfigError, DatasetError
from epigx.models.base import Cost, Model, Need
from epigx.models.encoders import MotifEncoder, SignalEncoder, mean_over_positions
from epigx.models.head import Head, pool_centre

__all__ = ["Predictor", "PredictorModel"]


class PredictorModel(Model):
    """A backbone on DNA, with or without signals; the default, Caduceus with signals, is InFER at inference."""

    kind: Literal["predictor"] = "predictor"
    backbone: Backbone = Caduceus()
    """Sequence network."""
    signals: bool = True
    """Whether it reads the signals in addition to DNA."""
    pool: int = Field(default=2_000, ge=0)
    """Central base pairs whose hidden states are averaged; 0 for all. Shorter windows are averaged completely."""
    resolution: int = Field(default=1, ge=1)
    """Base pairs per position of the backbone; the paper uses 1. With more, a convolution finds motifs and signals are
    averaged before the backbone (docs/decisions/0013), which makes windows of tens of kb cheap."""
    mask: Literal["none", "peaks"] = "none"
    """``peaks``: positions outside of accessibility peaks are set to zero, even the promoter (MACS3 in Table 1)."""

    @property
    def n_encoded(self) -> int:
        """Encoded-signal channels d′: channels of the backbone, or 0 without signals."""
        return self.backbone.d_model if self.signals else 0

    @property
    def needs(self) -> frozenset[Need]:
        """Peaks, if they are the mask."""
        return frozenset({"peaks"}) if self.mask == "peaks" else frozenset()

    def cost(self, window: int, weights: int, n_elements: int = 61) -> Cost:
        """Estimate the cost of one prediction from the backbone and the resolution."""
        positions = window // self.resolution
        return Cost(weights, positions, self.backbone.bytes_per_position * window / self.resolution)

    def build(self, n_signals: int, n_features: int, window: int) -> Predictor:
        """Return the network with fresh weights, which do not depend on the window's length.

        Raises
        ------
        ConfigError
            The model reads signals but the run's inputs have none; or the window is not a multiple of ``resolution``,
            or too long for the backbone.
        """
        _check_length(window, self.resolution)
        self.backbone.check_length(window // self.resolution)
        if self.signals and not n_signals:
            raise ConfigError(
                "model.signals is true, but the run's inputs have no signals. "
                "Name some in data.signals, or set model.signals to false."
            )
        return Predictor(self, n_signals if self.signals else 0, n_features)


class Predictor(nn.Module):
    """The predictor h_φ with its base embedding and the signal encoder g_θ (Figure 3); 0 signals: it reads only DNA."""

    def __init__(self, config: PredictorModel, n_signals: int, n_features: int) -> None:
        super().__init__()
        self.resolution = config.resolution
        self.masked = config.mask == "peaks"
        # Rounded up, because 0 would mean all positions.
        self.central = -(-config.pool // config.resolution)
        d_model, resolution = config.backbone.d_model, config.resolution
        self.sequence_encoder = config.backbone.embedding() if resolution == 1 else MotifEncoder(d_model, resolution)
        self.signal_encoder = SignalEncoder(n_signals, config.backbone.d_model) if n_signals else None
        self.backbone = config.backbone.build()
        self.head = Head(config.backbone.d_model, n_features)

    def forward(self, batch: Batch) -> Prediction:
        """Predict the expression of each gene: h(X, H)."""
        embedded = self.encode_sequence(batch)
        if self.signal_encoder is not None:
            embedded = embedded + self.encode_signals(batch)
        pooled = self.pool(self.hidden(embedded))
        mask = _peaks(batch) if self.masked else None
        return Prediction(expression=self.head(pooled, batch.features), mask=mask)

    def encode_sequence(self, batch: Batch) -> Float[Tensor, "batch position encoded"]:
        """Embed the bases of each position; N is the bias, or its own row in a token embedding."""
        _check_length(batch.sequence.shape[1], self.resolution)
        return self._mask(self.sequence_encoder(batch.sequence), batch)

    def encode_signals(self, batch: Batch) -> Float[Tensor, "batch position encoded"]:
        """Return H = g_θ(S), where S is the mean of each signal over each position."""
        if self.signal_encoder is None:
            raise ConfigError("This model reads no signals (model.signals is false), so it cannot encode signals.")
        return self._mask(self.signal_encoder(mean_over_positions(batch.signals, self.resolution)), batch)

    def hidden(self, embedded: Float[Tensor, "arm length channel"]) -> Float[Tensor, "arm length channel"]:
        """Run the backbone; the first axis is genes, or genes and arms of an intervention."""
        hidden: Tensor = self.backbone(embedded)
        return hidden

    def pool(self, hidden: Float[Tensor, "arm length channel"]) -> Float[Tensor, "arm channel"]:
        """Average the hidden states around the TSS."""
        return pool_centre(hidden, self.central)

    def _mask(self, encoded: Tensor, batch: Batch) -> Float[Tensor, "batch position encoded"]:
        """Multiply each position by the fraction of it that lies in peaks."""
        if not self.masked:
            return encoded
        return encoded * mean_over_positions(_peaks(batch)[..., None], self.resolution).to(encoded.dtype)


def _peaks(batch: Batch) -> Float[Tensor, "batch length"]:
    if batch.peaks is None:
        raise DatasetError(
            "The model is masked by peaks (model.mask), but the dataset has none. "
            "Build it with peaks for each cell type, or set model.mask to none."
        )
    return batch.peaks.float()


def _check_length(length: int, resolution: int) -> None:
    if length % resolution:
        raise ConfigError(
            f"The window of {length:,} bp is not a multiple of the resolution of {resolution} bp (model.resolution). "
            "Choose another window or resolution."
        )
