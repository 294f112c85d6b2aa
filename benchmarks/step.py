"""One training step of InFER: DNA and three signals, three arms a gene, four layers, losses, clipping, AdamW."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, cast

import torch
from torch import nn

from benchmarks.block import under
from benchmarks.bound import Rates, step_bound
from benchmarks.measure import Effort, Hopeless, compare
from benchmarks.peers import PEERS, peer
from benchmarks.plan import Comparison
from epigx.batch import Batch
from epigx.layers.mamba import BiMamba
from epigx.recipes.models import infer
from epigx.runs.config import RunConfig
from epigx.training.optim import parameter_groups

__all__ = ["Step", "agree", "measure", "random_batch", "recipe", "with_peer"]

SIGNALS, FEATURES, ARMS = 3, 9, 3


@dataclass(frozen=True)
class Step:
    """A training step on some genes; the rivals' blocks take the place of ours, and all else is the same."""

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
        with_peer(self.name, model)
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

        return under(self.name, step)


def recipe(precision: Literal["fp32", "bf16"] = "fp32") -> RunConfig:
    """Return the paper's configuration; nothing of it names data."""
    return infer(data="none", cell_type="none").override(f"training.precision={precision}")


def with_peer(name: str, model: nn.Module) -> None:
    """Put a rival's blocks in the place of ours; names that are none of a rival's change nothing."""
    if name in PEERS:
        for module in list(model.modules()):
            for field, child in list(module.named_children()):
                if isinstance(child, BiMamba):
                    setattr(module, field, peer(name, child))


def random_batch(genes: int, length: int) -> Batch:
    """Draw bases, signals that are mostly zero, features and labels."""
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
    """Check that two steps with a rival give the losses of two steps of ours, and return the relative difference.

    Raises
    ------
    ValueError
        It is above 1e-4. The second loss is that after an update, so the gradients are compared, too.
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
    """Compare training steps of so many genes and bases; ours in bfloat16, too."""
    hopeless = Hopeless()
    for sizes, names, as_they_come in comparisons:
        for genes, length in sizes:
            cases = {name: Step(name, genes, length) for name in names[:1]}
            cases["epigx, bf16"] = Step("epigx", genes, length, "bf16")
            cases |= {name: Step(name, genes, length) for name in names[1:]}
            row = compare(cases, effort, hopeless, as_they_come=as_they_come)
            row |= {"genes": genes, "length": length, "arms": ARMS}
            for name, precision in ((names[0], "fp32"), ("epigx, bf16", "bf16")):
                if name in row["rivals"]:
                    found = row["rivals"][name]
                    bound = step_bound(genes, ARMS, length, Rates.of(limits, precision))
                    found["bound"] = bound.shares(found["seconds"])
                    if precision == "bf16":  # how it stands beside the best that a step in float32 could be
                        bound = step_bound(genes, ARMS, length, Rates.of(limits))
                        found["float32_bound"] = bound.shares(found["seconds"])
            yield row
