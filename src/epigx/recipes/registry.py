"""The recipes by the name that the command line uses; each is imported on first use."""

from __future__ import annotations

from epigx import recipes
from epigx.errors import ConfigError, did_you_mean
from epigx.recipes.data import Recipe, Scale, recipe
from epigx.runs.config import DataConfig, RunConfig
from epigx.runs.method import Method

__all__ = ["RECIPES", "find_recipe", "recipe_names"]

RECIPES = (
    "boosting", "ridge", "activity",
    "infer", "caduceus-signals", "prism", "caduceus", "mamba", "hyenadna", "enformer",
    "seq2exp-soft", "seq2exp-hard", "macs3-mask", "epinformer",
)  # fmt: skip
"""All recipes of epigx; their functions have underscores."""


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
    if name.replace("_", "-") in RECIPES:
        found: Recipe = getattr(recipes, name.replace("-", "_"))
        return found
    if (method := Method.find(name)) is not None and name not in Method.builtin:
        return _default(method)
    raise ConfigError(f"There is no recipe {name!r}.{did_you_mean(name, recipe_names())}")


def _default(method: type[Method]) -> Recipe:
    @recipe(None)
    def default(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
        """Return the method with its default settings."""
        return RunConfig(data=data, method=method().with_seed(seed))

    return default
