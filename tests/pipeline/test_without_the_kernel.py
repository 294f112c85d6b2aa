"""Without the compiled kernel everything works, and every command says that it is slower, why, and by how much."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from epigx.kernels import cpu, kernel
from epigx.kernels.cpu import library
from epigx.layers.mamba import BiMamba

SMALL = ("--steps", 3, "--set", "model.backbone.d_model=8", "--set", "model.backbone.n_layers=1")


SLOWER = f"about {cpu.SPEEDUP} times slower than epigx's C++ kernel"


@pytest.fixture
def _no_library(monkeypatch, tmp_path):
    """Take the library away, as where no compiler was at hand."""
    monkeypatch.delenv("EPIGX_KERNEL", raising=False)
    monkeypatch.setattr(library, "_PATH", tmp_path / "nothing")
    library._open.cache_clear()
    yield
    library._open.cache_clear()


@pytest.fixture
def _asked(monkeypatch):
    """Ask for plain PyTorch."""
    monkeypatch.setenv("EPIGX_KERNEL", "torch")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("_no_library", f"Plain PyTorch, {SLOWER}: it was not built"),
        ("_asked", f"Set by EPIGX_KERNEL=torch: plain PyTorch, {SLOWER}."),
    ],
)
def test_training_evaluation_and_prediction_work_and_say_that_they_are_slower(
    epigx, dataset, run, tmp_path, request, how, why
):
    compiled = epigx("predict", run, "--data", dataset, "-o", tmp_path / "compiled.tsv")
    assert compiled.status == 0
    request.getfixturevalue(how)
    own = tmp_path / "run"
    for words in (
        ("train", "infer", "--data", dataset, "--cell-type", "simA", *SMALL, "-o", own),
        ("evaluate", own, "--bootstrap", 0),
        ("predict", run, "--data", dataset, "-o", tmp_path / "plain.tsv"),
    ):
        ended = epigx(*words)
        assert ended.status == 0, ended.err
        (line,) = [line for line in ended.err.splitlines() if "slower" in line] or [ended.err]
        assert line.startswith("Device: cpu")
        assert why in line
    doctor = epigx("doctor")
    assert why in doctor.out
    one, other = (pd.read_csv(tmp_path / f"{name}.tsv", sep="\t") for name in ("compiled", "plain"))
    pd.testing.assert_frame_equal(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "growth"), [("native", 1), ("torch", 5)])  # of √16 and little more
def test_no_kernel_takes_a_step_of_pytorch_for_each_base(name, growth):
    if name == "native" and cpu.missing():
        pytest.skip(f"the compiled kernel cannot be used: {cpu.missing()}")
    block = BiMamba(d_model=8)

    def operations(length: int) -> int:
        with kernel(name), profile(activities=[ProfilerActivity.CPU]) as found:
            block(torch.randn(1, length, 8)).sum().backward()
        return sum(event.count for event in found.key_averages() if event.key.startswith("aten::"))

    operations(16)
    assert operations(1024) <= growth * operations(64)
