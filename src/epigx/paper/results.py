"""From predictions to what a page tells: scores over seeds, and differences to a baseline on the same genes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from epigx.errors import ConfigError
from epigx.evaluation.metrics import Estimate, metrics, paired_bootstrap
from epigx.paper.figure4_genes import find_genes
from epigx.paper.items import Counts, Exhibit, Fitted, Impossible, Locus, Row, Scores, Trained
from epigx.paper.pages import CountResults, LocusResults, Results, RowResult, ScoreResults, Terms
from epigx.paper.predictions import predictions_of
from epigx.paper.study import Study

__all__ = ["gather"]


def gather(exhibit: Exhibit, study: Study | None, out: Path, command: str, failures: Mapping[str, str]) -> Results:
    """Score what is trained of an exhibit.

    Parameters
    ----------
    exhibit : Exhibit
        What is to be shown.
    study : Study or None
        What it was planned on; none where it is of parameters alone.
    out : Path
        Folder of the exhibits.
    command : str
        What the page says it was made by.
    failures : mapping of str to str
        By run: why its training failed.

    Raises
    ------
    ConfigError
        The exhibit needs a study, and there is none.
    """
    if isinstance(exhibit, Counts):
        return CountResults(exhibit)
    if study is None:
        raise ConfigError(f"{exhibit.name} needs a dataset: plan it on a Study.")
    if isinstance(exhibit, Locus):
        return LocusResults(exhibit, _terms(study, command), find_genes(exhibit, study.dataset, out))
    return ScoreResults(exhibit, _terms(study, command), _rows(exhibit, study, out, failures))


def _terms(study: Study, command: str) -> Terms:
    assembly = study.dataset.about.assembly
    return Terms(
        data=str(study.dataset.path),
        assembly=assembly,
        simulated="simulated" in assembly.lower(),
        scale=study.scale,
        seeds=study.seeds,
        settings=study.settings,
        command=command,
    )


def _rows(exhibit: Scores, study: Study, out: Path, failures: Mapping[str, str]) -> tuple[RowResult, ...]:
    found = [predictions_of(row, study.dataset, out) for row in exhibit.rows]
    baselines = {
        (row.cell_type, row.group): predicted
        for row, predicted in zip(exhibit.rows, found, strict=True)
        if row.baseline and len(predicted.columns)
    }
    results = []
    for row, predicted in zip(exhibit.rows, found, strict=True):
        baseline = None if row.baseline else baselines.get((row.cell_type, row.group))
        seeds = [column for column in predicted if column != "observed"]
        scores = tuple(metrics(predicted["observed"].to_numpy(), predicted[seed].to_numpy()) for seed in seeds)
        difference = _difference(predicted, baseline) if scores and baseline is not None else {}
        results.append(RowResult(row, _window(row), scores, difference, _missing(row, len(scores), failures)))
    return tuple(results)


def _difference(predicted: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, Estimate]:
    """Compare two systems on the genes that both were scored on, averaged over the seeds of each."""
    genes = predicted.index.intersection(baseline.index)
    one, other = (table.loc[genes].drop(columns="observed").to_numpy(np.float64).T for table in (predicted, baseline))
    return paired_bootstrap(predicted.loc[genes, "observed"].to_numpy(), one, other)


def _window(row: Row) -> int | None:
    system = row.system
    if isinstance(system, Impossible) or (isinstance(system, Trained) and system.reads_elements):
        return None
    return row.window or system.window


def _missing(row: Row, scored: int, failures: Mapping[str, str]) -> str:
    """Say why a row lacks runs."""
    if isinstance(row.system, Impossible):
        return row.system.reason
    if isinstance(row.system, Fitted) or scored == len(row.system.runs):
        return ""
    failed = [failures[name] for name in row.system.runs if name in failures]
    return failed[0] if failed else f"{len(row.system.runs) - scored} of {len(row.system.runs)} runs are not trained."
