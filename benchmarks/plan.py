"""What the two commands measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.measure import Effort

__all__ = ["FULL", "QUICK", "Comparison", "Plan"]

OURS = ("epigx", "epigx, torch")
LINEAR = ("mambapy", "transformers + mambapy", "loop, unbind")
QUADRATIC = ("transformers", "loop, indexed")


class Comparison(NamedTuple):
    """Implementations and the sizes at which they are compared."""

    sizes: list[tuple[int, int]]
    """Windows or genes, and bp."""
    names: tuple[str, ...]
    default_settings: tuple[str, ...] = ()
    """Those that are measured a second time without epigx's memory settings."""


@dataclass(frozen=True)
class Plan:
    """Sizes, implementations and limits of a run."""

    effort: Effort
    product_rows: int
    projections: tuple[str, ...]
    block: list[Comparison]
    step: list[Comparison]
    scaling: list[int]
    scaling_competitors: dict[int, tuple[str, ...]]
    inference: list[Comparison]
    chromosomes: tuple[str, ...] | None
    """Chromosomes of the readers; None: all, and whole builds are timed, too."""


QUICK = Plan(
    effort=Effort(rounds=5, patience=20, seconds=60, gibibytes=12),
    product_rows=16_000,
    projections=("in",),
    block=[
        Comparison([(1, 500)], ("epigx", "loop, indexed")),
        Comparison([(1, 2000)], (*OURS, "mambapy"), ("mambapy",)),
        Comparison([(8, 2000)], ("epigx",)),
    ],
    step=[Comparison([(8, 2000)], ("epigx",)), Comparison([(1, 500)], ("epigx", "mambapy"))],
    scaling=[2_000, 20_000],
    scaling_competitors={},
    inference=[Comparison([(2, 2000)], ("epigx", "mambapy"))],
    chromosomes=("chr21",),
)

FULL = Plan(
    effort=Effort(rounds=5, patience=330, seconds=90, gibibytes=16),
    product_rows=16_000,
    projections=("in", "out"),
    block=[
        Comparison([(8, 2000)], (*OURS, "epigx, reference", *LINEAR, *QUADRATIC), ("epigx", *LINEAR)),
        Comparison([(8, 500)], (*OURS, "epigx, reference", *LINEAR, *QUADRATIC), ("epigx", "mambapy", "loop, indexed")),
        Comparison([(24, 500), (24, 2000), (8, 8000), (24, 8000)], ("epigx", "mambapy")),
    ],
    step=[
        Comparison([(1, 500), (1, 2000)], (*OURS, *LINEAR), ("epigx", "mambapy")),
        Comparison([(1, 8000), (8, 500), (8, 2000), (24, 500), (24, 2000)], ("epigx", "mambapy")),
    ],
    scaling=[2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000],
    scaling_competitors={10_000: ("mambapy", "loop, unbind")},
    inference=[
        Comparison([(8, 2000)], (*OURS, *LINEAR), ("epigx", "mambapy")),
        Comparison([(32, 2000)], ("epigx",)),
    ],
    chromosomes=None,
)
