"""``epigx evaluate``: the scores of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import columns, emit, emit_json, say
from epigx.cli.options import Drop, Json
from epigx.cli.progress import Progress

if TYPE_CHECKING:
    from epigx.evaluation.evaluate import Evaluation

app = App(
    name="evaluate",
    help_epilogue=(
        "Example:\n"
        "  epigx evaluate runs/infer-2 --split test --json\n"
        "  epigx evaluate runs/infer-2 --drop dnase --window 500\n"
        "  epigx evaluate runs/infer-2 --data data/hepg2 --cell-type HepG2\n\n"
        "A run is not scored on chromosomes that it was trained on, unless you add --allow-overlap."
    ),
)


@app.default
def evaluate(
    run: Annotated[Path, Parameter(name="RUN")],
    /,
    *,
    split: Literal["train", "valid", "test", "all"] = "test",
    drop: Drop = (),
    window: int | None = None,
    data: Path | None = None,
    cell_type: str | None = None,
    bootstrap: int = 1000,
    allow_overlap: bool = False,
    json: Json = False,
) -> None:
    """Score a run on one split, optionally without some signals or on a shorter window.

    Parameters
    ----------
    run : Path
        Run folder.
    split : str
        Genes to score.
    drop : tuple of str
        Signal to set to zero; may be repeated.
    window : int, optional
        Read only so many bp, centred on the TSS.
    data : Path, optional
        Dataset to score on; by default the run's own.
    cell_type : str, optional
        Cell type to score on; by default the run's own.
    bootstrap : int
        Bootstrap samples for the 95 % confidence intervals; 0 for none.
    allow_overlap : bool
        Also score chromosomes that the run was trained on.
    json : bool
        Print JSON.
    """
    from epigx.cli.machine import open_runs
    from epigx.dataset.store import open_dataset
    from epigx.evaluation.evaluate import evaluate as score

    (opened,) = open_runs([run])
    with Progress("Predicting") as progress:
        found = score(
            opened, split=split, drop=drop, window=window, data=data, cell_type=cell_type, bootstrap=bootstrap,
            allow_overlap=allow_overlap, progress=progress,
        )  # fmt: skip
    assembly = open_dataset(found.data).about.assembly
    if json:
        emit_json({**found.to_dict(), "assembly": assembly})
        return
    without = f", without {', '.join(found.drop)}" if found.drop else ""
    say(
        f"{run} on {found.cell_type} ({assembly}), split {split}: {found.metrics.n_genes:,} genes, "
        f"{found.window:,} bp{without}. "
        f"Left out: {found.n_without_label:,} without a label, {found.n_low_coverage:,} with too many N bases."
    )
    emit(columns([("metric", "value", "95 % low", "95 % high"), *_rows(found)]))


def _rows(found: Evaluation) -> list[tuple[str, ...]]:
    scores = found.metrics.to_dict()
    del scores["n_genes"]
    rows = []
    for name, value in scores.items():
        interval = found.intervals.get(name)
        limits = (interval.low, interval.high) if interval else (None, None)
        rows.append((name, *("–" if number is None else f"{number:.4f}" for number in (value, *limits))))
    return rows
