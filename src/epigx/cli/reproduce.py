"""``epigx reproduce``: the paper's tables and figures on a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import columns, emit, emit_json, say, warn
from epigx.cli.exit import DONE, FAILED
from epigx.cli.options import Json, Out, Settings
from epigx.cli.progress import Progress

if TYPE_CHECKING:
    from epigx.paper import PlannedRun

app = App(
    name="reproduce",
    help_epilogue=(
        "Example:\n"
        "  epigx reproduce table1 --data data/k562 --scale small -o results\n"
        "  epigx reproduce table1 --data data/both --dry-run -o results\n"
        "  epigx reproduce table6 --data data/k562 --cell-type K562 --seeds 2,22 --jobs 2 -o results\n"
        "  epigx reproduce all --data data/both --engine slurm --set engine.partition=gpu -o results\n"
        "  epigx reproduce table8 -o results\n\n"
        "Runs are shared between exhibits and kept in OUT/runs. The same command goes on where an earlier one was\n"
        "stopped; finished runs are skipped."
    ),
)

Name = Literal[
    "table1", "table2", "table3", "table4", "table5", "table6", "table7", "table8",
    "figure1a", "figure1b", "figure1c", "figure4", "all",
]  # fmt: skip


@app.default
def reproduce(
    exhibit: Annotated[Name, Parameter(name="EXHIBIT")],
    /,
    *,
    out: Out,
    data: Path | None = None,
    cell_type: tuple[str, ...] = (),
    seeds: str | None = None,
    scale: Literal["paper", "small"] = "paper",
    engine: Literal["local", "slurm", "dask"] = "local",
    jobs: int | None = None,
    dry_run: bool = False,
    settings: Settings = (),
    json: Json = False,
) -> int:
    """Train and score what one of the paper's tables and figures compares, and write it.

    Parameters
    ----------
    exhibit : str
        table1 to table8, figure1a, figure1b, figure1c, figure4, or all.
    out : Path
        Folder of runs, predictions and exhibits.
    data : Path, optional
        The dataset folder; table8 needs none.
    cell_type : tuple of str
        Cell type to train and score on; may be repeated. By default all of the dataset that have labels.
    seeds : str, optional
        Seeds, as 2,22,222; by default the paper's five, or the first of them at the small scale.
    scale : {"paper", "small"}
        Networks and training of the paper, or cut down to minutes on a CPU.
    engine : {"local", "slurm", "dask"}
        Where to train; its settings are --set engine.KEY=VALUE.
    jobs : int, optional
        Runs at a time.
    dry_run : bool
        Only list the runs, what they cost and what is done.
    settings : tuple of str
        A value of every run's configuration, as key=value; may be repeated.
    json : bool
        Write JSON.
    """
    from epigx.cli import paper_items as words
    from epigx.cli.machine import prepare
    from epigx.paper import plan
    from epigx.paper import reproduce as make

    mine, of_engine = words.divide(settings)
    study = None if data is None else words.study_of(data, cell_type, seeds, scale, mine)
    exhibits = words.exhibits_of(words.NAMES if exhibit == "all" else (exhibit,), study, scale)
    place = words.choose_engine(engine, jobs, of_engine)
    for reason, rows in words.impossible(exhibits).items():
        warn(f"Left out: {', '.join(rows)}. {reason}")
    planned = plan(exhibits, study.dataset, out / "runs") if study else []
    if dry_run:
        _list(planned, json=json)
        return DONE
    if planned:
        say(prepare())
    pages: list[Path] = []
    flags = {"data": data, "cell-type": cell_type, "seeds": seeds, "scale": scale, "set": settings, "out": out}
    with Progress("Training") as progress:
        outcomes = make(
            exhibits, study, out,
            engine=place, command=words.command(exhibit, flags), progress=_Told(progress, len(planned)),
            shown=pages.append,
        )  # fmt: skip
    for outcome in outcomes:
        if outcome.state == "failed":
            warn(f"{outcome.name} failed: {outcome.error}")
    if json:
        emit_json({"pages": list(map(str, pages)), "runs": [vars(outcome) for outcome in outcomes]})
    else:
        emit("\n".join(map(str, pages)))
    return FAILED if any(outcome.state == "failed" for outcome in outcomes) else DONE


class _Told:
    """Turns what an engine tells of single runs into one line of progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress = progress
        self.total = total
        self.ended = 0

    def __call__(self, name: str, state: str) -> None:
        """Hear that a run was started or has ended."""
        self.ended += state != "started"
        self.progress(self.ended, self.total, f"{name} {state}")


def _list(planned: Sequence[PlannedRun], *, json: bool) -> None:
    """Write the runs with their cost, and what is done of them."""
    from epigx.paper import RULE

    if json:
        emit_json([_record(run) for run in planned])
        return
    head = ("run", "parameters", "bp", "steps", "CPU-hours", "state")
    rows = [
        (
            run.name, f"{run.parameters:,}", f"{run.config.data.window or 0:,}", _steps(run),
            f"{run.cpu_hours:,.2f}", run.state,
        )
        for run in planned
    ]  # fmt: skip
    emit(columns([head, *rows]))
    left = [run for run in planned if run.state != "done"]
    say(
        f"{len(planned)} runs: {len(planned) - len(left)} done, {len(left)} to do, "
        f"about {sum(run.cpu_hours for run in left):,.1f} CPU-hours. {RULE}"
    )


def _steps(run: PlannedRun) -> str:
    training = getattr(run.config.method, "training", None)
    return f"{training.steps:,}" if training else ""


def _record(run: PlannedRun) -> dict[str, object]:
    return {
        "run": run.name,
        "parameters": run.parameters,
        "window": run.config.data.window,
        "steps": getattr(getattr(run.config.method, "training", None), "steps", None),
        "seed": run.config.method.seed_used,
        "cpu_hours": run.cpu_hours,
        "state": run.state,
    }
