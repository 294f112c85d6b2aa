"""The recipes by the name that the command line uses; each is imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from epigx.errors import ConfigError, did_you_mean
from epigx.recipes.data import choose_data
from epigx.runs.config import RunConfig
from epigx.runs.method import Method

__all__ = ["RECIPES", "Recipe", "find_recipe", "recipe_names"]

Recipe = Callable[..., RunConfig]
"""A function of the keywords ``data``, ``cell_type``, ``seed``, ``window`` and ``scale``."""


@dataclass(frozen=True)
class _Entry:
    module: str
    summary: str


RECIPES: dict[str, _Entry] = {
    "boosting": _Entry("baselines", "gradient boosting on binned signals: start here"),
    "ridge": _Entry("baselines", "ridge regression on the same columns"),
    "activity": _Entry("baselines", "a line through promoter activity"),
    "infer": _Entry("models", "InFER, the paper's method"),
    "caduceus-signals": _Entry("models", "the same network without intervention"),
    "prism": _Entry("models", "InFER as in the later official code"),
    "caduceus": _Entry("models", "Caduceus on DNA only"),
    "mamba": _Entry("models", "Mamba on DNA only"),
    "hyenadna": _Entry("models", "HyenaDNA on DNA only"),
    "enformer": _Entry("models", "Enformer on DNA only"),
    "seq2exp-soft": _Entry("selection", "Seq2Exp with a soft mask"),
    "seq2exp-hard": _Entry("selection", "Seq2Exp with a hard mask"),
    "macs3-mask": _Entry("selection", "DNA and signals in accessibility peaks only"),
    "epinformer": _Entry("elements", "EPInformer, on candidate enhancers"),
}
"""All recipes of epigx: module of :mod:`epigx.recipes`, and what it is."""


def recipe_names() -> list[str]:
    """Return the names that :func:`find_recipe` knows: the recipes, then the methods of installed packages."""
    return [*RECIPES, *(name for name in Method.names() if name not in Method.builtin)]


def find_recipe(name: str) -> Recipe:
    """Return a recipe by its name, with dashes or underscores, or the default settings of a plug-in's method.

    Raises
    ------
    ConfigError
        There is no such recipe or method.
    """
    dashed = name.replace("_", "-")
    if dashed in RECIPES:
        module = import_module(f"epigx.recipes.{RECIPES[dashed].module}")
        found: Recipe = getattr(module, dashed.replace("-", "_"))
        return found
    if (method := Method.find(name)) is not None and name not in Method.builtin:
        return partial(_default, method)
    raise ConfigError(f"There is no recipe {name!r}.{did_you_mean(name, recipe_names())}")


def _default(method: type[Method], *, data: str | Path, cell_type: Any, seed: int = 2, **sizes: Any) -> RunConfig:
    where = choose_data(data, cell_type, sizes.get("window", "recipe"), "paper", None)
    return RunConfig(data=where, method=method().with_seed(seed))
