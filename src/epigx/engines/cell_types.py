"""Build datasets and predict for many cell types on an engine; finished datasets and tables are skipped."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path

import pandas as pd

from epigx.dataset.build.build import build
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.store import open_dataset
from epigx.engines.base import Engine, Outcome, Progress, Task
from epigx.errors import EpigxError
from epigx.runs.folder import open_run
from epigx.system.atomic import atomic_file
from epigx.system.locks import locked
from epigx.system.setup_process import setup_process

__all__ = ["build_all", "by_cell_type", "predict_all"]


def by_cell_type(manifest: Manifest) -> dict[str, Manifest]:
    """Return one manifest per cell type, so that machines can share the work; each dataset stores its own sequence.

    Elements are made from the peaks of all cell types of a manifest, so those of a single cell type differ.
    """
    return {
        name: manifest.model_copy(update={"cell_types": {name: cell}}) for name, cell in manifest.cell_types.items()
    }


def build_all(
    manifests: Mapping[str, Manifest],
    window: int,
    out: str | Path,
    *,
    engine: Engine,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Build a dataset from each manifest (see :func:`by_cell_type`), in the folder of its name in ``out``.

    An interrupted build continues where it stopped. ``window`` is in bp. ``progress`` is called with a dataset's name
    and ``started``, ``done``, ``failed`` or ``skipped``.

    Returns
    -------
    list of Outcome
        In the order of the manifests. A dataset that exists with this window, split, cell types, signals and files is
        skipped. If it exists with others, it is not changed, and the outcome is failed.
    """
    folders = {name: Path(out).absolute() / name for name in manifests}
    there = {name for name, manifest in manifests.items() if _is_built(folders[name], manifest, window)}
    threads = engine.threads_each(len(manifests) - len(there))
    tasks = {
        name: Task(name, _build, (manifest, window, folders[name], threads), threads=threads)
        for name, manifest in manifests.items()
        if name not in there
    }
    return _run(manifests, tasks, engine, progress)


def predict_all(
    runs: Iterable[str | Path],
    datasets: Mapping[str, str | Path],
    out: str | Path,
    *,
    engine: Engine,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Predict the expression of all genes in each cell type, by one run or by the mean of several.

    Parameters
    ----------
    datasets : mapping of str to path
        For each cell type, the dataset to read it from; a dataset may have several cell types.
    out : str or Path
        The folder of the tables, ``<cell type>.parquet``; their columns are those of
        :func:`epigx.evaluation.predict.predict`.
    progress : callable, optional
        Called with a cell type and ``started``, ``done``, ``failed`` or ``skipped``.

    Returns
    -------
    list of Outcome
        In the order of the cell types. A table of the same runs and dataset is skipped if it is newer than they are.
    """
    folders = [Path(run).absolute() for run in runs]
    threads = engine.threads_each(len(datasets))
    tasks = {}
    for name, dataset in datasets.items():
        data, table = Path(dataset).absolute(), Path(out).absolute() / f"{name}.parquet"
        if not _is_made(table, folders, data):
            arguments = (folders, data, name, table, threads)
            tasks[name] = Task(name, _predict, arguments, threads=threads, memory_gb=4.0)
    return _run(datasets, tasks, engine, progress)


def _run(names: Iterable[str], tasks: Mapping[str, Task], engine: Engine, progress: Progress | None) -> list[Outcome]:
    """Run the tasks; names without a task are reported as skipped."""
    skipped = [name for name in names if name not in tasks]
    for name in skipped:
        if progress:
            progress(name, "skipped")
    ended = engine.run(list(tasks.values()), progress=progress) if tasks else []
    outcomes = {outcome.name: outcome for outcome in (*ended, *(Outcome(name, "skipped") for name in skipped))}
    return [outcomes[name] for name in names]


def _is_built(folder: Path, manifest: Manifest, window: int) -> bool:
    """Whether the dataset exists with these settings; the content of the files is not compared."""
    try:
        about = open_dataset(folder).about
    except EpigxError:
        return False
    signals = [(signal.name, signal.role, signal.transform) for signal in about.signals]
    return (
        about.window == window
        and about.split == manifest.split
        and set(about.cell_types) == set(manifest.cell_types)
        and signals == [(name, signal.role, signal.transform) for name, signal in manifest.signals.items()]
        and set(about.sources) == set(manifest.files())
    )


def _build(manifest: Manifest, window: int, folder: Path, jobs: int) -> None:
    with locked(folder) as lock:
        if not _is_built(folder, manifest, window):  # another machine may have built it meanwhile
            build(manifest, window, folder, jobs=jobs, lock=lock)


def _predict(runs: list[Path], data: Path, cell_type: str, table: Path, threads: int) -> None:
    opened = [open_run(run) for run in runs]
    setup_process(threads, torch=any("torch" in run.config.method.packages for run in opened))
    from epigx.evaluation.predict import predict

    predicted = predict(opened, data=data, cell_type=cell_type)
    predicted.attrs = _made_of(runs, data)  # saved in the file's metadata
    with atomic_file(table) as partial:
        predicted.to_parquet(partial, index=False)


def _is_made(table: Path, runs: list[Path], data: Path) -> bool:
    """Whether a table is of these runs and this dataset, and newer than they are."""
    sources = [*(run / "provenance.json" for run in runs), data / "dataset.json"]
    try:
        if table.stat().st_mtime < max(source.stat().st_mtime for source in sources):
            return False
        return pd.read_parquet(table, columns=["gene_id"]).attrs == _made_of(runs, data)
    except (OSError, ValueError):  # absent, or damaged
        return False


def _made_of(runs: list[Path], data: Path) -> dict[Hashable | None, object]:
    return {"runs": [str(run) for run in runs], "data": str(data)}
