"""``epigx train``: a run folder from a recipe and a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import configure_logging, emit, say, warn
from epigx.cli.options import Force, Out, Settings
from epigx.cli.progress import Progress, duration

if TYPE_CHECKING:
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
        "  torchrun --nproc-per-node 4 -m epigx train infer --data data/k562 -o runs/four\n\n"
        "Recipes with signals: infer (the paper), caduceus-signals (the same without the intervention), prism (the "
        "later official code). With DNA only: caduceus, mamba, hyenadna, enformer. With selected positions: "
        "seq2exp-soft, seq2exp-hard, macs3-mask. With candidate enhancers: epinformer.\n\n"
        "If a training is stopped, the same command with --resume continues it."
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
        Name of a recipe, or the config.yaml of a run.
    out : Path
        Run folder to write.
    data : Path, optional
        Dataset folder.
    cell_type : tuple of str
        Cell type to train on; may be repeated. By default the dataset's only one.
    seed : int, optional
        Seed of the initial weights and of the order of genes.
    steps : int, optional
        Optimizer steps; the warm-up is shortened in proportion.
    window : int, optional
        Window length in bp, centred on the TSS; at most the dataset's.
    fold : int, optional
        Hold out the chromosomes of this fold, 1 to 12 (11 is the paper's split).
    scale : {"paper", "small"}, optional
        Size of the network and length of the training; small takes minutes on a CPU.
    settings : tuple of str
        A setting of the run, as key=value (objective.alpha=0.1); may be repeated.
    resume : bool
        Continue a training that was stopped.
    max_time : str, optional
        Stop after this time (90s, 30m, 12h); --resume continues.
    force : bool
        Replace an existing run.
    """
    from epigx.cli.early import check_early

    check_early(recipe, data, cell_type)
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
    prepare(torch=config.method.uses_torch)
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


def _cropped(config: RunConfig) -> str:
    """Return the sentence for a run that reads less than the dataset's window."""
    from epigx.dataset.store import open_dataset

    window, longest = config.data.window, open_dataset(config.data.path).window
    return f" Reading the central {window:,} of {longest:,} bp." if window is not None and window < longest else ""


def _show(progress: Progress, step: int, steps: int, validated: Mapping[str, float]) -> None:
    note = f"validation MSE {validated['valid_mse']:.4f}" if "valid_mse" in validated else ""
    progress(step, steps, note)
