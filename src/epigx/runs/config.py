"""The complete description of a run: its data, its model, its objective and how it is trained."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epigx.config import Config
from epigx.dataset.manifest.split import Split
from epigx.dataset.signals import Transform
from epigx.models import Model
from epigx.objectives import Objective

__all__ = ["DataConfig", "RunConfig", "TrainingConfig"]

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
"""A part of a whole, the whole itself excluded."""


class DataConfig(Config):
    """Which genes a run reads, and what it reads of them."""

    path: str
    """Dataset folder."""
    cell_types: tuple[str, ...] = Field(min_length=1)
    """Cell types to train on; with several, each gene is seen once per cell type."""
    window: int | None = Field(default=None, ge=2)
    """Central base pairs of the dataset's window to read; none: the whole window."""
    signals: tuple[str, ...] | None = None
    """Signals by name, in the order of the model's channels; none: all of the dataset."""
    transforms: dict[str, Transform] | None = None
    """Transform of a signal by its name, in place of the dataset's own."""
    features: tuple[str, ...] | None = None
    """Features by name, in the order in which the head reads them; none: all of the dataset."""
    split: Split | None = None
    """Chromosomes for validation and test; none: the dataset's split."""
    min_dna_coverage: float = Field(default=0.0, ge=0.0, le=1.0)
    """Leave out genes with a smaller share of known bases."""
    coverage_window: int | None = Field(default=None, ge=2)
    """Central base pairs in which known bases are counted; none: the dataset's whole window."""
    dna: bool = True
    """Whether the bases are read; the sequence is all zeros otherwise."""


class TrainingConfig(Config):
    """AdamW with a linear warm-up and a cosine to a floor; the defaults are Table 9 and the official settings."""

    steps: int = Field(default=50_000, ge=1)
    """Optimizer steps."""
    batch_size: int = Field(default=8, ge=1)
    """Genes per step."""
    lr: float = Field(default=5e-4, gt=0)
    """Learning rate at the end of the warm-up."""
    lr_min: float = Field(default=1e-4, ge=0)
    """Learning rate at the end of the cosine."""
    warmup_lr: float = Field(default=1e-5, ge=0)
    """Learning rate of the first step."""
    warmup_steps: int = Field(default=5_000, ge=0)
    """Steps of the linear warm-up."""
    weight_decay: float = Field(default=1e-6, ge=0)
    """AdamW's weight decay, for the parameters that are decayed."""
    betas: tuple[Share, Share] = (0.9, 0.95)
    """AdamW's decay rates of the two moments."""
    clip: float = Field(default=1.0, gt=0)
    """Largest global norm of the gradient."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the network; weights, losses and predictions are float32 in either."""
    checkpoint_layers: bool = False
    """Compute each layer anew in the backward pass: the same weights in two fifths of the memory and about 1.2 times
    the time, for long windows."""
    validate_every: float = Field(default=0.5, gt=0)
    """Epochs between two validations."""
    seed: int = Field(default=2, ge=0, lt=2**63)
    """Seed of the initial weights and of the order of genes."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; none: as many as PyTorch takes."""

    @model_validator(mode="after")
    def _lr_falls(self) -> Self:
        if self.lr_min > self.lr:
            raise ValueError(f"lr_min ({self.lr_min:g}) must not be above lr ({self.lr:g}); set both")
        return self

    @model_validator(mode="after")
    def _warmup_ends(self) -> Self:
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup_steps ({self.warmup_steps}) must be below steps ({self.steps}); set both when a run is short"
            )
        return self


class RunConfig(Config):
    """All that decides a run; saved as ``config.yaml`` in the run's folder, from which it loads back equal."""

    data: DataConfig
    model: Model
    objective: Objective
    training: TrainingConfig = TrainingConfig()
