"""The standard prediction of many windows, and its scores over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from epigx.dataset.loader import eval_loader
from epigx.dataset.windows import Windows
from epigx.layers.checkpointing import spare_memory

__all__ = ["evaluation_batch", "pick_device", "predict_windows", "score"]

EVALUATION_BATCH = 32
"""Windows in flight at most when nothing is trained; predictions do not depend on it."""

EVALUATION_BASES = 320_000
"""Base pairs in flight when nothing is trained: where a gene has more than 10 kb of them, fewer genes fit in memory."""

LONG_WINDOW = 50_000
"""Base pairs of a window from which on a layer's tensors are so large that gaps between them matter."""


def evaluation_batch(windows: Windows) -> int:
    """Return how many windows to have in flight when nothing is trained."""
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
    """Predict the expression of every window by one pass of the model, h(X, H), in float32.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode; it is moved to ``device``.
    windows : Windows
        What to predict.
    batch_size : int, optional
        Windows at a time; by default 32, and fewer where they are longer than 10 kb.
    device : torch.device, optional
        Where to compute; the accelerator if there is one.
    progress : callable, optional
        Called after each batch with the windows done and their number.

    Returns
    -------
    ndarray of float32, (window,)
        log10(1 + x).
    """
    device = device or pick_device()
    model = model.to(device)
    if windows.inputs.window > LONG_WINDOW:
        spare_memory(model, device, torch.float32)
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        predicted = torch.zeros(len(windows))
        done = 0
        for batch in eval_loader(windows, batch_size or evaluation_batch(windows)):
            predicted[done : done + len(batch)] = model(batch.to(device)).expression.float().cpu()
            done += len(batch)
            if progress is not None:
                progress(done, len(windows))
    return predicted.numpy()


def score(predicted: Float[Tensor, " window"], observed: Float[Tensor, " window"]) -> dict[str, float]:
    """Return the errors and the correlation over all windows: ``mse``, ``mae``, ``pearson``.

    The correlation is NaN when one side does not vary.
    """
    one, other = (values.cpu().double().numpy() for values in (predicted, observed))
    varies = len(other) > 1 and one.std(ddof=1) > 1e-7 and other.std(ddof=1) > 1e-7
    return {
        "mse": float(np.square(one - other).mean()),
        "mae": float(np.abs(one - other).mean()),
        "pearson": float(np.corrcoef(one, other)[0, 1]) if varies else math.nan,
    }
