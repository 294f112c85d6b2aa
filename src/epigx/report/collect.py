"""The contents of a report as plain values: scores with and without each signal, settings and provenance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.store import Dataset
from epigx.errors import ConfigError
from epigx.evaluation.ablate import drop_signals
from epigx.evaluation.evaluate import Evaluation
from epigx.evaluation.target import Target
from epigx.metrics import Estimate
from epigx.runs.folder import Run
from epigx.runs.provenance import Provenance

__all__ = ["DatasetContents", "RunContents", "gather_dataset", "gather_run", "names_of"]

Values = NDArray[np.floating[Any]]

COVERAGE_BASES = 2**20
"""Base pairs whose signals are read at a time."""


@dataclass(frozen=True)
class RunContents:
    """One run."""

    name: str  # on the page
    about: str  # a description in one line
    cell_type: str  # the cell type that it is scored on
    also_trained_on: tuple[str, ...]  # other cell types that it was trained on
    settings: Mapping[str, str]  # configuration, by the key that ``--set`` takes
    provenance: Mapping[str, str]  # origin, by label
    fitted: Mapping[str, str]  # facts about the fitted model, such as the penalty that was chosen
    losses: pd.DataFrame  # training loss by term, indexed by step; empty without steps
    validation: pd.Series[float]  # validation MSE by step
    chosen: int | None  # the step whose weights were kept
    signals: tuple[str, ...]  # signals that the model reads
    gene_id: NDArray[np.object_]  # the scored genes, (gene,)
    left_out: Mapping[str, int]  # genes of the split that are not scored, by reason
    observed: Values  # log10(1 + x), (gene,)
    predicted: Values  # log10(1 + x), (gene,)
    scores: Mapping[str, Estimate]  # by metric, with all signals
    drops: Mapping[tuple[str, ...], Mapping[str, Estimate]]  # by the dropped signals (the first is none), by metric
    patterns: Values | None  # background patterns a_i, (gene, pattern, encoded), if the objective has them
    floor: float | None = None  # lowest possible L₃, if the objective has patterns

    def label(self, dropped: tuple[str, ...]) -> str:
        """Return the name of an arm: the signals that it lacks."""
        if len(dropped) > 1 and len(dropped) == len(self.signals):
            return "no signals"
        return "no " + ", ".join(dropped) if dropped else "all signals"

    @property
    def n_genes(self) -> int:
        """Number of scored genes."""
        return len(self.observed)


@dataclass(frozen=True)
class DatasetContents:
    """The dataset that the runs are scored on."""

    path: str
    assembly: str
    simulated: bool
    window: int  # bp
    coverage: Mapping[str, Mapping[str, float]]  # by cell type and signal: share of window bases above zero
    expression: Mapping[str, Values]  # labels by cell type, (gene,); NaN without a label
    genes: Mapping[str, int]  # by split
    unlabelled: Mapping[str, int]  # by split: genes without a label in the scored cell type
    dna_coverage: Values  # share of known bases (not N) in each window, (gene,)


def gather_run(
    target: Target,
    name: str,
    *,
    resamples: int,
    progress: Callable[[int, int], None] | None = None,
) -> RunContents:
    """Score a run with and without each of its signals, and collect its log, settings and provenance."""
    run = target.run
    found = drop_signals(target, bootstrap=resamples, progress=progress)
    genes = found.baseline.genes
    log = run.log
    terms = [column for column in map(str, log) if column.startswith("train_")]
    steps = pd.Index(log["step"] if len(log) else [], name="step")
    return RunContents(
        name=name,
        about=_about(run),
        cell_type=target.cell_type,
        also_trained_on=tuple(name for name in run.provenance.cell_types if name != target.cell_type),
        settings=_settings(run.config.model_dump(mode="json")),
        provenance=_provenance(run),
        fitted=run.fitted.describe(),
        losses=log[terms].set_axis(steps).rename(columns=lambda column: column.removeprefix("train_")),
        validation=log["valid_mse"].set_axis(steps) if len(log) else pd.Series(dtype=float),
        chosen=run.provenance.best_step if len(log) else None,
        signals=tuple(signal.name for signal in run.inputs.signals),
        gene_id=genes["gene_id"].to_numpy(object),
        left_out=_reasons(found.baseline),
        observed=genes["observed"].to_numpy(np.float64),
        predicted=genes["predicted"].to_numpy(np.float64),
        scores=found.baseline.intervals,
        drops={arm.drop: arm.intervals for arm in (found.baseline, *found.arms)},
        patterns=run.fitted.diagnostics(target.windows.labelled()).get("patterns"),
        floor=float(log["diversity_floor"].iloc[-1]) if "diversity_floor" in log else None,
    )


def gather_dataset(dataset: Dataset, cell_type: str, split: NDArray[np.str_]) -> DatasetContents:
    """Count labels and the coverage of signals in a dataset.

    Parameters
    ----------
    cell_type : str
        The cell type whose missing labels are counted.
    split : ndarray of str, (gene,)
        The split of each gene.
    """
    unlabelled = np.isnan(dataset.expression(cell_type))
    splits = ("train", "valid", "test")
    return DatasetContents(
        path=str(dataset.path),
        assembly=dataset.about.assembly,
        simulated="simulated" in dataset.about.assembly.lower(),
        window=dataset.window,
        coverage={cell: _coverage(dataset, cell) for cell in dataset.cell_types},
        expression={cell: dataset.expression(cell) for cell in dataset.cell_types},
        genes={name: int(np.sum(split == name)) for name in splits},
        unlabelled={name: int(np.sum(unlabelled & (split == name))) for name in splits},
        dna_coverage=dataset.genes["dna_coverage"].to_numpy(np.float64),
    )


def names_of(runs: Sequence[Run]) -> list[str]:
    """Return the shortest endings of the folders' paths that differ between the runs."""
    if not runs:
        raise ConfigError("No run to report on. Give at least one run folder.")
    paths = [run.path.absolute().parts for run in runs]
    if len(set(paths)) < len(paths):
        raise ConfigError("A run is named twice. Name each run folder once.")
    for length in range(1, max(map(len, paths)) + 1):
        names = ["/".join(parts[-length:]) for parts in paths]
        if len(set(names)) == len(names):
            break
    return names


