"""A run is a folder: what was asked for, what came out, and where it comes from.

======================= ============================================================================================
``config.yaml``         the complete :class:`~epigx.runs.config.RunConfig`
``inputs.yaml``         what the model reads: window, signals with their transforms, features with their scaling
``weights.safetensors`` ``model.*`` and ``objective.*`` at the best validation
``metrics.json``        the validation metrics of that step
``predictions.parquet`` its predictions for the validation genes
``log.csv``             one row per validation
``provenance.json``     data, genes, versions, kernel, seed, duration
``checkpoints/``        ``last.ckpt``, from which training goes on
======================= ============================================================================================

Nothing here needs Lightning, and nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from torch import nn

from epigx.config import Config
from epigx.dataset.inputs import Inputs
from epigx.dataset.store import digest
from epigx.errors import ConfigError, RunError
from epigx.runs.config import RunConfig
from epigx.runs.provenance import Provenance
from epigx.system.atomic import atomic_file, atomic_folder
from epigx.training.weights import Networks, build_networks, read_weights, weight_names, write_weights

__all__ = ["Run", "open_run", "remove_partials", "write_files", "write_run", "write_text"]

C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Run:
    """A run read back from its folder.

    Parameters
    ----------
    path : Path
        The folder.
    config : RunConfig
        What was asked for.
    inputs : Inputs
        What the model reads, as it was fitted on the training genes.
    metrics : mapping
        ``mse``, ``mae``, ``pearson`` and ``n_genes`` of the validation genes, at ``step``.
    provenance : Provenance
        Where it comes from.
    """

    path: Path
    config: RunConfig = field(repr=False)
    inputs: Inputs = field(repr=False)
    metrics: Mapping[str, Any]
    provenance: Provenance = field(repr=False)

    @property
    def finished(self) -> bool:
        """Whether training came to its last step."""
        return self.provenance.finished

    @property
    def log(self) -> pd.DataFrame:
        """One row per validation; empty for imported weights."""
        path = self.path / "log.csv"
        return pd.read_csv(path) if path.is_file() else pd.DataFrame()

    @property
    def predictions(self) -> pd.DataFrame:
        """Predictions for the validation genes; empty for imported weights."""
        path = self.path / "predictions.parquet"
        if not path.is_file():
            return pd.DataFrame()
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}. {_MEND}") from None

    def model(self) -> nn.Module:
        """Return the trained model, in evaluation mode: ``model(batch).expression``.

        Raises
        ------
        RunError
            The weights are damaged, or of another model than ``config.yaml`` describes.
        """
        return self._networks().model

    def objective(self) -> nn.Module:
        """Return the objective with what it learned (the confounder encoder g_ω), in evaluation mode.

        Raises
        ------
        RunError
            The weights are damaged, or of another objective than ``config.yaml`` describes.
        """
        return self._networks().objective

    def _networks(self) -> Networks:
        networks = build_networks(self.config, self.inputs)
        read_weights(self.path / "weights.safetensors", networks)
        _check_unchanged(self.path, ["weights.safetensors"], self.provenance)
        return Networks(networks.model.eval(), networks.objective.eval())


def open_run(path: str | Path) -> Run:
    """Open a run's folder; the weights are read when :meth:`Run.model` is called.

    Raises
    ------
    RunError
        The folder is not a run, is incomplete or damaged, or training has not come to its first validation.
    """
    path = Path(path)
    if not (path / "config.yaml").is_file():
        raise RunError(f"{path} is not a run: it has no config.yaml. Make one with `epigx train`.")
    for name in ("inputs.yaml", "weights.safetensors", "metrics.json", "provenance.json"):
        if not (path / name).is_file():
            raise RunError(_missing(path, name))
    weight_names(path / "weights.safetensors")
    run = Run(
        path=path,
        config=_read(RunConfig, path / "config.yaml"),
        inputs=_read(Inputs, path / "inputs.yaml"),
        metrics=_read_json(path / "metrics.json"),
        provenance=_parse(Provenance, path / "provenance.json"),
    )
    _check_unchanged(path, ["config.yaml", "inputs.yaml"], run.provenance)
    return run


def write_run(
    folder: str | Path,
    *,
    config: RunConfig,
    inputs: Inputs,
    model: nn.Module,
    objective: nn.Module,
    metrics: Mapping[str, Any],
    provenance: Provenance,
    log: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
    force: bool = False,
) -> Run:
    """Write a whole run at once (of imported weights, say): the folder is there with all it holds, or not at all.

    Raises
    ------
    InputError
        The folder exists and ``force`` is false, or it cannot be written.
    """
    folder = Path(folder)
    with atomic_folder(folder, replace=force) as partial:
        write_files(
            partial,
            config=config,
            inputs=inputs,
            networks=Networks(model, objective),
            metrics=metrics,
            provenance=provenance,
            log=log,
            predictions=predictions,
        )
    return open_run(folder)


def write_files(
    folder: Path,
    *,
    config: RunConfig,
    inputs: Inputs,
    networks: Networks,
    metrics: Mapping[str, Any],
    provenance: Provenance,
    log: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
) -> None:
    """Write a run's files into a folder that exists, each at once; ``provenance.json`` last."""
    write_text(folder / "config.yaml", config.dump())
    write_text(folder / "inputs.yaml", inputs.dump())
    write_weights(folder / "weights.safetensors", networks)
    if log is not None:
        write_text(folder / "log.csv", log.to_csv(index=False))
    if predictions is not None:
        with atomic_file(folder / "predictions.parquet") as partial:
            predictions.to_parquet(partial, index=False)
    write_text(folder / "metrics.json", _json(dict(metrics)))
    checksums = {name: digest(folder / name).sha256 for name in _DECIDING}
    write_text(folder / "provenance.json", _json(provenance.model_dump(mode="json") | {"sha256": checksums}))


