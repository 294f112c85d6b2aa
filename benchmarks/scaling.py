"""One window from 2 kb to 200 kb through four layers: time and memory per base, in training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import torch

from benchmarks.measure import Case, Effort, compare
from benchmarks.step import FEATURES, SIGNALS, random_batch, recipe, replace_blocks
from epigx.layers.checkpointing import checkpoint_layers, spare_memory
from epigx.objectives import Regression
from epigx.training.inference import LONG_WINDOW

__all__ = ["WORKS", "Pass", "measure"]

STEADY = 20_000
"""Bases that all rounds at one length have together at least, for each requested round."""


Work = Literal["training", "checkpointed", "evaluation"]
WORKS: tuple[Work, ...] = get_args(Work)


@dataclass(frozen=True)
class Pass:
    """One gene in one arm: forward and backward in training, forward only in evaluation.

    Checkpointed training recomputes each layer in the backward pass.
    """

    name: str
    work: Work
    length: int

    @property
    def size(self) -> tuple[int, ...]:
        return (self.length,)

    def small(self) -> Self:
        return replace(self, length=64)

    def prepare(self) -> Callable[[], object]:
        torch.manual_seed(0)
        config = recipe()
        model = config.method.model.build(SIGNALS, FEATURES, self.length)
        batch = random_batch(1, self.length)
        replace_blocks(self.name, model)
        objective = Regression().build(config.method.model, SIGNALS)

        def train() -> None:
            model.zero_grad()
            _, loss = objective(model, batch)
            loss.total.backward()

        if self.work == "training":
            return train
        if self.work == "checkpointed":
            checkpoint_layers(model)
            spare_memory(model, torch.device("cpu"), torch.float32)  # as `epigx train` does
            return train
        model.eval()
        if self.length > LONG_WINDOW:
            spare_memory(model, torch.device("cpu"), torch.float32)  # as `epigx predict` does
        return torch.inference_mode()(lambda: model(batch))


def measure(lengths: list[int], competitors: dict[int, tuple[str, ...]], effort: Effort) -> Iterator[dict[str, Any]]:
    """Measure all three at each length, and the training of some competitors at some lengths."""
    for length in lengths:
        cases: dict[str, Case] = {work: Pass("epigx", work, length) for work in WORKS}
        row = compare(cases, effort._replace(rounds=effort.rounds * max(1, STEADY // length)))
        if names := competitors.get(length):
            trained: dict[str, Case] = {name: Pass(name, "training", length) for name in names}
            others = compare({"training": cases["training"], **trained}, effort)
            row["competitors"] |= {name: found for name, found in others["competitors"].items() if name in trained}
            row["left_out"] |= others["left_out"]
        for found in row["competitors"].values():
            found["microseconds_per_base"] = found["seconds"] / length * 1e6
            if found["peak_mib"] is not None:
                found["bytes_per_base"] = found["peak_mib"] * 2**20 / length
        yield row | {"length": length}
