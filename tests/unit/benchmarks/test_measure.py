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
from benchmarks.apart import Apart, FailedError, run_apart
from benchmarks.block import measure
from benchmarks.measure import Effort, Hopeless, compare, in_turns, made_ready
from benchmarks.plan import Comparison


def tuned() -> bool:
    """Say whether this process takes denormal numbers for zero."""
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
        settings = "" if tuned() else " as it comes"
        with self.log.open("a") as file:
            print(self.name + settings, file=file)


@dataclass(frozen=True)
class Slow(Counting):
    def write(self) -> None:
        sum(range(10**6))


def test_rivals_take_turns_with_ours_after_warming_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    row = compare({name: Counting(name, log) for name in "ab"}, Effort(2, 10, 30, 8), as_they_come=["b"])
    ran = log.read_text().splitlines()
    assert [name for name in ran if "small" not in name] == [
        *("a", "b", "b as it comes"),  # for their memory
        *["a", "b"] * 3,
        *["a", "b as it comes"] * 3,
    ]
    assert Counter(name for name in ran if "small" in name) == {"small a": 2, "small b": 2, "small b as it comes": 2}
    rounds = {name: len(own["rounds"]) for name, own in row["rivals"].items()}
    assert rounds == {"a": 4, "b": 2, "b, as it comes": 2}


def test_a_rival_has_one_round_at_least(tmp_path: Path) -> None:
    with Apart(made_ready, Slow("a", tmp_path)) as process:
        assert [len(own) for own in in_turns([process], rounds=3, patience=1e-6)] == [1]


def test_where_ours_does_not_fit_rivals_have_no_ratio(tmp_path: Path) -> None:
    row = compare({"a": Impossible("a", tmp_path), "b": Slow("b", tmp_path)}, Effort(2, 10, 30, 8))
    assert row["left_out"] == {"a": "RuntimeError: not here"}
    assert row["rivals"]["b"]["times"] is None


def test_ours_by_itself_has_rounds(tmp_path: Path) -> None:
    row = compare({"a": Slow("a", tmp_path)}, Effort(2, 10, 30, 8))
    assert len(row["rivals"]["a"]["rounds"]) == 2


def test_what_was_hopeless_is_not_tried_at_larger_sizes() -> None:
    hopeless = Hopeless()
    hopeless.add("a", (8, 500), "needs more than 1 CPU-s")
    assert hopeless.reason("a", (8, 2000)) == "needs more than 1 CPU-s"
    assert hopeless.reason("a", (4, 2000)) is None
    assert hopeless.reason("b", (8, 2000)) is None


def test_a_process_of_its_own_gives_what_the_function_returns() -> None:
    assert run_apart(pow, 2, 10) == 1024


def test_a_process_that_wants_too_much_memory_is_told() -> None:
    with pytest.raises(FailedError, match=r"^needs more than 2 GiB$"):
        run_apart(bytearray, 2**32, gibibytes=2)


def test_a_process_that_takes_too_long_is_told() -> None:
    with pytest.raises(FailedError, match=r"^needs more than 3 CPU-s$"):
        run_apart(sum, range(10**11), seconds=3)


def test_a_measurement_has_rounds_ratios_memory_and_shares() -> None:
    limits = {"float32_gflops": 90.0, "float32_kernel_gflops": 100.0, "bfloat16_gflops": 400.0}
    effort = Effort(rounds=2, patience=10, seconds=30, gibibytes=8)
    comparison = Comparison([(1, 70)], ("epigx", "loop, unbind"))
    (row,) = measure([comparison], effort, limits)
    assert (row["batch"], row["length"], row["left_out"]) == (1, 70, {})
    ours, theirs = row["rivals"]["epigx"], row["rivals"]["loop, unbind"]
    assert ours["times"] == 1
    beside = ours["rounds"][: len(theirs["rounds"])]
    assert theirs["times"] == theirs["seconds"] / statistics.median(beside)
    assert len(ours["rounds"]) == 2
    assert list(row["rivals"]) == ["epigx", "loop, unbind"]
    assert set(ours["bound"]) == {"core_seconds", "whole_seconds", "core_share", "whole_share"}


def test_a_process_answers_until_it_is_left() -> None:
    with Apart(operator.itemgetter, 1) as process:
        assert [process.ask("ab"), process.ask([3, 4])] == ["b", 4]
        with pytest.raises(FailedError, match=r"^IndexError: "):
            process.ask([])


def test_a_process_that_dies_before_it_is_asked_is_told() -> None:
    with Apart(os._exit, 3) as process, pytest.raises(FailedError, match=r"^its process died \(exit code 3\)$"):
        process.ask(None)


def test_what_failed_before_it_was_asked_is_told() -> None:
    with Apart(operator.itemgetter) as process:
        process._process.join()
        with pytest.raises(FailedError, match=r"^TypeError: "):
            process.ask(None)


def test_nobody_waits_for_a_process_after_an_error() -> None:
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), Apart(_at_work) as process:
        process._pipe.send(None)
        _ = 1 / 0
    assert time.monotonic() - started < 60


def _at_work() -> Callable[[None], None]:
    return lambda _: time.sleep(600)


def test_a_rival_that_fails_as_it_comes_is_left_out_alone(tmp_path: Path) -> None:
    effort = Effort(rounds=1, patience=10, seconds=30, gibibytes=8)
    row = compare({"a": Helpless("a", tmp_path)}, effort, as_they_come=["a"])
    assert list(row["rivals"]) == ["a"]
    assert row["left_out"] == {"a, as it comes": "RuntimeError: not without settings"}


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
