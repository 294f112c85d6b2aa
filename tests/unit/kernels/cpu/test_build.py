from __future__ import annotations

import ctypes
import os
import shutil
import stat
from pathlib import Path

import pytest

from epigx.kernels.cpu import build as recipe
from epigx.kernels.cpu.build import COMPILERS, BuildError, build, source_hash


def compiler(folder: Path, script: str) -> str:
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    message = r"^no C\+\+ compiler was found \(c\+\+, g\+\+, clang\+\+, or \$CXX\)$"
    with pytest.raises(BuildError, match=message):
        build(tmp_path / "library.so")


def test_a_compiler_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", "/no/such/compiler -O1")
    with pytest.raises(BuildError, match=r"^the C\+\+ compiler /no/such/compiler did not start: No such file"):
        build(tmp_path / "library.so")


def test_a_compiler_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", compiler(tmp_path, 'echo "note" >&2; echo "error: no such thing" >&2; exit 1'))
    with pytest.raises(BuildError, match=r"^the C\+\+ compiler .* failed: error: no such thing$"):
        build(tmp_path / "library.so")
    assert not (tmp_path / "library.so").exists()


def test_a_compiler_that_fails_without_a_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", compiler(tmp_path, "exit 3"))
    with pytest.raises(BuildError, match=r" failed: it gave no message$"):
        build(tmp_path / "library.so")


def test_the_hash_follows_the_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in [*recipe.SOURCES.glob("*.hpp"), *recipe.SOURCES.glob("*.cpp")]:
        shutil.copy(path, tmp_path)
    before = source_hash()
    monkeypatch.setattr(recipe, "SOURCES", tmp_path)
    assert source_hash() == before
    (tmp_path / "scan.hpp").write_text("// changed")
    assert source_hash() != before


@pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="no C++ compiler is installed")
def test_built_without_openmp_and_replaced_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A compiler that has no OpenMP still gives a library, which says so."""
    real = next(filter(None, map(shutil.which, COMPILERS)))
    refuse = 'for a; do [ "$a" = -fopenmp ] && exit 1; done\n'
    monkeypatch.setenv("CXX", compiler(tmp_path, f'{refuse}exec {real} "$@" -O0'))
    target = tmp_path / "library.so"
    target.write_text("the old one")
    assert build(target) == target
    library = ctypes.CDLL(str(target))
    library.epigx_sources.restype = ctypes.c_char_p
    library.epigx_has_threads.restype = ctypes.c_bool
    assert library.epigx_sources().decode() == source_hash()
    assert not library.epigx_has_threads()
    assert [name for name in os.listdir(tmp_path) if "library" in name] == ["library.so"]
