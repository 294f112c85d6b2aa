from __future__ import annotations

import platform
import tomllib
from pathlib import Path

import torch

from epigx.cli import machine
from epigx.cli.console import configure_logging
from epigx.errors import ConfigError


def test_versions_are_those_that_run():
    found = machine.versions()
    assert found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()


def test_a_missing_package_is_reported(monkeypatch):
    monkeypatch.setattr(machine, "_PACKAGES", ("no-such-package",))
    monkeypatch.setattr(machine, "_OPTIONAL", {"no-such-package": "speed", "numpy": "arrays"})
    assert machine.versions()["no-such-package"] == "not installed"
    extras = machine.extras()
    assert extras["no-such-package"] == "not installed (speed)"
    assert extras["numpy"][0].isdigit()
    assert extras["numpy"].endswith(" (arrays)")


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


def test_resources_are_in_gb(tmp_path):
    found = machine.resources(tmp_path)
    assert 0 < found["disk_free_gb"] < 1e7
    assert 0 < found["memory_free_gb"] <= found["memory_gb"] < 1e5


def test_every_optional_package_is_known():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for extra, packages in extras.items():
        for package in packages:
            name = next(known for known in machine._OPTIONAL if package.startswith(f"{known}>="))
            assert f"pip install 'epigx[{extra}]'" in machine._OPTIONAL[name]


def test_a_command_with_torch_prints_its_device(capsys):
    configure_logging(0)
    machine.prepare()
    assert capsys.readouterr() == ("", f"{machine.device_line()}\n")


def test_a_command_without_torch_prints_no_device(capsys):
    configure_logging(0)
    machine.prepare(torch=False)
    assert capsys.readouterr() == ("", "")
