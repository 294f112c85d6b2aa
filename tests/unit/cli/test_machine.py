from __future__ import annotations

import os
import platform

import torch

from epigx.cli import machine
from epigx.errors import ConfigError


def test_versions_are_those_that_run():
    found = machine.versions()
    assert found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()


def test_a_package_that_is_not_there_is_said_so(monkeypatch):
    monkeypatch.setattr(machine, "_PACKAGES", ("no-such-package",))
    monkeypatch.setattr(machine, "_OPTIONAL", {"no-such-package": "speed", "numpy": "arrays"})
    assert machine.versions()["no-such-package"] == "not installed"
    extras = machine.extras()
    assert extras["no-such-package"] == "not installed (speed)"
    assert extras["numpy"][0].isdigit()


def test_the_kernel_and_its_reason_come_first(monkeypatch):
    monkeypatch.setenv("EPIGX_KERNEL", "torch")
    line = machine.device_line()
    threads = torch.get_num_threads()
    assert line.startswith(f"Device: {machine.compute()['device']}, {threads} thread{'s' * (threads != 1)}. ")
    assert "Kernel: torch. Set by EPIGX_KERNEL=torch: plain PyTorch, about " in line


def test_a_kernel_that_does_not_exist_is_refused(monkeypatch):
    import pytest

    monkeypatch.setenv("EPIGX_KERNEL", "trch")
    with pytest.raises(ConfigError, match="Did you mean 'torch'"):
        machine.device_line()


def test_room_is_in_gib(tmp_path):
    found = machine.room(tmp_path)
    assert 0 < found["disk_free_gib"] < 1e7
    if "memory_gib" in found:
        assert 0 < found["memory_free_gib"] <= found["memory_gib"] < 1e5


def test_preparing_makes_threads_wait_quietly_and_keeps_a_user_s_own_choice(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert machine.prepare() == machine.device_line()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    machine.prepare()
    assert os.environ["OMP_WAIT_POLICY"] == "active"
