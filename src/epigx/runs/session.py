"""One training: its folder, its processes and the requests to stop it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from epigx.dataset.inputs import Inputs
from epigx.errors import InputError
from epigx.runs.config import RunConfig
from epigx.runs.folder import write_text
from epigx.system.shutdown import Interruption

__all__ = ["Session", "StepProgress", "remove_run"]

StepProgress = Callable[[int, int, Mapping[str, float]], None]
"""Called with the steps done, their total, and the last validation's scores by name."""


@dataclass
class Session:
    """What a method's ``fit`` gets to know about its run."""

    folder: Path
    config: RunConfig
    resume: bool  # from a checkpoint in the folder, if there is one
    interruption: Interruption  # requests to stop
    leads: bool  # whether this process writes the files; of several that train together, one does
    progress: StepProgress  # to be called after each step
    started: Callable[[], None] | None = None  # called once when training starts
    _begun: bool = field(default=False, init=False)

    @property
    def checkpoint(self) -> Path:
        """File for what a method needs to resume."""
        return self.folder / "checkpoints" / "last.ckpt"

    def start(self, inputs: Inputs, *, resumed: bool = False) -> None:
        """Begin the run: replace an earlier run in the folder, unless it is resumed, and write the inputs."""
        if self._begun:
            return
        self._begun = True
        if self.leads and not resumed:
            if self.folder.exists() and any(self.folder.iterdir()):
                remove_run(self.folder)
            write_text(self.folder / "config.yaml", self.config.dump())
            write_text(self.folder / "inputs.yaml", inputs.dump())
        if self.started is not None:
            self.started()


def remove_run(folder: Path) -> None:
    """Remove a run. It is renamed first, so that an incomplete run is never mistaken for a complete one."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.old.", dir=folder.parent) as old:
            shutil.move(folder, old)
    except OSError as error:
        raise InputError(f"{folder} cannot be replaced: {error.strerror}. Choose another folder.") from error
