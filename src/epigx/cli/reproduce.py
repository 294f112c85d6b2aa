"""``epigx reproduce``: tables and figures of the paper, on a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import columns, emit, emit_json, say, warn
from epigx.cli.engine import Counted, EngineName, choose_engine, divide
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
        "  epigx reproduce table6 --data data/k562 --seeds 2,22 --jobs 2 -o results\n"
        "  epigx reproduce all --data data/both --engine slurm -o results \\\n"
        "      --set engine.partition=gpu\n"
        "  epigx reproduce table8 -o results\n\n"
        "Tables and figures share their runs, which are in OUT/runs. If the command is stopped, the same command "
        "continues it: finished runs are skipped."
    ),
)

Name = Literal[
    "table1", "table2", "table3", "table4", "table5", "table6", "table7", "table8",
    "figure1a", "figure1b", "figure1c", "figure4", "all",
]  # fmt: skip


@app.default
def reproduce(
    exhibit: Annotated[Name, Parameter(name="NAME")],
    /,
    *,
    out: Out,
    data: Path | None = None,
    cell_type: tuple[str, ...] = (),
    seeds: str | None = None,
    scale: Literal["paper", "small"] = "paper",
    engine: EngineName = "local",
    jobs: int | None = None,
    dry_run: bool = False,
    settings: Settings = (),
    json: Json = False,
) -> int:
    """Reproduce a table or figure of the paper.

    Parameters
    ----------
    exhibit : str
        table1 to table8, figure1a, figure1b, figure1c, figure4, or all.
    out : Path
        Folder for runs, predictions, tables and figures.
    data : Path, optional
        Dataset folder; table8 needs none.
    cell_type : tuple of str
        Cell type to train and score on; may be repeated. By default all cell types of the dataset with labels.
    seeds : str, optional
        Seeds, as 2,22,222; by default the paper's five, or the first of them with --scale small.
    scale : {"paper", "small"}
        Networks and training of the paper, or small ones that take minutes on a CPU.
    engine : {"local", "slurm", "dask"}
        Where to train; set its options with --set engine.KEY=VALUE.
    jobs : int, optional
        Number of runs at a time.
    dry_run : bool
        Only list the runs with their cost and state.
    settings : tuple of str
        A setting of every run, as key=value; may be repeated.
    json : bool
        Print JSON.
    """
    from epigx.cli import paper_items as words
    from epigx.cli.machine import prepare
    from epigx.paper import plan
    from epigx.paper import reproduce as make

    mine, of_engine = divide(settings)
    study = None if data is None else words.study_of(data, cell_type, seeds, scale, mine)
    exhibits = words.exhibits_of(words.NAMES if exhibit == "all" else (exhibit,), study, scale)
    place = choose_engine(engine, jobs, of_engine)
    for reason, rows in words.impossible(exhibits).items():
        warn(f"Left out: {', '.join(rows)}. {reason}")
    planned = plan(exhibits, study.dataset, out / "runs") if study else []
    if dry_run:
        _list(planned, json=json)
        return DONE
    if planned:
        prepare()
    pages: list[Path] = []
    flags = {"data": data, "cell-type": cell_type, "seeds": seeds, "scale": scale, "set": settings, "out": out}
    with Progress("Training") as progress:
        outcomes = make(
            exhibits, study, out,
            engine=place, command=words.command(exhibit, flags), progress=Counted(progress, len(planned)),
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


def _list(planned: Sequence[PlannedRun], *, json: bool) -> None:
    """Print the runs with their cost and state."""
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
