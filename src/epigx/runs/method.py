"""The base classes of methods, which learn from labelled windows, and of the fitted models that they return.

A method of another package is one file with a :class:`Method` and a :class:`FittedModel`, registered as an entry point
``epigx.methods``. Nothing here imports torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.config import Kind
from epigx.dataset.inputs import Inputs
from epigx.errors import ConfigError

if TYPE_CHECKING:
    from epigx.batch import Need
    from epigx.dataset.windows import Windows
    from epigx.runs.session import Session
    from epigx.runs.training_data import TrainingData

__all__ = ["FittedModel", "Method", "Progress", "TrainingFacts"]

Progress = Callable[[int, int], None]
"""Called with the number of genes done and their total."""


@dataclass(frozen=True)
class TrainingFacts:
    """What a training reports for ``provenance.json`` and ``log.csv``.

    Parameters
    ----------
    finished : bool
        Whether training reached its last step.
    steps_done, best_step : int
        Steps made, and the step whose model was kept.
    device, kernel, kernel_why : str
        Where it was trained, by which implementation of the hot loops, and why that one.
    processes : int
        How many processes trained together.
    wall_seconds, cpu_seconds : float
        Duration, summed over resumptions.
    log : DataFrame or None
        One row per validation.
    """

    finished: bool = True
    steps_done: int = 0
    best_step: int = 0
    device: str = "cpu"
    kernel: str = ""
    kernel_why: str = ""
    processes: int = 1
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    log: pd.DataFrame | None = field(default=None, repr=False)


class FittedModel(ABC):
    """A model that has learned: it predicts windows, saves itself, and describes itself.

    Attributes
    ----------
    facts : TrainingFacts
        How it was trained; only of a model that ``fit`` returned.
    """

    facts: TrainingFacts = TrainingFacts()

    @abstractmethod
    def predict(
        self, windows: Windows, *, batch_size: int | None = None, progress: Progress | None = None
    ) -> NDArray[np.floating[Any]]:
        """Predict the expression of every window.

        Parameters
        ----------
        windows : Windows
            What to predict, read by the inputs that the model was fitted with.
        batch_size : int, optional
            Windows at a time. The predictions do not depend on it.
        progress : callable, optional
            Called with the number of windows done and their total.

        Returns
        -------
        ndarray, (window,)
            log10(1 + x).
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model's files into a folder that exists, each atomically; the files hold data, never code."""

    def parameters(self) -> dict[str, int]:
        """Return the number of fitted parameters, by component."""
        return {}

    def describe(self) -> dict[str, str]:
        """Return facts about the model for a report: label to value."""
        return {}

    def diagnostics(self, windows: Windows) -> Mapping[str, NDArray[np.floating[Any]]]:
        """Return further values per window, by name, such as background patterns; the first axis is the window."""
        return {}


class Method(Kind):
    """How a run learns; a new method is a subclass with its own ``kind``, ``fit`` and ``load_fitted``."""

    builtin: ClassVar[Mapping[str, str]] = {
        "network": "epigx.training.network:Network",
        "gradient_boosting": "epigx.baselines.boosting:GradientBoosting",
        "ridge": "epigx.baselines.ridge:Ridge",
        "promoter_activity": "epigx.baselines.activity:PromoterActivity",
    }
    group: ClassVar[str] = "epigx.methods"

    packages: ClassVar[tuple[str, ...]] = ()
    """Packages whose versions the numbers depend on, for ``provenance.json``."""

    uses_torch: ClassVar[bool] = False
    """Whether it runs on PyTorch; commands on other methods never import it."""

    @property
    def needs(self) -> frozenset[Need]:
        """Optional data that it reads besides DNA, signals and features, such as peaks."""
        return frozenset()

    @property
    def required_features(self) -> frozenset[str]:
        """Features that a dataset must have, by name."""
        return frozenset()

    @property
    def seed_used(self) -> int | None:
        """Seed that the fit depends on; none where nothing is random."""
        return None

    def with_seed(self, seed: int) -> Method:
        """Return the method with another seed; itself where nothing is random."""
        return self

    def with_steps(self, steps: int) -> tuple[str, ...]:
        """Return the settings, as ``key=value``, that make training that many steps long, or raise ConfigError."""
        raise ConfigError(f"--steps {steps}: the method {self.label!r} does not train in steps. Leave --steps out.")

    @property
    def plan(self) -> str:
        """What the command line prints about the work ahead, such as ``: 2,000 steps, seed 2``."""
        return ""

    @property
    def label(self) -> str:
        """One line about the method, for reports."""
        return str(getattr(self, "kind", type(self).__name__)).replace("_", " ")

    def parameters(self, n_signals: int, n_features: int, window: int) -> dict[str, int]:
        """Return how many parameters it would fit, without fitting; empty where that depends on the data."""
        return {}

    def cpu_hours(self, window: int, parameters: int, n_elements: int) -> float:
        """Return a rough estimate of the training time in CPU hours.

        Parameters
        ----------
        window : int, bp
            Length of the windows.
        parameters : int
            Fitted parameters of the model.
        n_elements : int
            Regulatory elements per gene, including the promoter.
        """
        return 0.01

    def memory_gb(self, window: int, n_elements: int) -> float:
        """Return roughly how much memory training takes, in GB."""
        return 4.0

    def check_processes(self, count: int) -> None:
        """Raise ConfigError if the method cannot train with this number of processes."""
        if count > 1:
            raise ConfigError(f"The method {self.label!r} trains in one process, and {count} were started. Start one.")

    @property
    def threads(self) -> int | None:
        """CPU threads that it was set to use; none: as many as there are."""
        return None

    @abstractmethod
    def fit(self, data: TrainingData, session: Session) -> FittedModel:
        """Learn from ``data.train`` and choose on ``data.valid``.

        Parameters
        ----------
        data : TrainingData
            Labelled windows of the training and the validation genes, and the fitted inputs.
        session : Session
            The run's folder and how to stop. Call ``session.start()`` once nothing was found wrong and before long
            work; ``fit`` may ignore it otherwise.

        Raises
        ------
        ConfigError, DatasetError
            The settings do not fit the data; raised before ``session.start()``.
        """

    @abstractmethod
    def load_fitted(self, folder: Path, inputs: Inputs) -> FittedModel:
        """Read the model that :meth:`FittedModel.save` wrote.

        Raises
        ------
        RunError
            A file is missing, damaged, or belongs to another model.
        """
