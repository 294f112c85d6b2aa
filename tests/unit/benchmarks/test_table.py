from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks.sections import SECTIONS
from benchmarks.table import fill, tables

DOCUMENT = Path(__file__).parents[3] / "benchmarks" / "results" / "README.md"


def result(seconds: float, times: float | None = 1, rounds: int = 5, **more: Any) -> dict[str, Any]:
    return {"seconds": seconds, "rounds": [seconds] * rounds, "times": times, "peak_mib": 1200, **more}


@pytest.fixture
def report() -> dict[str, Any]:
    share = {"core_seconds": 1.0, "whole_seconds": 1.1, "core_share": 0.5, "whole_share": 0.55}
    block = {
        "batch": 8,
        "length": 2000,
        "competitors": {"epigx": result(0.2, bound=share), "mambapy": result(5.0, 25.0, rounds=2)},
        "left_out": {"transformers": "needs more than 60 CPU-s"},
    }
    return {
        "machine": {
            "processor": "Some CPU", "cores": 2, "memory_gib": 8, "system": "Linux x86_64", "load": 0.1,
            "date": "2026-01-01T00:00:00+00:00", "commit": "0123456789abcdef", "changed_files": 0,
            "versions": {"torch": "2.13.0"},
        },
        "plan": "quick",
        "kernel": {"name": "native", "why": "Ours."},
        "limits": {
            "float32_gflops": 100.0, "float32_kernel_gflops": 90.0, "bfloat16_gflops": 400.0, "copy_gb_per_s": 20.0,
            "exp_g_per_s": 5.0,
        },
        "block": [block],
    }  # fmt: skip


def test_a_table_has_implementations_by_line_and_sizes_by_column(report: dict[str, Any]) -> None:
    assert tables(report)["block"].splitlines() == [
        "|  | B 8, L 2,000 |",
        "| --- | --- |",
        "| epigx | 0.2 s / 1,200 MiB |",
        "| mambapy | 5 s / 1,200 MiB (25×, 2 rounds) |",
        "| transformers | needs more than 60 CPU-s |",
        "| epigx: share of the bound, core / whole | 50% / 55% |",
    ]


def test_the_data_table_names_what_was_read_and_the_time_of_a_build(report: dict[str, Any]) -> None:
    facts = {"data": "real data", "genes": 18_331, "cell_types": 2, "window": 2000, "left_out": {}}
    load = {"genes_per_second": 12_000.0, "batch_size": 8, "seconds_per_batch": 1e-3}
    both = {
        "read": "bases and signals",
        "competitors": {"epigx": result(2), "gene by gene": result(12, 6)},
        "loader": load,
    }
    signals = {"read": "signals only", "competitors": {"epigx": result(0.5), "gene by gene": result(10, 20)}}
    step = result(2)
    report["step"] = [{"genes": 8, "arms": 3, "length": 2000, "competitors": {"epigx": step}, "left_out": {}}]
    report["data"] = [both | facts | {"build_seconds": 9.8, "build_wall_seconds": 8.2}, signals | facts]
    assert tables(report)["data"].splitlines() == [
        "|  | bases and signals | signals only |",
        "| --- | --- | --- |",
        "| epigx | 2.00 s | 0.50 s |",
        "| gene by gene | 12.00 s (6×) | 10.00 s (20×) |",
        "",
        "Real data, 18,331 genes, 2,000 bp, 2 cell types. A build of all: 9.8 CPU-s; with as many processes as pay, "
        "8 s of wall time.",
        "",
        "Loader: 12,000 genes a CPU second in batches of 8, 2,000 times what a training step takes.",
    ]
    report["data"][0]["build_seconds"] = None
    assert "A build of all: with as many" in tables(report)["data"]


def test_only_what_was_measured_has_a_table(report: dict[str, Any]) -> None:
    assert tables(report).keys() == {"machine", "block"}


def test_without_our_result_there_is_no_ratio(report: dict[str, Any]) -> None:
    report["block"][0]["competitors"] = {"mambapy": result(5.0, None)}
    assert "| mambapy | 5 s / 1,200 MiB |" in tables(report)["block"]


def test_tables_go_between_their_marks() -> None:
    document = "a\n<!-- bench: x -->\nold\n<!-- end -->\nb\n<!-- bench: y -->\n<!-- end -->\n"
    filled = "a\n<!-- bench: x -->\n| 1 |\n<!-- end -->\nb\n<!-- bench: y -->\n<!-- end -->\n"
    assert fill(document, {"x": "| 1 |"}) == filled
    assert fill(filled, {"x": "| 1 |"}) == filled


def test_a_table_without_a_mark_is_refused() -> None:
    with pytest.raises(ValueError, match=r"The document holds <!-- bench: z --> … <!-- end --> 0 times"):
        fill("nothing", {"z": "| 1 |"})


def test_the_document_has_marks_for_every_table() -> None:
    document = DOCUMENT.read_text()
    for name in ("machine", *SECTIONS):
        assert document.count(f"<!-- bench: {name} -->") == 1
