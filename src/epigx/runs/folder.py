"""The folder of a run: configuration, model, scores and provenance.

======================= ============================================================================================
``config.yaml``         the complete :class:`~epigx.runs.config.RunConfig`
``inputs.yaml``         what the model reads: window, signals with their transforms, features with their scaling
``model/``              the fitted model, in files of its method (``weights.safetensors``, ``trees.txt``, …)
``metrics.json``        its validation metrics
``predictions.parquet`` its predictions for the validation genes
``log.csv``             one row per validation, of methods that train in steps
``provenance.json``     data, genes, versions, kernel, seed, duration, checksums
``checkpoints/``        ``last.ckpt``, from which training continues
======================= ============================================================================================

Runs of epigx 0.1 have their weights in the same folder as ``config.yaml``; they can still be read. Reading a
run executes no code from its files, and nothing here imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from epigx.config import Config
from epigx.dataset.inputs import Inputs
from epigx.dataset.store import digest
from epigx.errors import ConfigError, RunError
from epigx.runs.config import RunConfig
from epigx.runs.method import FittedModel
from epigx.runs.provenance import Provenance
from epigx.system.atomic import atomic_file, atomic_folder

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
        The configuration.
    inputs : Inputs
        What the model reads, as it was fitted on the training genes.
    metrics : mapping
        ``mse``, ``mae``, ``pearson`` and ``n_genes`` of the validation genes, at ``step``.
    provenance : Provenance
        Data, software and duration of the training.
    """

    path: Path
    config: RunConfig = field(repr=False)
    inputs: Inputs = field(repr=False)
    metrics: Mapping[str, Any]
    provenance: Provenance = field(repr=False)

    @property
    def finished(self) -> bool:
        """Whether training reached its last step."""
        return self.provenance.finished

    @property
    def log(self) -> pd.DataFrame:
        """One row per validation; empty for imported weights and for methods that do not train in steps."""
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
            raise RunError(f"{path} cannot be read: {error}. {_REPAIR}") from None

    @cached_property
    def fitted(self) -> FittedModel:
        """The fitted model, read once.

        Raises
        ------
        RunError
            Its files are damaged, or belong to another model than ``config.yaml`` describes.
        """
        # First, because a library may crash on a damaged file of its own format.
        _check_unchanged(self.path, [n for n in self.provenance.sha256 if not n.endswith(".yaml")], self.provenance)
        return self.config.method.load_fitted(_model_folder(self.path), self.inputs)

    def model(self) -> Any:
        """Return the trained network of a run of the method ``network``, in evaluation mode: a plain ``nn.Module``.

        Raises
        ------
        RunError
            The run has no network; or its weights are damaged.
        """
        return self._network("model")

    def objective(self) -> Any:
        """Return the network's objective with what it learned (the confounder encoder g_ω); errors as of ``model``."""
        return self._network("objective")

    def _network(self, name: str) -> Any:
        networks = getattr(self.fitted, "networks", None)
        if networks is None:
            raise RunError(f"{self.path} is a run of {self.config.method.label} and has no network. Use run.fitted.")
        return getattr(networks, name)

    def _repr_html_(self) -> str:
        scores = ", ".join(f"{name} {value:.3f}" for name, value in self.metrics.items() if isinstance(value, float))
        rows = {
            "run": str(self.path),
            "method": self.config.method.label,
            "inputs": f"{self.inputs.window:,} bp; {', '.join(s.name for s in self.inputs.signals) or 'no signals'}",
            "cell types": ", ".join(self.provenance.cell_types),
            "validation": scores,
        }
        cells = "".join(f"<tr><th>{key}</th><td>{escape(value)}</td></tr>" for key, value in rows.items())
        return f"<table>{cells}</table>"


