"""The complete configuration of a run from the arguments of a call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from epigx.dataset.manifest.split import fold as fold_of
from epigx.dataset.store import Dataset, open_dataset
from epigx.errors import ConfigError, DatasetError, did_you_mean
from epigx.recipes.data import Scale
from epigx.recipes.registry import find_recipe, recipe_names
from epigx.runs.config import RunConfig

__all__ = ["check_names", "configure", "seconds_of"]

_SAVED = (".yaml", ".yml")


def check_names(recipe: str, data: Path | None, cell_types: Sequence[str], *, each: bool = False) -> Dataset | None:
    """Check the names of the recipe, the dataset and the cell types, and return the dataset, without importing torch.

    A recipe may also be a saved configuration (YAML), which may name its own dataset and cell types. With ``each``, a
    run for each cell type is asked for, so that none needs to be chosen.

    Raises
    ------
    ConfigError
        There is no such recipe, no dataset is given, or the dataset has several cell types and none is chosen.
    DatasetError
        The folder is not a dataset, or has no such cell type.
    """
    saved = recipe.endswith(_SAVED)
    if not saved and not {recipe, recipe.replace("_", "-")} & set(known := recipe_names()):
        raise ConfigError(f"There is no recipe {recipe!r}.{did_you_mean(recipe, known)}")
    if data is None:
        if not saved:
            raise ConfigError(f"The recipe {recipe!r} needs a dataset. Add --data FOLDER (made with `epigx build`).")
        return None
    dataset = open_dataset(data)
    for cell_type in cell_types:
        if cell_type not in dataset.cell_types:
            choice = did_you_mean(cell_type, dataset.cell_types)
            raise DatasetError(f"{dataset.path} has no cell type {cell_type!r}.{choice}")
    if not (cell_types or saved or each) and len(dataset.cell_types) > 1:
        raise ConfigError(
            f"{dataset.path} has several cell types ({', '.join(dataset.cell_types)}). Choose with --cell-type."
        )
    return dataset


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
        As of :func:`check_names`; or a setting is invalid.
    """
    dataset = check_names(recipe, data, cell_types)
    words: dict[str, str] = {}  # an assignment, and the option that sets it
    if dataset is None or recipe.endswith(_SAVED):
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
        make: Callable[..., RunConfig] = partial(
            find_recipe(recipe),
            data=str(data),
            cell_type=cell_types or dataset.cell_types,
            scale=scale or "paper",
            **({} if seed is None else {"seed": seed}),
        )
        # Twice, because the window may be a setting of the model.
        own = min(make().data.window or dataset.window, dataset.window) if window is None else window
        config = make(window=own)
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
