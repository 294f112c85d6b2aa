"""Checks of ``epigx train`` that need no torch, so that a typing error is reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from epigx.errors import ConfigError, DatasetError, did_you_mean

__all__ = ["check_early"]


def check_early(recipe: str, data: Path | None, cell_types: Sequence[str]) -> None:
    """Check the names of the recipe, the dataset and the cell types.

    Parameters
    ----------
    recipe : str
        Name of a recipe, or the path of a configuration (YAML), whose own dataset and cell types are checked later.
    data : Path, optional
        The dataset folder.
    cell_types : sequence of str
        Cell types to train on; empty: the only one of the dataset.

    Raises
    ------
    ConfigError
        There is no such recipe, no dataset is given, or the dataset has several cell types and none is chosen.
    DatasetError
        The folder is not a dataset, or has no such cell type.
    """
    from epigx.recipes.registry import recipe_names

    saved = recipe.endswith((".yaml", ".yml"))
    if not saved and not {recipe, recipe.replace("_", "-")} & set(known := recipe_names()):
        raise ConfigError(f"There is no recipe {recipe!r}.{did_you_mean(recipe, known)}")
    if data is None:
        if not saved:
            raise ConfigError(f"The recipe {recipe!r} needs a dataset. Add --data FOLDER (made with `epigx build`).")
        return
    from epigx.dataset.store import open_dataset

    dataset = open_dataset(data)
    for cell_type in cell_types:
        if cell_type not in dataset.cell_types:
            choice = did_you_mean(cell_type, dataset.cell_types)
            raise DatasetError(f"{dataset.path} has no cell type {cell_type!r}.{choice}")
    if not (cell_types or saved) and len(dataset.cell_types) > 1:
        raise ConfigError(
            f"{dataset.path} has several cell types ({', '.join(dataset.cell_types)}). Choose with --cell-type."
        )
