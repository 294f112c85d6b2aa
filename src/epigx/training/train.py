"""``train``: a configuration to a run folder, taken up again wherever it was broken off."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from epigx.errors import RunError
from epigx.kernels import kernel_in_use
from epigx.runs.config import RunConfig
from epigx.runs.folder import Run, open_run, remove_partials, write_files, write_run, write_text
from epigx.runs.provenance import Provenance, versions
from epigx.system.denormals import flushed_denormals
from epigx.system.locks import Hold
from epigx.system.shutdown import Interruption
from epigx.training.checkpoint import State
from epigx.training.distributed import Processes
from epigx.training.inference import predict_windows, score
from epigx.training.loop import Progress, fit
from epigx.training.output_dir import alone, check_output, finished_run, remove_run
from epigx.training.setup import Material, prepare

__all__ = ["Run", "StoppedError", "open_run", "train", "write_run"]

_log = logging.getLogger(__name__)


class StoppedError(RunError):
    """A signal ended the training before its last step; its state was saved."""

    exit_code = 130


def train(
    config: RunConfig,
    out: str | Path,
    *,
    resume: bool = False,
    force: bool = False,
    max_time: float | None = None,
    wait: bool = False,
    started: Callable[[], None] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train a model and write its run folder.

    The weights kept are those with the lowest mean squared error over the validation genes. Training can be broken off
    at any moment; the same call with ``resume`` then comes to the same weights, bit for bit on the same machine.
    Processes that torchrun or srun started train together (docs/training.md): all make the same call.

    Parameters
    ----------
    config : RunConfig
        From a recipe (:mod:`epigx.recipes`) or a file (``RunConfig.load``).
    out : str or Path
        The run folder.
    resume : bool
        Go on from the last checkpoint in ``out``, or start if there is none. A finished run is returned as it is.
    force : bool
        Replace a run that stands at ``out``.
    max_time : float, optional
        Seconds after which to stop, with the best weights so far (``Run.finished`` is then false) and a checkpoint.
    wait : bool
        Wait while another process writes the run, where it would be an error.
    started : callable, optional
        Called once, before the first step, when nothing was found wrong with the configuration, the data and ``out``.
    progress : callable, optional
        Called after each step with its number, the number of steps, and what the last validation found.

    Raises
    ------
    InputError
        ``out`` exists and neither ``resume`` nor ``force`` is given, is not a run, or cannot be written.
    DatasetError, ConfigError
        The data lacks something or does not fit the model, found before training; or the run to be resumed has another
        configuration.
    RunError
        Another process is writing the run; or the run to be resumed is damaged, or of another dataset or kernel.
    StoppedError
        SIGTERM or SIGINT came. The state was saved.
    DivergedError
        The loss is no longer a number.
    """
    processes, folder = Processes.launched(), Path(out)
    interruption = Interruption(max_time, launched=processes.count > 1)
    processes.check(config.training.batch_size, config.objective)
    if resume and (run := finished_run(folder, config)) is not None:  # to be read, where nothing may be written even
        return run
    processes.join()
    with alone(folder, processes, wait=wait) as hold, _threads(config.training.threads), flushed_denormals():
        check_output(folder, config, resume=resume, force=force)
        if resume and (run := finished_run(folder, config)) is not None:  # by the process that was waited for
            return run
        material = prepare(config)
        processes.wait()  # until all have looked at the folder
        state = _begin(folder, config, material, processes, resume=resume)
        if state.step < config.training.steps:
            if started is not None:
                started()
            fit(material, config.training, state, folder, interruption, processes, _watched(hold, progress))
        if state.step < config.training.steps and interruption.received:
            raise StoppedError(
                f"{interruption.received} stopped the training after {state.step:,} of {config.training.steps:,} "
                "steps. Go on with --resume."
            )
        return _finish(folder, config, material, state, processes)


def _watched(hold: Hold | None, progress: Progress | None) -> Progress:
    """Tell of each step, unless another process has taken the run over."""

    def told(done: int, total: int, validated: Mapping[str, float]) -> None:
        if hold is not None:
            hold.check()
        if progress is not None:
            progress(done, total, validated)

    return told


