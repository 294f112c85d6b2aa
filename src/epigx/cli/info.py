"""``epigx info``: a summary of a dataset or a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from epigx.cli.console import columns, emit, emit_json, say
from epigx.cli.options import Json
from epigx.errors import InputError

if TYPE_CHECKING:
    from epigx.dataset.store import Dataset
    from epigx.runs.folder import Run

app = App(
    name="info",
    help_epilogue="Example:\n  epigx info data/k562 --verify\n  epigx info runs/infer-2 --json",
)


@app.default
def info(folder: Annotated[Path, Parameter(name="FOLDER")], /, *, verify: bool = False, json: Json = False) -> None:
    """Describe a dataset or a run folder.

    Parameters
    ----------
    folder : Path
        A dataset (`epigx build`) or a run (`epigx train`).
    verify : bool
        Read all files of a dataset and compare their checksums.
    json : bool
        Print JSON.
    """
    if (folder / "config.yaml").is_file():
        from epigx.runs.folder import open_run

        summary = run_summary(open_run(folder))
    elif (folder / "dataset.json").is_file():
        from epigx.dataset.store import open_dataset

        dataset = open_dataset(folder)
        if verify:
            dataset.verify()
            say("All checksums match.")
        summary = dataset_summary(dataset)
    else:
        raise InputError(f"{folder} is neither a dataset nor a run. Make one with `epigx build` or `epigx train`.")
    if json:
        emit_json(summary)
    else:
        emit(columns(_rows(summary)))


def dataset_summary(dataset: Dataset) -> dict[str, Any]:
    """Return a summary of a dataset as plain values."""
    about = dataset.about
    splits = dataset.split.of(dataset.genes["chrom"].to_numpy())
    return {
        "path": str(dataset.path),
        "assembly": about.assembly,
        "genes": about.n_genes,
        "window": about.window,
        "orient": about.orient,
        "cell_types": list(about.cell_types),
        "signals": {s.name: f"{s.role}, {s.transform}" for s in about.signals},
        "features": [feature.name for feature in about.features],
        "peaks": list(about.regions.peaks),
        "blacklist": about.regions.blacklist,
        "elements_per_gene": about.regions.elements.count if about.regions.elements else 0,
        "split": {split: int((splits == split).sum()) for split in ("train", "valid", "test")},
        "labels": {cell: int(dataset.genes[f"expression:{cell}"].notna().sum()) for cell in about.cell_types},
        "sources": {name: file.sha256 for name, file in about.sources.items()},
        "built_with": f"epigx {about.epigx}",
        "sha256": dataset.hash,
    }


def run_summary(run: Run) -> dict[str, Any]:
    """Return a summary of a run and its scores on the validation genes, as plain values."""
    origin = run.provenance
    return {
        "path": str(run.path),
        "origin": origin.origin,
        "finished": origin.finished,
        "method": run.config.method.label,
        "parameters": origin.n_parameters,
        "window": run.inputs.window,
        "signals": [signal.name for signal in run.inputs.signals],
        "features": [feature.name for feature in run.inputs.features],
        "cell_types": list(origin.cell_types),
        "dataset": origin.dataset,
        "seed": origin.seed,
        "steps": origin.steps_done,
        "kept_step": origin.best_step,
        "validation": dict(run.metrics),
        "device": origin.device,
        "kernel": origin.kernel,
        "versions": origin.versions,
    }


def _rows(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield one row for each value, and one for each source file: there may be many, with long paths."""
    for key, value in summary.items():
        if key == "sources" and value:
            labels = ["sources", *[""] * (len(value) - 1)]
            yield from zip(labels, (f"{name}  {sha256[:12]}…" for name, sha256 in value.items()), strict=True)
        else:
            yield key.replace("_", " "), _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