def write_text(path: Path, text: str) -> None:
    """Write a small file at once."""
    with atomic_file(path) as partial:
        partial.write_text(text)


def remove_partials(folder: Path) -> None:
    """Remove what a process was writing when it was killed, from a run that nobody writes to now."""
    for name in ("*.yaml", "*.json", "*.csv", "*.parquet", "*.safetensors", "checkpoints/*.ckpt"):
        place, _, pattern = name.rpartition("/")
        for partial in (folder / place).glob(f".{pattern}.*"):
            partial.unlink(missing_ok=True)


_DECIDING = ("config.yaml", "inputs.yaml", "weights.safetensors")
_MEND = "Train the run again, or copy its folder again from where it came."


def _check_unchanged(folder: Path, names: list[str], provenance: Provenance) -> None:
    """Refuse files that are not those the run was written with: a shortened YAML can still be a valid one.

    Raises
    ------
    RunError
        A file's checksum is not the one in ``provenance.json``.
    """
    for name in names:
        if name in provenance.sha256 and digest(folder / name).sha256 != provenance.sha256[name]:
            raise RunError(f"The run is damaged: {folder / name} was changed since it was written. {_MEND}")


def _missing(path: Path, name: str) -> str:
    if not (path / "provenance.json").is_file():  # the last to be written
        return f"{path} has no {name} yet: its training was broken off. Go on with `epigx train --resume`."
    return f"{path / name} is missing. {_MEND}"


def _read(kind: type[C], path: Path) -> C:
    try:
        return kind.load(path)
    except ConfigError as error:
        raise RunError(f"The run is damaged: {error}") from None


def _parse(kind: type[C], path: Path) -> C:
    try:
        return kind.parse(_read_json(path), source=str(path))
    except ConfigError as error:
        raise RunError(f"The run is damaged: {error}") from None


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise RunError(f"{path} is not valid JSON: {error}. {_MEND}") from None


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