def _begin(folder: Path, config: RunConfig, material: Material, processes: Processes, *, resume: bool) -> State:
    """Return where training stands, after making or emptying the folder if it starts anew."""
    checkpoint = folder / "checkpoints" / "last.ckpt"
    kernel = kernel_in_use(material.device).name
    if resume and checkpoint.is_file():
        state = State.load(checkpoint)
        if processes.leads:
            remove_partials(folder)
        if state.dataset_hash != material.dataset.hash:
            raise RunError(f"{folder} was trained on another dataset than {config.data.path} holds now. Train it anew.")
        if state.kernel != kernel:
            raise RunError(
                f"{folder} was started with the kernel {state.kernel!r}, and {kernel!r} would come to other weights. "
                f"Set EPIGX_KERNEL={state.kernel} to go on with it, or train anew with --force."
            )
        if state.processes != processes.count:
            _log.warning(
                "%s goes on with another number of processes (%d) than it was started with (%d): its weights will be "
                "the same up to rounding, and not bit for bit.", folder, processes.count, state.processes,
            )  # fmt: skip
        _log.info("Going on from step %d.", state.step)
        return state
    if processes.leads:
        if folder.exists() and any(folder.iterdir()):
            remove_run(folder)
        write_text(folder / "config.yaml", config.dump())
        write_text(folder / "inputs.yaml", material.inputs.dump())
    return State(dataset_hash=material.dataset.hash, kernel=kernel, processes=processes.count)


def _finish(folder: Path, config: RunConfig, material: Material, state: State, processes: Processes) -> Run:
    """Write the run with its best weights, or, before the first validation, its last."""
    networks = material.networks
    step = state.step
    if state.best is not None:
        step = state.best.step
        networks.load(state.best.weights, source="the best weights")
    networks.model.eval()
    share = processes.shard.of(np.arange(len(material.valid)))
    found = predict_windows(networks.model, material.valid.only(share), device=material.device)
    predicted = processes.gathered(torch.from_numpy(found), len(material.valid)).numpy()
    if processes.leads:
        _write(folder, config, material, state, step, predicted)
    processes.wait()
    return open_run(folder)


def _write(
    folder: Path, config: RunConfig, material: Material, state: State, step: int, predicted: NDArray[np.float32]
) -> None:
    """Write the run's files: its weights, of the step given, and what they predict for the validation genes."""
    scores = score(torch.from_numpy(predicted), torch.from_numpy(material.valid.expression))
    metrics: dict[str, Any] = {name: None if math.isnan(value) else value for name, value in scores.items()}
    genes = material.dataset.genes.iloc[material.valid.row]
    predictions = pd.DataFrame(
        {
            "gene_id": genes["gene_id"].to_numpy(),
            "cell_type": material.valid.cell_type,
            "chrom": genes["chrom"].to_numpy(),
            "observed": material.valid.expression,
            "predicted": predicted,
        }
    )
    write_files(
        folder,
        config=config,
        inputs=material.inputs,
        networks=material.networks,
        metrics={"split": "valid", "step": step, **metrics, "n_genes": len(predicted)},
        provenance=_provenance(config, material, state, step),
        log=pd.DataFrame(state.rows) if state.rows else None,
        predictions=predictions,
    )


def _provenance(config: RunConfig, material: Material, state: State, best_step: int) -> Provenance:
    genes = material.dataset.genes.iloc[material.train.row]
    kernel = kernel_in_use(material.device)
    return Provenance(
        finished=state.step >= config.training.steps,
        dataset=config.data.path,
        dataset_hash=material.dataset.hash,
        cell_types=config.data.cell_types,
        split=material.split,
        chromosomes_trained=tuple(dict.fromkeys(genes["chrom"])),
        genes_trained=tuple(dict.fromkeys(genes["gene_id"])),
        n_train=len(material.train),
        n_valid=len(material.valid),
        n_without_label=material.n_without_label,
        n_low_coverage=material.n_low_coverage,
        seed=config.training.seed,
        steps_done=state.step,
        best_step=best_step,
        n_parameters=material.networks.parameters(),
        versions=versions(),
        device=_device_name(material.device),
        kernel=kernel.name,
        kernel_why=kernel.why,
        processes=state.processes,
        wall_seconds=round(state.wall_seconds, 3),
        cpu_seconds=round(state.cpu_seconds, 3),
    )


def _device_name(device: torch.device) -> str:
    return f"cuda: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
