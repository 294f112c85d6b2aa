"""``epigx reproduce``: the paper's tables and figures on a dataset."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from cyclopts import App, Parameter

from epigx.cli.console import columns, emit, emit_json, say, warn
from epigx.cli.engine import Counted, EngineName, choose_engine, report_failures
from epigx.cli.exit import DONE
from epigx.cli.options import Json, Out, Settings
from epigx.cli.progress import Progress
from epigx.errors import ConfigError

if TYPE_CHECKING:
    from epigx.paper import PlannedRun, Study, TableOrFigure
    from epigx.recipes.data import Scale

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
        "Tables and figures share runs, which are kept in OUT/runs. To continue after an interruption, repeat the "
        "command: finished runs are skipped."
    ),
)

Name = Literal[
    "table1", "table2", "table3", "table4", "table5", "table6", "table7", "table8",
    "figure1a", "figure1b", "figure1c", "figure4", "all",
]  # fmt: skip

NAMES: tuple[str, ...] = get_args(Name)[:-1]
"""The tables and figures, in the order in which ``all`` makes them."""

WITHOUT_DATA = "table8"
"""It counts parameters and needs no dataset."""


@app.default
def reproduce(
    name: Annotated[Name, Parameter(name="TABLE_OR_FIGURE")],
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
    name : str
        table1 to table8, figure1a, figure1b, figure1c, figure4, or all.
    out : Path
        Output folder: runs, predictions and pages.
    data : Path, optional
        The dataset folder; table8 needs none.
    cell_type : tuple of str
        Cell type to train and score on; may be repeated. Default: all cell types with labels.
    seeds : str, optional
        Seeds, such as 2,22,222. Default: the paper's five; at the small scale the first two.
    scale : {"paper", "small"}
        Networks and training of the paper, or small ones that take minutes on a CPU.
    engine : {"local", "slurm", "dask"}
        Where to train; change its settings with --set engine.KEY=VALUE.
    jobs : int, optional
        Runs at a time.
    dry_run : bool
        Only list the runs, their cost and their state.
    settings : tuple of str
        A setting of all runs, as key=value; may be repeated.
    json : bool
        Write JSON.
    """
    from epigx.cli.machine import prepare
    from epigx.dataset.store import open_dataset
    from epigx.paper import Study, plan
    from epigx.paper import reproduce as make

    where, of_runs = choose_engine(engine, settings, jobs=jobs)
    assert where is not None
    study = None
    if data is not None:
        chosen = () if seeds is None else seeds_of(seeds)
        study = Study.on(open_dataset(data), cell_types=cell_type, seeds=chosen, scale=scale, settings=of_runs)
    items = _items(NAMES if name == "all" else (name,), study, scale)
    for reason, rows in _left_out(items).items():
        warn(f"Left out: {', '.join(rows)}. {reason}")
    planned = plan(items, out / "runs")
    if dry_run:
        _list(planned, json=json)
        return DONE
    if planned:
        prepare()
    pages: list[Path] = []
    flags = {"data": data, "cell-type": cell_type, "seeds": seeds, "scale": scale, "set": settings, "out": out}
    with Progress("Training") as progress:
        outcomes = make(
            items, out,
            engine=where, command=command(name, flags), progress=Counted(progress, len(planned)),
            written=pages.append,
        )  # fmt: skip
    status = report_failures(outcomes)
    if json:
        emit_json({"pages": list(map(str, pages)), "runs": [vars(outcome) for outcome in outcomes]})
    else:
        emit("\n".join(map(str, pages)))
    return status


def seeds_of(text: str) -> tuple[int, ...]:
    """Read seeds.

    Examples
    --------
    >>> seeds_of("2,22")
    (2, 22)
    """
    seeds = [seed.strip() for seed in text.split(",")]
    if not all(seed.isdecimal() for seed in seeds):
        raise ConfigError(f"--seeds {text!r} is not a list of whole numbers. Write them as 2,22,222.")
    return tuple(map(int, seeds))


def command(name: str, flags: Mapping[str, object]) -> str:
    """Return the command line, without flags that were not given.

    Examples
    --------
    >>> command("table1", {"data": "d", "scale": "small", "jobs": None, "set": ("a=1", "b={x: 2}")})
    "epigx reproduce table1 --data d --scale small --set a=1 --set 'b={x: 2}'"
    """
    arguments = ["epigx", "reproduce", name]
    for flag, value in flags.items():
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                arguments += [f"--{flag}", str(one)]
    return shlex.join(arguments)


def _items(names: Sequence[str], study: Study | None, scale: Scale) -> list[TableOrFigure]:
    from epigx import paper

    if study is None and (needy := [name for name in names if name != WITHOUT_DATA]):
        raise ConfigError(f"{needy[0]} needs a dataset. Add --data FOLDER (made with `epigx build`).")
    return [paper.table8(scale) if name == WITHOUT_DATA else getattr(paper, name)(study) for name in names]


def _left_out(items: Sequence[TableOrFigure]) -> dict[str, list[str]]:
    """Return the rows that cannot be trained, by reason."""
    found: dict[str, list[str]] = {}
    for item in items:
        for reason, rows in item.left_out().items():
            found.setdefault(reason, []).extend(rows)
    return found


def _list(planned: Sequence[PlannedRun], *, json: bool) -> None:
    """Print the runs with their cost and state."""
    from epigx.paper import RULE

    if json:
        emit_json([_record(run) for run in planned])
        return
    head = ("run", "parameters", "bp", "steps", "CPU-hours", "state")
    rows = [
        (
            run.name, f"{run.parameters:,}" if run.parameters else "", f"{run.config.data.window or 0:,}",
            f"{steps:,}" if (steps := _steps(run)) else "", f"{run.cpu_hours:,.2f}", run.state,
        )
        for run in planned
    ]  # fmt: skip
    emit(columns([head, *rows]))
    left = [run for run in planned if run.state != "done"]
    say(
        f"{len(planned)} runs: {len(planned) - len(left)} done, {len(left)} to do, "
        f"about {sum(run.cpu_hours for run in left):,.1f} CPU-hours. {RULE}"
    )


def _steps(run: PlannedRun) -> int | None:
    steps: int | None = getattr(getattr(run.config.method, "training", None), "steps", None)
    return steps


def _record(run: PlannedRun) -> dict[str, object]:
    return {
        "run": run.name,
        "parameters": run.parameters,
        "window": run.config.data.window,
        "steps": _steps(run),
        "seed": run.config.method.seed_used,
        "cpu_hours": run.cpu_hours,
        "state": run.state,
    }
