"""The complete configuration of a run from the arguments of a call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from epigx.dataset.manifest.split import fold as fold_of
from epigx.dataset.store import Dataset, open_dataset
from epigx.errors import ConfigError
from epigx.recipes.data import Scale
from epigx.recipes.registry import find_recipe
from epigx.runs.config import RunConfig

__all__ = ["configure", "seconds_of"]


def configure(
    recipe: str,
    *,
    data: Path | None,
    cell_types: Sequence[str] = (),
    seed: int | None = None,
    steps: int | None = None,
    window: int | None = None,
    scale: Scale | None = None,
    fold: int | None = None,
    settings: Sequence[str] = (),
) -> RunConfig:
    """Return the configuration that a recipe (or a saved configuration) and the options describe.

    The recipe decides what no option sets. Two defaults come from the dataset: its cell type if it has only one, and
    its window if it is shorter than the recipe's. Fewer ``steps`` shorten the warm-up in proportion.

    Raises
    ------
    ConfigError
        There is no such recipe, no dataset is given, the cell type is not clear, or a setting is invalid.
    """
    words: dict[str, str] = {}  # an assignment, and the option that sets it
    if recipe.endswith((".yaml", ".yml")):
        if scale:
            raise ConfigError(
                f"--scale {scale} needs the name of a recipe; {recipe} sets the size of its network itself."
            )
        config = RunConfig.load(recipe)
        words |= {f"data.path={json.dumps(str(data))}": f"--data {data}"} if data else {}
        words |= {f"data.cell_types={json.dumps(list(cell_types))}": "--cell-type"} if cell_types else {}
        words |= {f"data.window={window}": f"--window {window}"} if window is not None else {}
        if seed is not None:
            config = config.model_copy(update={"method": config.method.with_seed(seed)})
    else:
        config = _from_recipe(recipe, data, cell_types, seed, window, scale or "paper")
    if fold is not None:
        words[f"data.split={fold_of(fold).model_dump_json()}"] = f"--fold {fold}"
    if steps is not None:
        words |= dict.fromkeys(config.method.with_steps(steps), f"--steps {steps}")
    return config.override(*words, *settings, typed=words)


def seconds_of(text: str) -> float:
    """Parse a duration in seconds, or with the unit s, m, h or d.

    Examples
    --------
    >>> seconds_of("90"), seconds_of("30m"), seconds_of("1.5h")
    (90.0, 1800.0, 5400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip().lower())
    if not found:
        raise ConfigError(f"--max-time {text!r} is not a duration. Write 90s, 30m, 12h or 2d.")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def _from_recipe(
    recipe: str,
    data: Path | None,
    cell_types: Sequence[str],
    seed: int | None,
    window: int | None,
    scale: Scale,
) -> RunConfig:
    make_run = find_recipe(recipe)
    if data is None:
        raise ConfigError(f"The recipe {recipe!r} needs a dataset. Add --data FOLDER (made with `epigx build`).")
    dataset = open_dataset(data)
    make: Callable[..., RunConfig] = partial(
        make_run,
        data=data,
        cell_type=list(cell_types) or _only_cell_type(dataset),
        scale=scale,
        **({} if seed is None else {"seed": seed}),
    )
    # Twice, because the window may be a setting of the model.
    return make(window=min(make().data.window or dataset.window, dataset.window) if window is None else window)


def _only_cell_type(dataset: Dataset) -> str:
    if len(dataset.cell_types) > 1:
        raise ConfigError(
            f"{dataset.path} has several cell types ({', '.join(dataset.cell_types)}). Choose with --cell-type."
        )
    return dataset.cell_types[0]