def _coverage(dataset: Dataset, cell_type: str) -> dict[str, float]:
    """Return each signal's share of window bases above zero, reading some genes at a time."""
    values = dataset.signal_values(cell_type)
    above = np.zeros(len(dataset.signals), np.int64)
    rows = max(1, COVERAGE_BASES // dataset.window)
    for first in range(0, len(values), rows):
        above += np.count_nonzero(values[first : first + rows] > 0, axis=(0, 1))
    shares = above / (len(values) * dataset.window)
    return {signal.name: float(share) for signal, share in zip(dataset.signals, shares, strict=True)}


def _about(run: Run) -> str:
    return " · ".join(
        [
            run.config.method.label[0].upper() + run.config.method.label[1:],
            f"{run.inputs.window:,} bp",
            ", ".join(signal.name for signal in run.inputs.signals) or "no signals",
            f"{len(run.inputs.features)} features",
            f"trained on {', '.join(run.provenance.cell_types)}",
        ]
    )


def _provenance(run: Run) -> dict[str, str]:
    origin = run.provenance
    found = {
        "Folder": str(run.path),
        "Origin": origin.origin + ("" if origin.finished else ", stopped before the last step"),
        "Dataset": origin.dataset or "",
        "Dataset sha256": origin.dataset_hash or "",
        "Cell types": ", ".join(origin.cell_types),
        "Trained on": f"{origin.n_train:,} genes with a label, counted once per cell type" if origin.n_train else "",
        "Training chromosomes": ", ".join(origin.chromosomes_trained),
        "Left out": ", ".join(f"{count:,} {reason}" for reason, count in _reasons(origin).items()),
        "Seed": "" if origin.seed is None else str(origin.seed),
        "Steps": f"{origin.steps_done:,}, kept: {origin.best_step:,}" if len(run.log) else "",
        "Parameters": ", ".join(f"{owner} {count:,}" for owner, count in origin.n_parameters.items()),
        "Device": origin.device,
        "Kernel": f"{origin.kernel}: {origin.kernel_why}" if origin.kernel else "",
        "Duration": f"{origin.wall_seconds:,.0f} s ({origin.cpu_seconds:,.0f} CPU-seconds)"
        if origin.wall_seconds
        else "",
        "Versions": ", ".join(f"{name} {version}" for name, version in origin.versions.items()),
    }
    return {key: value for key, value in found.items() if value}


def _reasons(counts: Evaluation | Provenance) -> dict[str, int]:
    """Return the number of genes left out, by reason."""
    found = {"without a label": counts.n_without_label, "with too many N bases": counts.n_low_coverage}
    return {reason: count for reason, count in found.items() if count}


def _settings(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return a configuration as one row per value, in the form that ``--set`` takes."""
    rows: dict[str, str] = {}
    for key, value in values.items():
        if key == "method" and not prefix:
            rows |= {"method.kind": value["kind"]} | _settings({k: v for k, v in value.items() if k != "kind"})
        elif isinstance(value, Mapping):
            rows |= _settings(value, f"{prefix}{key}.")
        else:
            rows[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return rows
