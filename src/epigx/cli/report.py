"""``epigx report``: one HTML page about runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import emit, say
from epigx.cli.options import Force, check_output
from epigx.cli.progress import Progress

app = App(
    name="report",
    help_epilogue=(
        "Example:\n"
        "  epigx report runs/infer-2 -o report.html\n"
        "  epigx report runs/infer-2 runs/plain-2 -o comparison.html\n\n"
        "With several runs, each is compared with the first on the same genes."
    ),
)


@app.default
def report(
    runs: Annotated[tuple[Path, ...], Parameter(name="RUN")],
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("report.html"),
    data: Path | None = None,
    cell_type: str | None = None,
    split: Literal["valid", "test"] = "test",
    bootstrap: int = 1000,
    force: Force = False,
) -> None:
    """Write a report on one or several runs, as one HTML page that works offline.

    Parameters
    ----------
    runs : tuple of Path
        Run folders, of any methods.
    out : Path
        File to write.
    data : Path, optional
        Dataset to score on. Default: the first run's own.
    cell_type : str, optional
        Cell type to score on. Default: the first one that the first run was trained on and that has labels.
    split : str
        Genes to score.
    bootstrap : int
        Bootstrap samples for the 95 % confidence intervals.
    force : bool
        Replace an existing file.
    """
    from epigx.cli.machine import open_runs
    from epigx.report import write_report
    from epigx.report.tables import scored_on, verdict

    check_output(out, force=force)
    opened = open_runs(runs)
    with Progress("Scoring") as progress:
        found = write_report(
            opened, out, data=data, cell_type=cell_type, split=split, bootstrap=bootstrap,
            progress=progress,
        )  # fmt: skip
    for sentence in (scored_on(found), verdict(found, bootstrap)):
        if sentence:
            say(sentence)
    say(f"Wrote {out.stat().st_size / 1024:,.0f} KiB; open it in a browser.")
    emit(str(out))
