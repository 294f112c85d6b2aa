from __future__ import annotations

from multiprocessing import get_context

import benchmarks.worker
import pytest


@pytest.fixture(autouse=True)
def _workers_start_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the workers of benchmarks from a process that has imported PyTorch but not used it."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["torch", "benchmarks.block"])
    monkeypatch.setattr(benchmarks.worker, "get_context", lambda _: context)
