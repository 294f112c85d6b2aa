"""A training step of InFER (DNA, three signals, three arms per gene, four layers, AdamW), and prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, cast

import torch
from torch import nn

from benchmarks.block import with_kernel
from benchmarks.bound import Rates, step_bound
from benchmarks.competitors import COMPETITORS, competitor
from benchmarks.measure import Effort, TooSlow, compare
from benchmarks.plan import Comparison
from epigx.batch import Batch
from epigx.layers.mamba import BiMamba
from epigx.recipes.models import infer
from epigx.runs.config import RunConfig
from epigx.training.optim import parameter_groups

__all__ = ["Prediction", "Step", "agree", "measure", "measure_prediction", "random_batch", "recipe", "replace_blocks"]

SIGNALS, FEATURES, ARMS = 3, 9, 3


@dataclass(frozen=True)
class Step:
    """A training step on some genes; a competitor's blocks replace ours, and everything else is the same."""

    name: str
    genes: int
    length: int
    precision: Literal["fp32", "bf16"] = "fp32"

    @property
    def size(self) -> tuple[int, ...]:
        return self.genes, self.length

    def small(self) -> Self:
        return replace(self, genes=2, length=64)

    def prepare(self) -> Callable[[], object]:
        torch.manual_seed(0)
        config = recipe(self.precision)
        model = config.method.model.build(SIGNALS, FEATURES, self.length)
        objective = config.method.objective.build(config.method.model, SIGNALS)
        batch = random_batch(self.genes, self.length)
        replace_blocks(self.name, model)
        settings = config.method.training
        groups = parameter_groups(model, objective, weight_decay=settings.weight_decay)
        optimizer = torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas)
        parameters = [parameter for group in groups for parameter in group["params"]]
        precision = torch.autocast("cpu", torch.bfloat16) if self.precision == "bf16" else nullcontext()

        def step() -> float:
            optimizer.zero_grad()
            with precision:
                _, loss = objective(model, batch)
            loss.total.backward()
            nn.utils.clip_grad_norm_(parameters, settings.clip)
            optimizer.step()
            return float(loss.total.detach())

        return with_kernel(self.name, step)


@dataclass(frozen=True)
class Prediction:
    """Predictions of some genes in one batch: one arm per gene, no gradients."""

    name: str
    genes: int
    length: int

    @property
    def size(self) -> tuple[int, ...]:
        return self.genes, self.length

    def small(self) -> Self:
        return replace(self, genes=1, length=64)

    def prepare(self) -> Callable[[], object]:
        torch.manual_seed(0)
        model = recipe().method.model.build(SIGNALS, FEATURES, self.length).eval()
        batch = random_batch(self.genes, self.length)
        replace_blocks(self.name, model)
        return with_kernel(self.name, torch.inference_mode()(lambda: model(batch)))


def recipe(precision: Literal["fp32", "bf16"] = "fp32") -> RunConfig:
    """Return the paper's configuration, without data."""
    return infer(data="none", cell_type="none").override(f"training.precision={precision}")


def replace_blocks(name: str, model: nn.Module) -> None:
    """Replace our blocks by a competitor's; other names change nothing."""
    if name in COMPETITORS:
        for module in list(model.modules()):
            for field, child in list(module.named_children()):
                if isinstance(child, BiMamba):
                    setattr(module, field, competitor(name, child))


def random_batch(genes: int, length: int) -> Batch:
    """Return random bases, mostly zero signals, features and labels."""
    bases = torch.randint(4, (genes, length))
    signals = torch.randn(genes, length, SIGNALS).clamp(min=1) - 1
    return Batch(
        sequence=nn.functional.one_hot(bases, 4).float(),
        signals=signals,
        features=torch.randn(genes, FEATURES),
        expression=torch.rand(genes) * 3,
        gene_id=tuple(map(str, range(genes))),
    )


def agree(name: str) -> float:
    """Check that two steps with a competitor's blocks give our losses, and return the relative difference.

    Raises
    ------
    ValueError
        It is above 1e-4. The second loss follows an update, so it depends on the gradients, too.
    """
    losses = []
    for which in ("epigx", name):
        step = Step(which, 2, 70).prepare()
        losses.append(cast(tuple[float, float], (step(), step())))
    worst = max(abs(a - b) / abs(a) for a, b in zip(*losses, strict=True))
    if not worst < 1e-4:
        raise ValueError(f"A training step with {name!r} gives other losses than ours (by {worst:.1e}).")
    return float(worst)


def measure(comparisons: list[Comparison], effort: Effort, limits: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Compare training steps for numbers of genes and bases; ours in bfloat16, too."""
    too_slow = TooSlow()
    for sizes, names, default_settings in comparisons:
        for genes, length in sizes:
            cases = {name: Step(name, genes, length) for name in names[:1]}
            cases["epigx, bf16"] = Step("epigx", genes, length, "bf16")
            cases |= {name: Step(name, genes, length) for name in names[1:]}
            row = compare(cases, effort, too_slow, default_settings=default_settings)
            row |= {"genes": genes, "length": length, "arms": ARMS}
            for name, precision in ((names[0], "fp32"), ("epigx, bf16", "bf16")):
                if name in row["competitors"]:
                    found = row["competitors"][name]
                    bound = step_bound(genes, ARMS, length, Rates.of(limits, precision))
                    found["bound"] = bound.shares(found["seconds"])
                    if precision == "bf16":  # relative to the best possible float32 step
                        bound = step_bound(genes, ARMS, length, Rates.of(limits))
                        found["float32_bound"] = bound.shares(found["seconds"])
            yield row


def measure_prediction(comparisons: list[Comparison], effort: Effort) -> Iterator[dict[str, Any]]:
    """Compare genes per second for batches of numbers of genes and bases."""
    too_slow = TooSlow()
    for sizes, names, default_settings in comparisons:
        for genes, length in sizes:
            cases = {name: Prediction(name, genes, length) for name in names}
            row = compare(cases, effort, too_slow, default_settings=default_settings)
            for found in row["competitors"].values():
                found["genes_per_second"] = genes / found["seconds"]
            yield row | {"genes": genes, "length": length}
