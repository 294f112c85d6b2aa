"""The method ``network``: a model trained by an objective with AdamW."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from epigx.batch import Need
from epigx.dataset.inputs import Inputs
from epigx.dataset.loader import eval_loader
from epigx.dataset.windows import Windows
from epigx.errors import EpigxError, RunError
from epigx.kernels import kernel_in_use
from epigx.models import Model
from epigx.objectives import Objective
from epigx.runs.folder import remove_partials
from epigx.runs.method import FittedModel, Method, Progress, TrainingFacts
from epigx.runs.session import Session
from epigx.runs.training_data import TrainingData
from epigx.system.denormals import flushed_denormals
from epigx.training.checkpoint import State
from epigx.training.config import TrainingConfig
from epigx.training.distributed import Processes
from epigx.training.inference import evaluation_batch, predict_windows
from epigx.training.loop import fit
from epigx.training.setup import prepare
from epigx.training.weights import Networks, build_networks, read_weights, write_weights

__all__ = ["RATE", "FittedNetwork", "Network", "StoppedError"]


RATE = 10e9
"""Operations per second that one CPU core is assumed to do."""

_log = logging.getLogger(__name__)


class StoppedError(RunError):
    """A signal stopped the training before its last step; its state was saved."""

    exit_code = 130


class Network(Method):
    """A network: a model, the objective that trains it, and the training settings."""

    packages: ClassVar[tuple[str, ...]] = ("torch",)
    uses_torch: ClassVar[bool] = True

    kind: Literal["network"] = "network"
    model: Model
    """The network that predicts."""
    objective: Objective
    """Turns predictions into the loss to minimise."""
    training: TrainingConfig = TrainingConfig()
    """Optimizer, schedule, batches."""

    @property
    def needs(self) -> frozenset[Need]:
        """Optional data that the model reads besides DNA, signals and features."""
        return self.model.needs

    @property
    def seed_used(self) -> int:
        """Seed of the weights and of the order of genes."""
        return self.training.seed

    def with_seed(self, seed: int) -> Network:
        """Return the method with another seed."""
        return self.model_copy(update={"training": self.training.model_copy(update={"seed": seed})})

    def with_steps(self, steps: int) -> tuple[str, ...]:
        """Shorten the warm-up in proportion."""
        warmup = self.training.warmup_steps * steps // self.training.steps
        return f"training.steps={steps}", f"training.warmup_steps={warmup}"

    @property
    def plan(self) -> str:
        """Steps and seed."""
        return f": {self.training.steps:,} steps, seed {self.training.seed}"

    @property
    def label(self) -> str:
        """Model, backbone and objective."""
        model, objective = self.model.model_dump(), self.objective.model_dump()
        backbone = f" on {model['backbone']['kind']}" if "backbone" in model else ""
        return f"model {model['kind']}{backbone} · objective {objective['kind']}"

    @property
    def threads(self) -> int | None:
        """CPU threads."""
        return self.training.threads

    def check_processes(self, count: int) -> None:
        """Check that several processes train the same model as one."""
        Processes(count=count).check(self.training.batch_size, self.objective)

    def parameters(self, n_signals: int, n_features: int, window: int) -> dict[str, int]:
        """Count parameters without allocating them."""
        with torch.device("meta"):
            model = self.model.build(n_signals, n_features, window)
            objective = self.objective.build(self.model, n_signals)
        return Networks(model, objective).parameters()

    def cpu_hours(self, window: int, parameters: int, n_elements: int) -> float:
        """Return 6 operations per weight, position, gene of a step and prediction, at :data:`RATE` per second.

        That is a multiplication and an addition per weight in the forward pass, and twice that in the backward pass.
        """
        cost = self.model.cost(window, parameters, n_elements)
        predictions = self.training.steps * self.training.batch_size * self.objective.predictions
        return 6 * cost.weights * cost.positions * predictions / RATE / 3600

    def memory_gb(self, window: int, n_elements: int) -> float:
        """Return 1 GB for the process, five numbers per weight, and the hidden states kept for the backward pass."""
        weights = 0
        with torch.device("meta"), suppress(EpigxError):  # the run itself reports why its model cannot be built
            network = self.model.build(n_signals=3, n_features=9, window=window)
            weights = sum(weight.numel() for weight in network.parameters())
        kept = 1 / 3 if self.training.checkpoint_layers else 1.0
        hidden = 1e-9 * self.model.cost(window, weights, n_elements).bytes_per_gene
        return 1.0 + 20e-9 * weights + self.training.batch_size * self.objective.predictions * hidden * kept

    def fit(self, data: TrainingData, session: Session) -> FittedNetwork:
        """Train; the weights kept are those with the lowest mean squared error over the validation genes."""
        with _threads(self.training.threads), flushed_denormals():
            return self._fit(data, session)

    def _fit(self, data: TrainingData, session: Session) -> FittedNetwork:
        processes, material = Processes.launched(), prepare(self, data)
        networks, device = material.networks, material.device
        processes.wait()  # until all have looked at the folder
        resumed = session.resume and session.checkpoint.is_file()
        kernel = kernel_in_use(device)
        if resumed:
            state = _resume(data, session, kernel.name, processes)
        else:
            state = State(data.dataset.hash, kernel.name, processes.count)
        session.start(data.inputs, resumed=resumed)
        if state.step < self.training.steps:
            fit(material, self.training, state, session, processes)
        if state.step < self.training.steps and session.interruption.received:
            raise StoppedError(
                f"{session.interruption.received} received: stopped after {state.step:,} of "
                f"{self.training.steps:,} steps. Continue with --resume."
            )
        if state.best is not None:
            networks.load(state.best.weights, source="the best weights")
        fitted = FittedNetwork(networks, device)
        fitted.facts = TrainingFacts(
            finished=state.step >= self.training.steps,
            steps_done=state.step,
            best_step=state.best.step if state.best is not None else state.step,
            device=f"cuda: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type,
            kernel=kernel.name,
            kernel_why=kernel.why,
            processes=state.processes,
            wall_seconds=round(state.wall_seconds, 3),
            cpu_seconds=round(state.cpu_seconds, 3),
            log=pd.DataFrame(state.rows) if state.rows else None,
        )
        return fitted

    def load_fitted(self, folder: Path, inputs: Inputs) -> FittedNetwork:
        """Read ``weights.safetensors``."""
        networks = build_networks(self.model, self.objective, inputs)
        read_weights(folder / "weights.safetensors", networks)
        return FittedNetwork(networks)


class FittedNetwork(FittedModel):
    """Trained networks, which predict on ``device``, or on the accelerator if there is one."""

    def __init__(self, networks: Networks, device: torch.device | None = None) -> None:
        self.networks = Networks(networks.model.eval(), networks.objective.eval())
        self.device = device

    def predict(
        self, windows: Windows, *, batch_size: int | None = None, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Predict by the standard prediction h(X, H)."""
        model = self.networks.model
        return predict_windows(model, windows, batch_size=batch_size, device=self.device, progress=progress)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors``: ``model.*`` and ``objective.*``."""
        write_weights(folder / "weights.safetensors", self.networks)

    def parameters(self) -> dict[str, int]:
        """Count the parameters of the model and of the objective."""
        return self.networks.parameters()

    def diagnostics(self, windows: Windows) -> Mapping[str, NDArray[np.floating[Any]]]:
        """Return the objective's values for each gene, such as the background patterns."""
        objective = self.networks.objective
        device = next((p.device for p in objective.parameters()), torch.device("cpu"))
        with torch.inference_mode():
            batches = eval_loader(windows, evaluation_batch(windows))
            rows = [objective.diagnostics(batch.to(device)) for batch in batches]
        names = rows[0] if rows else ()
        return {name: torch.cat([row[name] for row in rows]).float().cpu().numpy() for name in names}


def _resume(data: TrainingData, session: Session, kernel: str, processes: Processes) -> State:
    """Return the state of a training to be resumed.

    Raises
    ------
    RunError
        Its checkpoint is damaged, or of another dataset or kernel.
    """
    state = State.load(session.checkpoint)
    if session.leads:
        remove_partials(session.folder)
    if state.dataset_hash != data.dataset.hash:
        raise RunError(
            f"{session.folder} was trained on another dataset than {data.dataset.path} holds now. Train again."
        )
    if state.kernel != kernel:
        raise RunError(
            f"{session.folder} was started with the kernel {state.kernel!r}, and {kernel!r} would give other weights. "
            f"Set EPIGX_KERNEL={state.kernel} to continue, or train again with --force."
        )
    if state.processes != processes.count:
        _log.warning(
            "%s was started with %d processes and continues with %d: its weights will be the same up to rounding, not "
            "bit for bit.", session.folder, state.processes, processes.count,
        )  # fmt: skip
    _log.info("Resuming at step %d.", state.step)
    return state


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
