"""What the two commands measure: a quick look, and everything."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.measure import Effort

__all__ = ["FULL", "QUICK", "Plan"]

Sizes = list[tuple[int, int]]

OURS = ("epigx", "epigx, torch")
LINEAR = ("mambapy", "transformers + mambapy", "loop, unbind")
QUADRATIC = ("transformers", "loop, indexed")


@dataclass(frozen=True)
class Plan:
    """Sizes (windows or genes, bp) with the rivals that are measured there, and the patience with each."""

    effort: Effort
    product_rows: int
    block: list[tuple[Sizes, tuple[str, ...]]]
    step: list[tuple[Sizes, tuple[str, ...]]]
    scaling: list[int]
    scaling_rivals: dict[int, tuple[str, ...]]
    inference: list[tuple[Sizes, tuple[str, ...]]]
    chromosomes: tuple[str, ...] | None
    """On which files are read gene by gene; None: on all, and beside whole builds."""


QUICK = Plan(
    effort=Effort(rounds=5, patience=20, seconds=60, gibibytes=12),
    product_rows=16_000,
    block=[
        ([(1, 500)], ("epigx", "loop, indexed")),
        ([(8, 500), (1, 2000)], (*OURS, "mambapy")),
        ([(8, 2000)], ("epigx",)),
    ],
    step=[([(8, 2000)], ("epigx",)), ([(1, 500)], ("epigx", "mambapy"))],
    scaling=[2_000, 20_000],
    scaling_rivals={},
    inference=[([(2, 2000)], ("epigx", "mambapy"))],
    chromosomes=("chr21",),
)

FULL = Plan(
    effort=Effort(rounds=5, patience=85, seconds=90, gibibytes=16),
    product_rows=16_000,
    block=[
        ([(8, 500), (8, 2000)], (*OURS, "epigx, reference", *LINEAR, *QUADRATIC)),
        ([(24, 500), (24, 2000), (8, 8000), (24, 8000)], ("epigx", "mambapy")),
    ],
    step=[
        ([(1, 500), (1, 2000)], (*OURS, *LINEAR)),
        ([(1, 8000), (8, 500), (8, 2000), (24, 500), (24, 2000)], ("epigx", "mambapy")),
    ],
    scaling=[2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000],
    scaling_rivals={10_000: ("mambapy", "loop, unbind")},
    inference=[([(8, 2000)], (*OURS, *LINEAR)), ([(32, 2000)], ("epigx",))],
    chromosomes=None,
)
