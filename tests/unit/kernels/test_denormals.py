from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from epigx.kernels import flush_denormals

# Each row of a product is made by one of two threads; the products of its factors lie between 1e-40 and 1e-38.
PROGRAM = """
from epigx.cli.machine import prepare
prepare()
import torch
torch.set_num_threads(2)
rows, columns = torch.full((20_000, 64), 1e-20), torch.full((64, 64), 1e-20)
print(int((rows @ columns != 0).sum()), float(torch.full((4,), 1e-20) @ torch.full((4,), 1e-17)) > 0)
"""


def test_a_command_has_no_denormals_on_any_thread() -> None:
    if not torch.set_flush_denormal(False):
        pytest.skip("this CPU cannot flush denormals")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]


def test_denormals_are_zero() -> None:
    small = torch.full((4,), 1e-30)
    try:
        flushed = flush_denormals()
        assert ((small * 1e-10) == 0).all() == flushed
    finally:
        torch.set_flush_denormal(False)
    assert ((small * 1e-10) != 0).all()
