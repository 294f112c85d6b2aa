"""The standard prediction h(X, H) of many windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from epigx.dataset.loader import eval_loader
from epigx.dataset.windows import Windows
from epigx.layers.checkpointing import spare_memory
from epigx.system.denormals import flushed_denormals

__all__ = ["evaluation_batch", "pick_device", "predict_windows"]

EVALUATION_BATCH = 32
"""Most windows per batch in prediction; the predictions do not depend on it."""

EVALUATION_BASES = 320_000
"""Base pairs per batch in prediction: with more than 10 kb per gene, fewer genes fit into memory."""

LONG_WINDOW = 50_000
"""Window in bp above which a layer's tensors are so large that memory fragmentation matters."""


def evaluation_batch(windows: Windows) -> int:
    """Return how many windows to predict at a time."""
    return max(1, min(EVALUATION_BATCH, EVALUATION_BASES // windows.bases))


def pick_device() -> torch.device:
    """Return the accelerator if there is one, and otherwise the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def predict_windows(
    model: nn.Module,
    windows: Windows,
    *,
    batch_size: int | None = None,
    device: torch.device | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Predict the expression of every window with one forward pass, h(X, H), in float32.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode; it is moved to ``device``.
    batch_size : int, optional
        Windows at a time; by default 32, and fewer where they are longer than 10 kb.
    device : torch.device, optional
        Where to compute; the accelerator if there is one.
    progress : callable, optional
        Called after each batch with the number of windows done and their total.

    Returns
    -------
    ndarray of float32, (window,)
        log10(1 + x).
    """
    device = device or pick_device()
    model = model.to(device)
    if windows.inputs.window > LONG_WINDOW:
        spare_memory(model, device, torch.float32)
    with torch.inference_mode(), torch.autocast(device.type, enabled=False), flushed_denormals():
        predicted = torch.zeros(len(windows))
        done = 0
        for batch in eval_loader(windows, batch_size or evaluation_batch(windows)):
            predicted[done : done + len(batch)] = model(batch.to(device)).expression.float().cpu()
            done += len(batch)
            if progress is not None:
                progress(done, len(windows))
    return predicted.numpy()
