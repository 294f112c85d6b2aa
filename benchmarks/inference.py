"""Prediction: one arm a gene, no gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import torch

from benchmarks.block import under
from benchmarks.measure import Effort, Hopeless, compare
from benchmarks.plan import Comparison
from benchmarks.step import FEATURES, SIGNALS, random_batch, recipe, with_peer

__all__ = ["Prediction", "measure"]


@dataclass(frozen=True)
class Prediction:
    """The predictions of some genes in one batch."""

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
        model = recipe().model.build(SIGNALS, FEATURES, self.length).eval()
        batch = random_batch(self.genes, self.length)
        with_peer(self.name, model)
        return under(self.name, torch.inference_mode()(lambda: model(batch)))


def measure(comparisons: list[Comparison], effort: Effort) -> Iterator[dict[str, Any]]:
    """Compare genes a second for batches of so many genes and bases."""
    hopeless = Hopeless()
    for sizes, names, as_they_come in comparisons:
        for genes, length in sizes:
            cases = {name: Prediction(name, genes, length) for name in names}
            row = compare(cases, effort, hopeless, as_they_come=as_they_come)
            for found in row["rivals"].values():
                found["genes_per_second"] = genes / found["seconds"]
            yield row | {"genes": genes, "length": length}
