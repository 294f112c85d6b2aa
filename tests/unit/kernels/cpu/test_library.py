from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from epigx.kernels import cpu
from epigx.kernels.cpu import library
from epigx.kernels.cpu.build import COMPILERS
from epigx.kernels.cpu.library import Shape, kept_sizes, use_instruction_set

built = pytest.mark.native


@pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="no C++ compiler is installed")
def test_where_a_compiler_is_no_test_of_the_kernel_is_skipped() -> None:
    assert cpu.missing() is None


@pytest.fixture
def other_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where the library is looked for during a test."""
    monkeypatch.setattr(library, "_PATH", tmp_path / "library.so")
    library._open.cache_clear()
    yield tmp_path / "library.so"
    library._open.cache_clear()


def test_not_built_without_a_compiler(monkeypatch: pytest.MonkeyPatch, other_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert library.missing() == (
        "it was not built because no C++ compiler was found; install one (g++ or clang++), then reinstall epigx"
    )


def test_not_built_though_a_compiler_is_there(monkeypatch: pytest.MonkeyPatch, other_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert library.missing() == (
        "it was not built when epigx was installed; a C++ compiler is available now, so reinstall epigx"
    )


def test_a_library_that_does_not_load(other_path: Path) -> None:
    other_path.write_bytes(b"not a library")
    reason = library.missing()
    assert reason is not None
    assert reason.startswith("it cannot be loaded (")
    assert reason.endswith("); reinstall epigx")


def test_calling_what_is_missing(other_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"^The C\+\+ kernel was called, but it was not built"):
        library.description()


@built
def test_a_library_of_other_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "source_hash", lambda: "0123456789abcdef")
    library._open.cache_clear()
    try:
        assert library.missing() == "its sources have changed since it was built; run `make native`"
    finally:
        library._open.cache_clear()


@built
def test_variants() -> None:
    before = library.description()
    with use_instruction_set("baseline") as there:
        assert there
        assert library.description().split(",")[0] == "baseline"
    with use_instruction_set("abacus") as there:
        assert not there
        assert library.description() == before
    assert library.description() == before


@built
def test_what_is_kept_for_the_backward_pass() -> None:
    """For each base and direction 8 + 2 × 16 numbers in a row of 48, and every 32 bases the states of each channel."""
    projected, states = kept_sizes(Shape(3, 2000, 256, 16, 4, 8, 2))
    assert projected == 3 * 2 * 2000 * 48
    assert states == 3 * 2 * 63 * 256 * 16
