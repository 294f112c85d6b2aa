from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from epigx.system.denormals import flushed_denormals

pytestmark = pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this CPU cannot flush denormals")

# Each row of the product is made by one of two threads; the products of its factors are 1e-40.
PROGRAM = """
from epigx.system.setup_process import setup_process
setup_process()
import torch
torch.set_num_threads(2)
rows, columns = torch.full((20_000, 64), 1e-20), torch.full((64, 64), 1e-20)
print(int((rows @ columns != 0).sum()), float(torch.full((4,), 1e-20) @ torch.full((4,), 1e-17)) > 0)
"""


def test_a_command_has_no_denormals_on_any_thread() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]


def test_denormals_are_zero_inside_and_themselves_again_outside() -> None:
    small = torch.full((4,), 1e-30)
    with flushed_denormals():
        assert ((small * 1e-10) == 0).all()
        with flushed_denormals():
            pass
        assert ((small * 1e-10) == 0).all()
    assert ((small * 1e-10) != 0).all()


def test_they_are_themselves_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="stop"), flushed_denormals():
        raise ValueError("stop")
    assert torch.tensor(1e-30) * 1e-10 != 0
