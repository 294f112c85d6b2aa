from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import pytest
from benchmarks.apart import FailedError, run_apart
from benchmarks.block import measure
from benchmarks.measure import Effort, Hopeless, in_turns


@dataclass(frozen=True)
class Counting:
    name: str
    log: list[str] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, ...]:
        return (1,)

    def small(self) -> Self:
        return type(self)(f"small {self.name}", self.log)

    def prepare(self) -> Callable[[], object]:
        return lambda: self.log.append(self.name)


def test_rivals_take_turns_after_warming_up() -> None:
    log: list[str] = []
    times = in_turns({"a": Counting("a", log), "b": Counting("b", log)}, rounds=2, patience=10)
    assert log == ["small a", "small b", *["a", "b"] * 3]
    assert {name: len(own) for name, own in times.items()} == {"a": 2, "b": 2}


def test_a_rival_has_one_round_at_least() -> None:
    class Slow(Counting):
        def prepare(self) -> Callable[[], object]:
            return lambda: sum(range(10**6))

    assert len(in_turns({"a": Slow("a")}, rounds=3, patience=1e-6)["a"]) == 1


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
    (row,) = measure([(1, 70)], ("epigx", "loop, unbind"), effort, limits)
    assert (row["batch"], row["length"], row["left_out"]) == (1, 70, {})
    ours, theirs = row["rivals"]["epigx"], row["rivals"]["loop, unbind"]
    assert ours["times"] == 1
    assert theirs["times"] == theirs["seconds"] / ours["seconds"]
    assert len(ours["rounds"]) == 2
    assert set(ours["bound"]) == {"core_seconds", "whole_seconds", "core_share", "whole_share"}
