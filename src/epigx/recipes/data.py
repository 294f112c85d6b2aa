"""What all recipes share: their arguments, windows, scales and seeds; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from epigx.runs.config import DataConfig, RunConfig

__all__ = ["LONG", "SEEDS", "SHORT", "SMALL", "Recipe", "Scale", "Window", "recipe"]

SHORT, LONG = 2_000, 200_000
"""Windows in bp: InFER's, and that of Seq2Exp and of the systems it was compared with, whose results Table 1 cites."""

SMALL = 256
"""Window in bp of all systems at the small scale."""

SEEDS = (2, 22, 222, 2222, 22222)
"""The five seeds of the paper's means and standard deviations (section 4)."""

Scale = Literal["paper", "small"]

Window = int | Literal["recipe"] | None
"""Central base pairs to read; ``"recipe"``: the recipe's own length; ``None``: the dataset's whole window."""


_Configure = Callable[[DataConfig, int, Scale], RunConfig]


class Recipe:
    """A named configuration of a run: call it with a dataset and cell types.

    Parameters
    ----------
    configure : callable
        Returns the configuration from data settings, seed and scale. The recipe takes its name and documentation.
    published : int or None, bp
        Window at the paper's scale; None: the dataset's whole window at either scale.
    """

    __name__: str

    def __init__(self, configure: _Configure, published: int | None) -> None:
        self._configure, self._published = configure, published
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(self, name, getattr(configure, name))

    def __repr__(self) -> str:
        return f"<recipe {self.__name__}>"

    def __call__(
        self,
        *,
        data: str | Path,
        cell_type: str | Iterable[str],
        seed: int = 2,
        window: Window = "recipe",
        scale: Scale = "paper",
    ) -> RunConfig:
        """Return the configuration.

        Parameters
        ----------
        data : str or Path
            Folder of the dataset.
        cell_type : str or iterable of str
            Cell types to train on.
        seed : int
            Seed of weights and gene order; the paper uses 2, 22, 222, 2222 and 22222. Baselines do not depend on it.
        window : int, "recipe" or None, bp
            Central part of the dataset's window to read. The default is that of the paper, 2 kb (200 kb for Seq2Exp
            and systems on DNA only), or 256 bp at the small scale; baselines read the whole window. ``None`` reads the
            whole window.
        scale : {"paper", "small"}
            Width, depth and training as published, or reduced to minutes on a CPU. Baselines do not depend on it.
        """
        cell_types = (cell_type,) if isinstance(cell_type, str) else tuple(cell_type)
        own = SMALL if scale == "small" and self._published is not None else self._published
        read = own if window == "recipe" else window
        values = {"path": str(data), "cell_types": cell_types, "window": read}
        return self._configure(DataConfig.parse(values), seed, scale)


def recipe(published: int | None) -> Callable[[_Configure], Recipe]:
    """Turn a function of data settings, seed and scale into a recipe; see :class:`Recipe`."""
    return lambda configure: Recipe(configure, published)
