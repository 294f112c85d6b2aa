"""Gene expression from the DNA and the epigenomic signals around a TSS, with background signals adjusted for.

The public names are loaded on first use, so ``import epigx`` is quick and brings no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from epigx.version import __version__

if TYPE_CHECKING:
    from epigx import recipes
    from epigx.batch import Batch, Prediction
    from epigx.dataset.build.build import build
    from epigx.dataset.manifest.schema import read_manifest
    from epigx.dataset.store import open_dataset
    from epigx.dataset.validate.check import check
    from epigx.dataset.windows import Windows
    from epigx.evaluation.arrays import predict_arrays
    from epigx.evaluation.evaluate import evaluate
    from epigx.evaluation.predict import predict
    from epigx.runs.folder import open_run
    from epigx.runs.folder import open_run as load
    from epigx.simulator.simulate import simulate
    from epigx.training.train import train

__all__ = [
    "Batch",
    "Prediction",
    "Windows",
    "__version__",
    "build",
    "check",
    "evaluate",
    "load",
    "open_dataset",
    "open_run",
    "predict",
    "predict_arrays",
    "read_manifest",
    "recipes",
    "simulate",
    "train",
]

_HOMES = {
    "Batch": "epigx.batch:Batch",
    "Prediction": "epigx.batch:Prediction",
    "Windows": "epigx.dataset.windows:Windows",
    "build": "epigx.dataset.build.build:build",
    "check": "epigx.dataset.validate.check:check",
    "evaluate": "epigx.evaluation.evaluate:evaluate",
    "load": "epigx.runs.folder:open_run",
    "open_dataset": "epigx.dataset.store:open_dataset",
    "open_run": "epigx.runs.folder:open_run",
    "predict": "epigx.evaluation.predict:predict",
    "predict_arrays": "epigx.evaluation.arrays:predict_arrays",
    "read_manifest": "epigx.dataset.manifest.schema:read_manifest",
    "recipes": "epigx.recipes:",
    "simulate": "epigx.simulator.simulate:simulate",
    "train": "epigx.training.train:train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'epigx' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    home = import_module(module)
    return getattr(home, attribute) if attribute else home


def __dir__() -> list[str]:
    return __all__
