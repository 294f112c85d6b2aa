from __future__ import annotations

import operator
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pytest
import torch
from benchmarks.block import measure
from benchmarks.measure import Effort, TooSlow, compare, in_turns, ready
from benchmarks.plan import Comparison
from benchmarks.worker import Worker, WorkerError, run_in_worker


def tuned() -> bool:
    """Return whether this process flushes denormal numbers to zero."""
    return bool(torch.tensor([1e-40]) * 0.5 == 0)


@dataclass(frozen=True)
class Counting:
    """Writes its name into a file whenever it runs, and whether its process has epigx's settings."""

    name: str
    log: Path

    @property
    def size(self) -> tuple[int, ...]:
        return (1,)

    def small(self) -> Self:
        return replace(self, name=f"small {self.name}")

    def prepare(self) -> Callable[[], object]:
        return self.write

    def write(self) -> None:
        settings = "" if tuned() else " with default settings"
        with self.log.open("a") as file:
            print(self.name + settings, file=file)


@dataclass(frozen=True)
class Slow(Counting):
    def write(self) -> None:
        sum(range(10**6))


def test_competitors_take_turns_with_ours_after_a_warm_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    row = compare({name: Counting(name, log) for name in "ab"}, Effort(2, 10, 30, 8), default_settings=["b"])
    ran = log.read_text().splitlines()
    assert [name for name in ran if "small" not in name] == [
        *("a", "b", "b with default settings"),  # for their memory
        *["a", "b"] * 3,
        *["a", "b with default settings"] * 3,
    ]
    assert Counter(name for name in ran if "small" in name) == {
        "small a": 2,
        "small b": 2,
        "small b with default settings": 2,
    }
    rounds = {name: len(own["rounds"]) for name, own in row["competitors"].items()}
    assert rounds == {"a": 4, "b": 2, "b, default settings": 2}


def test_a_case_has_one_round_at_least(tmp_path: Path) -> None:
    with Worker(ready, Slow("a", tmp_path)) as worker:
        assert [len(own) for own in in_turns([worker], rounds=3, patience=1e-6)] == [1]


def test_without_our_result_competitors_have_no_ratio(tmp_path: Path) -> None:
    row = compare({"a": Impossible("a", tmp_path), "b": Slow("b", tmp_path)}, Effort(2, 10, 30, 8))
    assert row["left_out"] == {"a": "RuntimeError: not here"}
    assert row["competitors"]["b"]["times"] is None


def test_ours_without_competitors_has_rounds(tmp_path: Path) -> None:
    row = compare({"a": Slow("a", tmp_path)}, Effort(2, 10, 30, 8))
    assert len(row["competitors"]["a"]["rounds"]) == 2


def test_what_was_too_slow_is_not_tried_at_larger_sizes() -> None:
    too_slow = TooSlow()
    too_slow.add("a", (8, 500), "needs more than 1 CPU-s")
    assert too_slow.reason("a", (8, 2000)) == "needs more than 1 CPU-s"
    assert too_slow.reason("a", (4, 2000)) is None
    assert too_slow.reason("b", (8, 2000)) is None


def test_a_worker_returns_the_result_of_the_function() -> None:
    assert run_in_worker(pow, 2, 10) == 1024


def test_a_worker_that_needs_too_much_memory() -> None:
    with pytest.raises(WorkerError, match=r"^needs more than 2 GiB$"):
        run_in_worker(bytearray, 2**32, gibibytes=2)


def test_a_worker_that_takes_too_long() -> None:
    with pytest.raises(WorkerError, match=r"^needs more than 3 CPU-s$"):
        run_in_worker(sum, range(10**11), seconds=3)


def test_a_measurement_has_rounds_ratios_memory_and_shares() -> None:
    limits = {"float32_gflops": 90.0, "float32_kernel_gflops": 100.0, "bfloat16_gflops": 400.0}
    effort = Effort(rounds=2, patience=10, seconds=30, gibibytes=8)
    comparison = Comparison([(1, 70)], ("epigx", "loop, unbind"))
    (row,) = measure([comparison], effort, limits)
    assert (row["batch"], row["length"], row["left_out"]) == (1, 70, {})
    ours, theirs = row["competitors"]["epigx"], row["competitors"]["loop, unbind"]
    assert ours["times"] == 1
    beside = ours["rounds"][: len(theirs["rounds"])]
    assert theirs["times"] == theirs["seconds"] / statistics.median(beside)
    assert len(ours["rounds"]) == 2
    assert list(row["competitors"]) == ["epigx", "loop, unbind"]
    assert set(ours["bound"]) == {"core_seconds", "whole_seconds", "core_share", "whole_share"}


def test_a_worker_answers_until_it_is_closed() -> None:
    with Worker(operator.itemgetter, 1) as worker:
        assert [worker.ask("ab"), worker.ask([3, 4])] == ["b", 4]
        with pytest.raises(WorkerError, match=r"^IndexError: "):
            worker.ask([])


def test_a_worker_that_dies_before_a_request() -> None:
    with Worker(os._exit, 3) as worker, pytest.raises(WorkerError, match=r"^the worker died \(exit code 3\)$"):
        worker.ask(None)


def test_a_worker_that_fails_before_a_request() -> None:
    with Worker(operator.itemgetter) as worker:
        worker._process.join()
        with pytest.raises(WorkerError, match=r"^TypeError: "):
            worker.ask(None)


def test_a_worker_is_ended_after_an_error() -> None:
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), Worker(_at_work) as worker:
        worker._pipe.send(None)
        _ = 1 / 0
    assert time.monotonic() - started < 60


def _at_work() -> Callable[[None], None]:
    return lambda _: time.sleep(600)


def test_only_the_default_settings_that_fail_are_left_out(tmp_path: Path) -> None:
    effort = Effort(rounds=1, patience=10, seconds=30, gibibytes=8)
    row = compare({"a": Helpless("a", tmp_path)}, effort, default_settings=["a"])
    assert list(row["competitors"]) == ["a"]
    assert row["left_out"] == {"a, default settings": "RuntimeError: not without settings"}


@dataclass(frozen=True)
class Helpless(Slow):
    """Fails in a process without epigx's settings."""

    def write(self) -> None:
        if not tuned():
            raise RuntimeError("not without settings")
        super().write()


@dataclass(frozen=True)
class Impossible(Counting):
    def write(self) -> None:
        raise RuntimeError("not here")
