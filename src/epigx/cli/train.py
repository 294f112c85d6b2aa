"""``epigx train``: a recipe and a dataset to a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import configure_logging, emit, say
from epigx.cli.options import Force, Out, Settings
from epigx.cli.progress import Progress, duration

app = App(
    name="train",
    help_epilogue=(
        "Example:\n"
        "  epigx train infer --data data/k562 --cell-type K562 --seed 2 -o runs/infer-2\n"
        "  epigx train infer --data data/k562 --cell-type K562 --steps 2000 --window 500 \\\n"
        "      --set objective.alpha=0.1 -o runs/short --max-time 30m\n"
        "  epigx train runs/short/config.yaml -o runs/again\n"
        "  epigx train infer --data data/k562 --cell-type K562 --fold 3 -o runs/fold-3\n"
        "  torchrun --nproc-per-node 4 -m epigx train infer --data data/k562 -o runs/four\n\n"
        "Recipes: infer (the paper), caduceus-signals (the same without intervention), prism (the later official\n"
        "code); on DNA alone: caduceus, mamba, hyenadna, enformer; on selected positions: seq2exp-soft,\n"
        "seq2exp-hard, macs3-mask; on candidate enhancers: epinformer. A training that was stopped goes on with the\n"
        "same command and --resume."
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
    seed: int | None = None,
    steps: int | None = None,
    window: int | None = None,
    fold: int | None = None,
    scale: Literal["paper", "small"] | None = None,
    settings: Settings = (),
    resume: bool = False,
    max_time: str | None = None,
    force: Force = False,
) -> None:
    """Train a model and write a run folder.

    Parameters
    ----------
    recipe : str
        Name of a recipe, or a run's config.yaml.
    out : Path
        The run folder to write.
    data : Path, optional
        The dataset folder.
    cell_type : tuple of str
        Cell type to train on; may be repeated. By default the dataset's only one.
    seed : int, optional
        Seed of the weights and of the order of genes.
    steps : int, optional
        Optimizer steps; the warm-up is shortened in proportion.
    window : int, optional
        Length in bp of the windows, at most the dataset's.
    fold : int, optional
        Hold out the chromosomes of this one of the twelve folds (11 is the paper's split).
    scale : {"paper", "small"}, optional
        Size of the network and the training; small takes minutes on a CPU.
    settings : tuple of str
        A value of the configuration, as key=value (objective.alpha=0.1); may be repeated.
    resume : bool
        Go on with a training that was stopped.
    max_time : str, optional
        Stop, resumably, after this long (90s, 30m, 12h).
    force : bool
        Replace an existing run.
    """
    from epigx.cli.config import configure, seconds_of
    from epigx.cli.machine import prepare
    from epigx.training.distributed import Processes
    from epigx.training.train import train as fit

    processes = Processes.launched()
    if not processes.leads:
        configure_logging(-2)
    seconds = None if max_time is None else seconds_of(max_time)
    config = configure(
        recipe,
        data=data,
        cell_types=cell_type,
        seed=seed,
        steps=steps,
        window=window,
        scale=scale,
        fold=fold,
        settings=settings,
    )
    say(prepare())
    on = ", ".join(config.data.cell_types)
    together = f", {processes.count} processes" if processes.count > 1 else ""
    plan = f"Training {recipe} on {on}{config.method.plan}{together}."
    with Progress("Training") as progress:
        run = fit(
            config,
            out,
            resume=resume,
            force=force,
            max_time=seconds,
            started=partial(say, plan),
            progress=partial(_tell, progress),
        )
    state = "Trained" if run.finished else "Stopped, and can go on with --resume,"
    say(f"{state} after {run.provenance.steps_done:,} steps, {duration(run.provenance.wall_seconds)}.")
    say("Validation: " + ", ".join(f"{key} {value:.4g}" for key, value in run.metrics.items() if type(value) is float))
    if processes.leads:
        emit(str(out))


def _tell(progress: Progress, step: int, steps: int, validated: Mapping[str, float]) -> None:
    note = f"validation MSE {validated['valid_mse']:.4f}" if "valid_mse" in validated else ""
    progress(step, steps, note)
