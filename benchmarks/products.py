"""Matrix products of a block's projections, by our kernel and by PyTorch's library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import torch

from benchmarks.bound import D_MODEL, INNER
from benchmarks.measure import Case, Effort, compare
from epigx.kernels import out_ops

__all__ = ["KINDS", "Product", "measure"]

Kind = Literal["result", "gradient of the input", "gradient of the weights"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PROJECTIONS = {"in": (D_MODEL, 2 * INNER), "out": (INNER, D_MODEL)}
TIMES = 5
"""Products in one measurement."""


@dataclass(frozen=True)
class Product:
    """A matrix product with some number of rows, into allocated memory."""

    name: str
    kind: Kind
    projection: str
    rows: int

    @property
    def size(self) -> tuple[int, ...]:
        return (self.rows,)

    @property
    def gflop(self) -> float:
        wide, out = PROJECTIONS[self.projection]
        return 2 * self.rows * wide * out / 1e9

    def small(self) -> Self:
        return replace(self, rows=64)

    def prepare(self) -> Callable[[], object]:
        torch.manual_seed(0)
        wide, out = PROJECTIONS[self.projection]
        x, y, weight = torch.randn(self.rows, wide), torch.randn(self.rows, out), torch.randn(out, wide)
        runs: dict[tuple[str, Kind], Callable[[], object]] = {
            ("epigx", "result"): lambda: out_ops.linear(x, weight, y),
            ("library", "result"): lambda: torch.mm(x, weight.T, out=y),
            ("epigx", "gradient of the input"): lambda: out_ops.linear_backward(y, weight, x),
            ("library", "gradient of the input"): lambda: torch.mm(y, weight, out=x),
            ("epigx", "gradient of the weights"): lambda: out_ops.weight_gradient(y, x),
            # The wider factor on the right is faster.
            ("library", "gradient of the weights"): lambda: torch.mm(*((x.T, y) if out > wide else (y.T, x))),
        }
        run = runs[self.name, self.kind]
        return lambda: [run() for _ in range(TIMES)]


def measure(rows: int, projections: tuple[str, ...], effort: Effort) -> list[dict[str, Any]]:
    """Compare each product of a block's projections (``in`` and ``out``, or one of them)."""
    found = []
    for projection in projections:
        for kind in KINDS:
            products = {name: Product(name, kind, projection, rows) for name in ("epigx", "library")}
            cases: dict[str, Case] = dict(products)
            row = compare(cases, effort._replace(rounds=3 * effort.rounds))
            for name, own in row["competitors"].items():
                own["gflops"] = TIMES * products[name].gflop / own["seconds"]
            found.append(row | {"projection": projection, "kind": kind, "rows": rows})
    return found
