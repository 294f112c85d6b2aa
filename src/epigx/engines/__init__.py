"""Engines that run a list of tasks: on this machine, on a SLURM cluster, on a Dask cluster."""

from epigx.engines.base import Engine, Outcome, Progress, Task
from epigx.engines.dask import Dask
from epigx.engines.local import Local
from epigx.engines.slurm import Slurm

__all__ = ["Dask", "Engine", "Local", "Outcome", "Progress", "Slurm", "Task"]
