"""The wheel that an installation makes: with the compiled kernel where a compiler is at hand, without it elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from epigx.kernels.cpu.build import COMPILERS

ROOT = Path(__file__).parents[2]
LIBRARY = "epigx/kernels/cpu/libepigx_kernels.so"
BUILD = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """Return the files that a source distribution has, with no library among them."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    return copy


def wheel(checkout: Path, out: Path, **environment: str) -> tuple[zipfile.ZipFile, str]:
    """Build a wheel, without a network, and return it with what was said."""
    known = {key: value for key, value in os.environ.items() if key != "CXX"}
    ended = subprocess.run(
        [sys.executable, "-c", BUILD, out],
        cwd=checkout,
        capture_output=True,
        text=True,
        env={**known, **environment},
        timeout=200,
    )
    assert ended.returncode == 0, ended.stderr
    return zipfile.ZipFile(out / ended.stdout.split()[-1]), ended.stdout + ended.stderr


@pytest.mark.slow
def test_with_a_compiler_the_wheel_holds_the_kernel_and_fits_every_python_of_the_platform(checkout, tmp_path):
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    quick = tmp_path / "quick"
    quick.write_text(f'#!/bin/sh\nexec {compiler} "$@" -O0\n')  # it is not its speed that counts here
    quick.chmod(0o755)
    built, said = wheel(checkout, tmp_path, CXX=str(quick))
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert Path(built.filename).name.endswith(f"-py3-none-{platform}.whl")
    assert LIBRARY in built.namelist()
    assert "was not built" not in said
    built.extract(LIBRARY, tmp_path)
    load = f"import ctypes; print(ctypes.CDLL({str(tmp_path / LIBRARY)!r}).epigx_sources is not None)"
    assert subprocess.run([sys.executable, "-c", load], capture_output=True, text=True).stdout == "True\n"
    assert not list(checkout.rglob("*.so")), "the sources stay as they were"


def test_without_a_compiler_the_wheel_is_pure_and_its_maker_is_told(checkout, tmp_path):
    built, said = wheel(checkout, tmp_path, PATH=str(tmp_path / "empty"))
    assert Path(built.filename).name.endswith("-py3-none-any.whl")
    assert not [name for name in built.namelist() if name.endswith(".so")]
    assert "epigx/kernels/torch/chunked.py" in built.namelist()
    assert (
        "The C++ kernel was not built: no C++ compiler was found (c++, g++, clang++, or $CXX). "
        "epigx works without it, slower."
    ) in " ".join(said.split())
