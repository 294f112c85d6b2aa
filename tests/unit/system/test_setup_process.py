from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

PROGRAM = """
import os, sys
from epigx.system.setup_process import setup_process
{call}
print(os.environ["OMP_WAIT_POLICY"], os.environ.get("OMP_NUM_THREADS"), "torch" in sys.modules)
if "torch" in sys.modules:
    import torch
    print(torch.get_num_threads(), bool(torch.full((), 1e-30) * 1e-10 == 0))
"""


def _run(call: str, **environment: str) -> list[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    program = PROGRAM.replace("{call}", call)
    done = subprocess.run(
        [sys.executable, "-c", program], env={**inherited, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_process_without_torch_does_not_import_it():
    assert _run("setup_process(torch=False)") == ["passive", "None", "False"]
    assert _run("setup_process(3, torch=False)") == ["passive", "3", "False"]


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this CPU cannot flush denormals")
def test_a_process_with_torch_gets_its_threads_and_flushes_denormals():
    assert _run("setup_process(2)") == ["passive", "None", "True", "2", "True"]


def test_the_number_of_threads_stays_unless_it_is_given():
    assert _run("setup_process()", OMP_NUM_THREADS="1")[3] == "1"


def test_a_wait_policy_of_the_user_stays():
    assert _run("setup_process(torch=False)", OMP_WAIT_POLICY="active")[0] == "active"
