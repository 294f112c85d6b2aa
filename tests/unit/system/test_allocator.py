from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from epigx.system import allocator

# A hundred megabytes are touched, freed and taken again: memory that was kept costs no page faults the second time.
PROGRAM = """
import resource, sys
from epigx.system.allocator import give_back_freed_memory, keep_freed_memory
print(keep_freed_memory() if sys.argv[1] != "plain" else None)
if sys.argv[1] == "back":
    assert give_back_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(100 * 2**20)
before = faults()
for _ in range(3):
    bytearray(100 * 2**20)
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc")
def test_freed_memory_is_used_again() -> None:
    faults = {}
    for mode in ("keep", "plain", "back"):
        done = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, check=True)
        answer, count = done.stdout.split()
        faults[mode] = int(count)
        if answer == "False":
            pytest.skip("the C library is not glibc")
    assert faults["keep"] * 10 < faults["plain"]
    assert faults["back"] == pytest.approx(faults["plain"], rel=0.1)


def test_other_systems_and_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "ctypes", SimpleNamespace(CDLL=lambda _: SimpleNamespace()))
    monkeypatch.setattr(sys, "platform", "linux")
    assert not allocator.keep_freed_memory()
    assert not allocator.give_back_freed_memory()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not allocator.keep_freed_memory()
