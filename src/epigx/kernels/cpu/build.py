"""Compile the C++ kernel into a shared library in this folder; needs only Python and a C++ compiler.

`python build.py` (or `make native`) builds in place; the package's build hook (hatch_build.py) calls :func:`build`.
The library contains a variant per instruction set and chooses when it is loaded, so it runs on every CPU of a platform.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["COMPILERS", "LIBRARY", "BuildError", "build", "source_hash"]

HERE = Path(__file__).parent
SOURCES = HERE / "csrc"
LIBRARY = "libepigx_kernels.so"
COMPILERS = ("c++", "g++", "clang++")
VARIANTS = {
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"],
    "avx2": ["-mavx2", "-mfma"],
    "baseline": [],
}
FLAGS = [
    "-std=c++17",
    "-O3",
    "-fPIC",
    "-fvisibility=hidden",
    # Flags that the vectoriser needs; none that changes NaN, infinities or the order of additions.
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
]


class BuildError(Exception):
    """The library could not be built; the message gives the reason in one sentence."""


def source_hash() -> str:
    """Return a hash of the sources, to detect a library that was built from other sources."""
    digest = hashlib.sha256()
    for path in sorted([*SOURCES.glob("*.hpp"), *SOURCES.glob("*.cpp")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def build(target: Path | None = None) -> Path:
    """Compile and link the library, by default in this folder, and return its path.

    Raises
    ------
    BuildError
        No compiler was found, or it failed.
    """
    target = target or HERE / LIBRARY
    compiler = _compiler()
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    variants = VARIANTS if x86 else {"baseline": []}
    openmp = ["-fopenmp"] if _accepts(compiler, "-fopenmp") else []
    with tempfile.TemporaryDirectory() as folder:
        objects = {name: Path(folder, f"{name}.o") for name in (*variants, "dispatch")}
        start = [*compiler, *FLAGS, *openmp]
        jobs = [
            [*start, *flags, f"-DEPIGX_ISA={name}", "-c", str(SOURCES / "kernel.cpp"), "-o", str(objects[name])]
            for name, flags in variants.items()
        ]
        stamp = f'-DEPIGX_SOURCES="{source_hash()}"'
        jobs.append([*start, stamp, "-c", str(SOURCES / "dispatch.cpp"), "-o", str(objects["dispatch"])])
        with ThreadPoolExecutor() as pool:
            list(pool.map(_run, jobs))
        linked = Path(folder, LIBRARY)
        _run([*compiler, "-shared", *openmp, *map(str, objects.values()), "-o", str(linked)])
        # Copy next to the target, then replace it, so that a process with the old library open keeps it.
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copy(linked, fresh)
        fresh.replace(target)
    return target


def _compiler() -> list[str]:
    if asked := os.environ.get("CXX"):
        return shlex.split(asked)
    if found := next(filter(shutil.which, COMPILERS), None):
        return [found]
    raise BuildError("no C++ compiler was found (c++, g++, clang++, or $CXX)")


def _accepts(compiler: list[str], flag: str) -> bool:
    command = [*compiler, flag, "-x", "c++", "-shared", "-fPIC", "-o", os.devnull, "-"]
    try:
        return subprocess.run(command, input="#include <omp.h>\n", text=True, capture_output=True).returncode == 0
    except OSError:
        return False  # the first compilation reports what is wrong


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise BuildError(f"the C++ compiler {command[0]} did not start: {error.strerror}") from None
    if done.returncode:
        lines = done.stderr.splitlines()
        first = next((line for line in lines if "error" in line), lines[0] if lines else "it gave no message")
        raise BuildError(f"the C++ compiler {command[0]} failed: {first}")


if __name__ == "__main__":
    try:
        print(build())  # noqa: T201 (output of a script)
    except BuildError as problem:
        sys.exit(f"{problem}. epigx works without it, slower.")
