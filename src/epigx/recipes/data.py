"""Windows, scales and data settings that all recipes share; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from epigx.runs.config import DataConfig

__all__ = ["LONG", "SEEDS", "SHORT", "SMALL", "Scale", "Window", "choose_data"]

SHORT, LONG = 2_000, 200_000
"""Windows in bp: InFER's, and that of Seq2Exp and of the systems it was compared with, whose results Table 1 cites."""

SMALL = 256
"""Window in bp of all systems at the small scale."""

SEEDS = (2, 22, 222, 2222, 22222)
"""The five seeds of the paper's means and standard deviations (section 4)."""

Scale = Literal["paper", "small"]

Window = int | Literal["recipe"] | None
"""Central base pairs to read; ``"recipe"``: the recipe's own length; ``None``: the dataset's whole window."""


def choose_data(
    data: str | Path, cell_type: str | Iterable[str], window: Window, scale: Scale, published: int | None
) -> DataConfig:
    """Return what a run reads; ``published`` is the window at the paper's scale, None the dataset's whole window."""
    cell_types = (cell_type,) if isinstance(cell_type, str) else tuple(cell_type)
    read = (SMALL if scale == "small" else published) if window == "recipe" else window
    return DataConfig.parse({"path": str(data), "cell_types": cell_types, "window": read})
