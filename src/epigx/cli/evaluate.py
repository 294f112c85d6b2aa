"""``epigx evaluate``: a run to its scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import columns, emit, emit_json, say
from epigx.cli.options import Drop, Json

app = App(
    name="evaluate",
    help_epilogue=(
        "Example:\n"
        "  epigx evaluate runs/infer-2 --split test --json\n"
        "  epigx evaluate runs/infer-2 --drop dnase --window 500\n"
        "  epigx evaluate runs/infer-2 --data data/hepg2 --cell-type HepG2\n\n"
        "A run is not scored on chromosomes that it was trained on, unless --allow-overlap says so."
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
    """Score a run on one split, if wished with signals dropped or a shorter window.

    Parameters
    ----------
    run : Path
        A run folder.
    split : str
        Which genes to score.
    drop : tuple of str
        A signal to set to zero; may be repeated.
    window : int, optional
        Read only this many bp around the TSS.
    data : Path, optional
        Another dataset than the run's own.
    cell_type : str, optional
        Another cell type than the run's own.
    bootstrap : int
        Resamples for the 95 % intervals.
    allow_overlap : bool
        Score on chromosomes that the run was trained on, too.
    json : bool
        Write JSON.
    """
    from epigx.cli.machine import device_line
    from epigx.evaluation.evaluate import evaluate as score
    from epigx.training.folder import open_run

    say(device_line())
    found = score(
        open_run(run), split=split, drop=drop, window=window, data=data, cell_type=cell_type,
        bootstrap=bootstrap, allow_overlap=allow_overlap,
    )  # fmt: skip
