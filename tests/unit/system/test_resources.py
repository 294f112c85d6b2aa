from __future__ import annotations

import os

import pytest

from epigx.system.resources import cores, free_memory_gb, total_memory_gb


@pytest.fixture
def linux(tmp_path):
    """Return a machine with 8 GB free of 16."""
    proc, cgroup = tmp_path / "proc", tmp_path / "cgroup"
    proc.mkdir()
    cgroup.mkdir()
    (proc / "meminfo").write_text(
        "MemTotal:       16000000 kB\nMemAvailable:    7812500 kB\nHugePages_Total:       0\n"
    )
    return proc, cgroup


def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 4, 5}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() == os.cpu_count()


def test_memory_that_needs_no_swapping_is_free(linux):
    assert free_memory_gb(*linux) == pytest.approx(8.0)


@pytest.mark.parametrize(("limit", "free"), [("5000000000", 3.0), ("max", 8.0), ("500000000000", 8.0), ("1000", 0.0)])
def test_the_limit_of_a_container_counts_and_cached_files_do_not(linux, limit, free):
    proc, cgroup = linux
    (cgroup / "memory.max").write_text(f"{limit}\n")
    (cgroup / "memory.current").write_text("4000000000\n")
    (cgroup / "memory.stat").write_text("anon 2000000000\ninactive_file 2000000000\n")
    assert free_memory_gb(proc, cgroup) == pytest.approx(free)


def test_on_other_systems_all_memory_counts_as_free(tmp_path):
    assert free_memory_gb(tmp_path, tmp_path) == pytest.approx(
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    )


def test_this_machine_has_memory():
    assert 0 < free_memory_gb() <= total_memory_gb() < 1e5
