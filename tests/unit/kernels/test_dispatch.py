from __future__ import annotations

import pytest
import torch

from epigx.errors import ConfigError
from epigx.kernels import cpu, cuda, dispatch, kernel, kernel_in_use


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EPIGX_KERNEL", raising=False)


def test_the_cpu_takes_the_native_kernel_and_says_which_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch.cpu, "missing", lambda: None)
    monkeypatch.setattr(dispatch.cpu, "description", lambda: "avx2")
    assert kernel_in_use("cpu") == ("native", "epigx's own C++ kernel (avx2).")


def test_without_a_library_the_reason_and_the_price_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch.cpu, "missing", lambda: "it was not built, since no C++ compiler was found")
    name, why = kernel_in_use("cpu")
    assert name == "torch"
    assert why == (
        f"Plain PyTorch, about {cpu.SPEEDUP} times slower than epigx's C++ kernel: "
        "it was not built, since no C++ compiler was found."
    )


def test_a_gpu_takes_mamba_ssm_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch.cuda, "missing", lambda: None)
    assert kernel_in_use("cuda:1") == ("cuda", "mamba-ssm's CUDA kernel.")


def test_a_gpu_without_mamba_ssm_takes_plain_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch.cuda, "missing", lambda: "mamba-ssm is not installed")
    name, why = kernel_in_use(torch.device("cuda"))
    assert name == "torch"
    assert why == "Plain PyTorch: mamba-ssm is not installed. For a faster kernel, run `pip install mamba-ssm`."


def test_other_devices_take_plain_pytorch() -> None:
    assert kernel_in_use("mps") == ("torch", "Plain PyTorch is the only kernel for the device type 'mps'.")


@pytest.mark.parametrize(
    ("name", "device", "price"),
    [
        ("torch", "cpu", f": plain PyTorch, about {cpu.SPEEDUP} times slower than epigx's C++ kernel"),
        ("torch", "cuda", ": plain PyTorch, slower than mamba-ssm's kernel"),
        ("torch", "mps", ""),
        ("reference", "cpu", ": the step-by-step reference, which is for tests and the slowest kernel"),
    ],
)
def test_the_environment_variable_chooses_a_kernel(
    monkeypatch: pytest.MonkeyPatch, name: str, device: str, price: str
) -> None:
    monkeypatch.setenv("EPIGX_KERNEL", name)
    assert kernel_in_use(device) == (name, f"Set by EPIGX_KERNEL={name}{price}.")


def test_a_with_block_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPIGX_KERNEL", "torch")
    with kernel("reference"):
        assert kernel_in_use("cpu").name == "reference"
    assert kernel_in_use("cpu").name == "torch"


def test_an_unknown_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPIGX_KERNEL", "natve")
    with pytest.raises(ConfigError, match=r"^EPIGX_KERNEL=natve is not a kernel\. Did you mean 'native'\?$"):
        kernel_in_use("cpu")


def test_a_kernel_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch.cpu, "missing", lambda: "it was not built")
    message = r"^EPIGX_KERNEL=native cannot be used: it was not built\. Unset it to use an available kernel\.$"
    with kernel("native"), pytest.raises(ConfigError, match=message):
        kernel_in_use("cpu")


def test_a_kernel_of_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch.cuda, "missing", lambda: None)
    message = r"^EPIGX_KERNEL=cuda runs only on cuda tensors, but these are on cpu\. Unset it\.$"
    with kernel("cuda"), pytest.raises(ConfigError, match=message):
        kernel_in_use("cpu")


def test_mamba_ssm_is_looked_for_and_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "find_spec", lambda name: None)
    assert cuda.missing() == "mamba-ssm is not installed"
    monkeypatch.setattr(cuda, "find_spec", lambda name: object())
    assert cuda.missing() is None