def open_run(path: str | Path) -> Run:
    """Open a run's folder; the model is read when :attr:`Run.fitted` is used.

    Raises
    ------
    RunError
        The folder is not a run, is incomplete or damaged, or its training has not reached its first validation.
    """
    path = Path(path)
    if not (path / "config.yaml").is_file():
        raise RunError(f"{path} is not a run: it has no config.yaml. Make one with `epigx train`.")
    for name in ("inputs.yaml", "metrics.json", "provenance.json"):
        if not (path / name).is_file():
            raise RunError(_missing(path, name))
    run = Run(
        path=path,
        config=_read(RunConfig, path / "config.yaml"),
        inputs=_read(Inputs, path / "inputs.yaml"),
        metrics=_read_json(path / "metrics.json"),
        provenance=_read(Provenance, path / "provenance.json"),
    )
    for name in run.provenance.sha256:
        if not (path / name).is_file():
            raise RunError(_missing(path, name))
    _check_unchanged(path, ["config.yaml", "inputs.yaml"], run.provenance)
    return run


def write_run(folder: str | Path, *, force: bool = False, **content: Any) -> Run:
    """Write a whole run at once (of imported weights, say): the folder appears complete, or not at all.

    Parameters
    ----------
    **content
        As of :func:`write_files`.

    Raises
    ------
    InputError
        The folder exists and ``force`` is false, or it cannot be written.
    """
    folder = Path(folder)
    with atomic_folder(folder, replace=force) as partial:
        write_files(partial, **content)
    return open_run(folder)


def write_files(
    folder: Path,
    *,
    config: RunConfig,
    inputs: Inputs,
    fitted: FittedModel,
    metrics: Mapping[str, Any],
    provenance: Provenance,
    predictions: pd.DataFrame | None = None,
) -> None:
    """Write a run's files into a folder that exists, each atomically; ``provenance.json`` last."""
    write_text(folder / "config.yaml", config.dump())
    write_text(folder / "inputs.yaml", inputs.dump())
    model = folder / "model"
    model.mkdir(exist_ok=True)
    fitted.save(model)
    if fitted.facts.log is not None:
        write_text(folder / "log.csv", fitted.facts.log.to_csv(index=False))
    if predictions is not None:
        with atomic_file(folder / "predictions.parquet") as partial:
            predictions.to_parquet(partial, index=False)
    write_text(folder / "metrics.json", _json(dict(metrics)))
    deciding = [folder / "config.yaml", folder / "inputs.yaml", *sorted(p for p in model.rglob("*") if p.is_file())]
    checksums = {path.relative_to(folder).as_posix(): digest(path).sha256 for path in deciding}
    write_text(folder / "provenance.json", _json(provenance.model_dump(mode="json") | {"sha256": checksums}))


def write_text(path: Path, text: str) -> None:
    """Write a small file atomically."""
    with atomic_file(path) as partial:
        partial.write_text(text)


def remove_partials(folder: Path) -> None:
    """Remove files that a killed process left unfinished; no other process may be writing the run."""
    for name in ("*.yaml", "*.json", "*.csv", "*.parquet", "model/*", "checkpoints/*.ckpt"):
        subfolder, _, pattern = name.rpartition("/")
        for partial in (folder / subfolder).glob(f".{pattern}.*"):
            partial.unlink(missing_ok=True)


_REPAIR = "Train the run again, or copy its folder again from the original."


def _model_folder(run: Path) -> Path:
    """Return where the model's files are; for runs of epigx 0.1, the run's folder."""
    return run / "model" if (run / "model").is_dir() else run


def _check_unchanged(folder: Path, names: list[str], provenance: Provenance) -> None:
    """Refuse files that changed after the run was written: a truncated YAML file can still be valid."""
    for name in names:
        if name in provenance.sha256 and digest(folder / name).sha256 != provenance.sha256[name]:
            raise RunError(f"The run is damaged: {folder / name} was changed since it was written. {_REPAIR}")


def _missing(path: Path, name: str) -> str:
    if not (path / "provenance.json").is_file():  # the last to be written
        return (
            f"{path} has no {name} yet: it is still training or was stopped early. Wait for it, or continue it with "
            "`epigx train --resume`."
        )
    return f"{path / name} is missing. {_REPAIR}"


def _read(kind: type[C], path: Path) -> C:
    try:
        return kind.parse(_read_json(path), source=str(path)) if path.suffix == ".json" else kind.load(path)
    except ConfigError as error:
        raise RunError(f"The run is damaged: {error}") from None


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise RunError(f"{path} is not valid JSON: {error}. {_REPAIR}") from None


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
