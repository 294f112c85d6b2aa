"""``epigx train``: a run folder from a recipe and a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from epigx.cli.console import configure_logging, emit, say, warn
from epigx.cli.engine import EngineName, choose_engine, run_tasks
from epigx.cli.exit import DONE
from epigx.cli.options import Force, Out, Settings
from epigx.cli.progress import Progress, duration
from epigx.errors import ConfigError

if TYPE_CHECKING:
    from epigx.engines import Engine
    from epigx.runs.config import RunConfig

app = App(
    name="train",
    help_epilogue=(
        "Example:\n"
        "  epigx train infer --data data/k562 --cell-type K562 --seed 2 -o runs/infer-2\n"
        "  epigx train infer --data data/k562 --steps 2000 --window 500 -o runs/short \\\n"
        "      --set objective.alpha=0.1 --max-time 30m\n"
        "  epigx train runs/short/config.yaml -o runs/again\n"
        "  epigx train infer --data data/k562 --cell-type K562 --fold 3 -o runs/fold-3\n"
        "  epigx train infer --data data/both --seed 2 --seed 22 --engine local -o runs\n"
        "  torchrun --nproc-per-node 4 -m epigx train infer --data data/k562 -o runs/four\n\n"
        "Recipes with signals: infer (the paper), caduceus-signals (the same without the intervention), prism (the "
        "later official code). With DNA only: caduceus, mamba, hyenadna, enformer. With selected positions: "
        "seq2exp-soft, seq2exp-hard, macs3-mask. With candidate enhancers: epinformer.\n\n"
        "If a training is stopped, the same command with --resume continues it.\n\n"
        "With --engine, each cell type and seed becomes a run, OUT/<cell type>-<seed>; a method without randomness has "
        "no seed in its name. Repeat the command to continue runs that were stopped."
    ),
)


@app.default
def train(
    recipe: Annotated[str, Parameter(name="RECIPE")],
    /,
    *,
    out: Out,
    data: Path | None = None,
    cell_type: tuple[str, ...] = (),
    seed: tuple[int, ...] = (),
    steps: int | None = None,
    window: int | None = None,
    fold: int | None = None,
    scale: Literal["paper", "small"] | None = None,
    engine: EngineName | None = None,
    settings: Settings = (),
    resume: bool = False,
    max_time: str | None = None,
    force: Force = False,
) -> int:
    """Train a model and write a run folder.

    Parameters
    ----------
    recipe : str
        Name of a recipe, or the config.yaml of a run.
    out : Path
        Run folder to write.
    data : Path, optional
        Dataset folder.
    cell_type : tuple of str
        Cell type to train on; may be repeated. By default the dataset's only one, or with --engine all with labels.
    seed : tuple of int
        Seed of the initial weights and of the order of genes; with --engine it may be repeated.
    steps : int, optional
        Optimizer steps; the warm-up is shortened in proportion.
    window : int, optional
        Window length in bp, centred on the TSS; at most the dataset's.
    fold : int, optional
        Hold out the chromosomes of this fold, 1 to 12 (11 is the paper's split).
    scale : {"paper", "small"}, optional
        Size of the network and length of the training; small takes minutes on a CPU.
    engine : {"local", "slurm", "dask"}, optional
        Train a run for each cell type and each seed, on this machine or a cluster.
    settings : tuple of str
        A setting of the run, as key=value (objective.alpha=0.1), or of the engine (engine.KEY=VALUE); may be repeated.
    resume : bool
        Continue a training that was stopped.
    max_time : str, optional
        Stop after this time (90s, 30m, 12h); --resume continues.
    force : bool
        Replace an existing run.
    """
    from epigx.cli.config import configure, seconds_of

    on, of_run = choose_engine(engine, settings, force=force, max_time=max_time)
    options: dict[str, Any] = {"data": data, "steps": steps, "window": window, "scale": scale, "fold": fold}
    if on is not None:
        return _train_each(recipe, out, cell_type, seed, on, options | {"settings": of_run})
    if len(seed) > 1:
        raise ConfigError("Several --seed need --engine, which trains a run for each. Give one, or add --engine local.")
    seconds = None if max_time is None else seconds_of(max_time)
    config = configure(recipe, cell_types=cell_type, seed=next(iter(seed), None), settings=of_run, **options)
    from epigx.cli.machine import prepare
    from epigx.training.distributed import Processes
    from epigx.training.train import train as fit

    processes = Processes.launched()
    if not processes.leads:
        configure_logging(-2)
    prepare(torch=config.method.uses_torch)
    cells = ", ".join(config.data.cell_types)
    together = f", {processes.count} processes" if processes.count > 1 else ""
    plan = f"Training {recipe} on {cells}{config.method.plan}{together}."
    with Progress("Training") as progress:
        run = fit(
            config,
            out,
            resume=resume,
            force=force,
            max_time=seconds,
            started=lambda: say(plan + _cropped(config)),
            progress=partial(_show, progress),
        )
    done = f" {run.provenance.steps_done:,} steps" if run.provenance.steps_done else ""
    if run.finished:
        say(f"Trained{done} in {duration(run.provenance.wall_seconds)}.")
    else:
        warn(f"Stopped after{done}; continue with --resume.")
    say("Validation: " + ", ".join(f"{key} {value:.4g}" for key, value in run.metrics.items() if type(value) is float))
    if processes.leads:
        emit(str(out))
    return DONE


def _train_each(
    recipe: str, out: Path, cell_types: Sequence[str], seeds: Sequence[int], engine: Engine, options: Mapping[str, Any]
) -> int:
    """Train a run for each cell type and each seed."""
    from epigx.cli.config import check_names, configure
    from epigx.engines.training import train_all
    from epigx.runs.config import RunConfig

    dataset = check_names(recipe, options["data"], cell_types, each=True)
    if not cell_types and dataset is not None:
        labelled = [name for name in dataset.cell_types if dataset.genes[f"expression:{name}"].notna().any()]
        cell_types = labelled or dataset.cell_types
    elif not cell_types:
        cell_types = RunConfig.load(recipe).data.cell_types
    runs = {}
    for cell_type in cell_types:
        for seed in seeds or (None,):
            config = configure(recipe, cell_types=[cell_type], seed=seed, **options)
            used = config.method.seed_used
            runs[cell_type if used is None else f"{cell_type}-{used}"] = config
    return run_tasks(
        "Training",
        lambda progress: train_all(runs, out, engine=engine, progress=progress),
        [str(out / name) for name in runs],
    )


def _cropped(config: RunConfig) -> str:
    """Return the sentence for a run that reads less than the dataset's window."""
    from epigx.dataset.store import open_dataset

    window, longest = config.data.window, open_dataset(config.data.path).window
    return f" Reading the central {window:,} of {longest:,} bp." if window is not None and window < longest else ""


def _show(progress: Progress, step: int, steps: int, validated: Mapping[str, float]) -> None:
    note = f"validation MSE {validated['valid_mse']:.4f}" if "valid_mse" in validated else ""
    progress(step, steps, note)
