"""Training settings of a network: optimizer, schedule, batches, precision."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epigx.config import Config

__all__ = ["TrainingConfig"]

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
"""A number from 0 up to, but not including, 1."""


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
    """AdamW's weight decay, for the parameters that decay."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.95)
    """AdamW's decay rates of the two moments."""
    clip: float = Field(default=1.0, gt=0)
    """Largest global norm of the gradient."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the network; weights, losses and predictions are float32 in either."""
    checkpoint_layers: bool = False
    """Recompute each layer in the backward pass: the same weights with 40 % of the memory and about 1.2 times the
    time, for long windows."""
    validate_every: float = Field(default=0.5, gt=0)
    """Epochs between two validations."""
    seed: int = Field(default=2, ge=0, lt=2**63)
    """Seed of the initial weights and of the order of genes."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; none: PyTorch's default."""

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
