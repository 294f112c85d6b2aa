"""The JSON of a run as Markdown tables: `python -m benchmarks.table build/bench.json benchmarks/results/README.md`.

In the document, the table ``block`` replaces the text between ``<!-- bench: block -->`` and ``<!-- end -->``, and so on
for each table.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scaling import WORKS

__all__ = ["fill", "main", "tables"]

Row = dict[str, Any]


def tables(report: Row) -> dict[str, str]:
    """Return the tables of the sections that the run has, by name."""
    return {"machine": _machine(report)} | {name: TABLES[name](report) for name in TABLES if name in report}


def fill(document: str, filling: dict[str, str]) -> str:
    """Put tables between their marks.

    Raises
    ------
    ValueError
        A table has no place in the document.
    """
    for name, table in filling.items():
        mark = f"<!-- bench: {name} -->"
        parts = re.split(f"(?<={mark}).*?(?=<!-- end -->)", document, flags=re.DOTALL)
        if len(parts) != 2:
            raise ValueError(f"The document holds {mark} … <!-- end --> {len(parts) - 1} times instead of once.")
        document = f"\n{table}\n".join(parts)
    return document


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    target.write_text(fill(target.read_text(), tables(json.loads(source.read_text()))))


def _machine(report: Row) -> str:
    machine, limits, after = report["machine"], report["limits"], report.get("limits_after", {})
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    facts = {
        "processor": f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; one thread used",
        "kernel": f"{report['kernel']['name']}: {report['kernel']['why']}",
        "run": f"{report['plan']}, {machine['date']}, commit {machine['commit'][:10]}"
        + (f" with {machine['changed_files']} changed files" if machine["changed_files"] else "")
        + f", load {machine['load']} at the start",
        "versions": versions,
    }
    units = {
        "float32_gflops": "float32 product by PyTorch's library, GFLOP/s",
        "float32_kernel_gflops": "float32 product by the kernel, GFLOP/s",
        "bfloat16_gflops": "bfloat16 product, GFLOP/s",
        "copy_gb_per_s": "copy, GB/s read and written",
        "exp_g_per_s": "exp (PyTorch's), 10⁹/s",
    }
    for name, unit in units.items():
        later = f"; after the run {after[name]:.3g}" if after else ""
        facts[unit] = f"{limits[name]:.3g}{later}"
    return _markdown(["", ""], facts.items())


def _products(report: Row) -> str:
    def cell(found: Row) -> str:
        return f"{_number(found['gflops'])} GFLOP/s{_times(found)}"

    return _pivot(report["products"], lambda row: f"{row['projection']}: {row['kind']}", cell)


def _block(report: Row) -> str:
    return _pivot(report["block"], lambda row: f"B {row['batch']}, L {row['length']:,}", _time_and_memory)


def _step(report: Row) -> str:
    return _pivot(report["step"], lambda row: f"{row['genes']} × {row['arms']}, L {row['length']:,}", _time_and_memory)


def _inference(report: Row) -> str:
    def cell(found: Row) -> str:
        return f"{_number(found['genes_per_second'])} genes/s{_times(found)}"

    return _pivot(report["inference"], lambda row: f"{row['genes']} genes, L {row['length']:,}", cell)


def _scaling(report: Row) -> str:
    header = ["bp", *(f"{work}, {unit}" for work in WORKS for unit in ("µs per base", "KB per base", "MiB"))]
    body = []
    for row in report["scaling"]:
        cells = [f"{row['length']:,}"]
        for work in WORKS:
            found = row["competitors"].get(work)
            if found is None:
                cells += [row["left_out"][work], "", ""]
                continue
            memory = found.get("bytes_per_base")
            cells += [
                f"{found['microseconds_per_base']:.0f}",
                "" if memory is None else f"{memory / 1000:.1f}",
                "" if memory is None else f"{found['peak_mib']:,}",
            ]
        body.append(cells)
    return _markdown(header, body) + "".join(
        f"\n\n{name} at {row['length']:,} bp, training: {_time_and_memory(found)}."
        for row in report["scaling"]
        for name, found in row["competitors"].items()
        if name not in WORKS
    )


def _data(report: Row) -> str:
    def cell(found: Row) -> str:
        return f"{found['seconds']:.2f} s{_times(found)}"

    rows = report["data"]
    row, load = rows[0], rows[0]["loader"]
    cpu = f"{row['build_seconds']:.1f} CPU-s; " if row.get("build_seconds") else ""
    step = "".join(
        f", {own['competitors']['epigx']['seconds'] / load['seconds_per_batch']:,.0f} times what a training step takes"
        for own in report.get("step", ())
        if (own["genes"], own["length"]) == (load["batch_size"], row["window"]) and "epigx" in own["competitors"]
    )
    cells = f"{row['cell_types']} cell types" if row["cell_types"] > 1 else "one cell type"
    return (
        _pivot(rows, lambda row: row["read"], cell)
        + f"\n\n{row['data'].capitalize()}, {row['genes']:,} genes, {row['window']:,} bp, {cells}. A build of all: "
        f"{cpu}with as many processes as pay, {row['build_wall_seconds']:.0f} s of wall time."
        f"\n\nLoader: {load['genes_per_second']:,.0f} genes a CPU second in batches of {load['batch_size']}{step}."
    )


def _pivot(rows: Sequence[Row], label: Callable[[Row], str], cell: Callable[[Row], str]) -> str:
    """Return a table of implementations by sizes, followed by shares of the bound, if any."""
    both = [(row["competitors"], row["left_out"]) for row in rows]
    names = list(dict.fromkeys(name for found, missing in both for name in (*found, *missing)))
    body = [
        [
            name,
            *(
                cell(row["competitors"][name]) if name in row["competitors"] else row["left_out"].get(name, "–")
                for row in rows
            ),
        ]
        for name in names
    ]
    for name in names:
        for bound, called in (("bound", "the bound"), ("float32_bound", "the float32 bound")):
            found = [row["competitors"].get(name, {}).get(bound) for row in rows]
            if any(found):
                shares = [f"{own['core_share']:.0%} / {own['whole_share']:.0%}" if own else "–" for own in found]
                body.append([f"{name}: share of {called}, core / whole", *shares])
    return _markdown(["", *map(label, rows)], body)


def _time_and_memory(found: Row) -> str:
    memory = "" if found["peak_mib"] is None else f" / {found['peak_mib']:,} MiB"
    return f"{_number(found['seconds'])} s{memory}{_times(found)}"


def _times(found: Row) -> str:
    """Return how many times slower than epigx, and the number of rounds if fewer than five."""
    rounds = len(found["rounds"])
    few = "" if rounds >= 5 else f"{rounds} round{'s' * (rounds > 1)}"
    times = None if found["times"] in (1, None) else f"{found['times']:.3g}×"
    return f" ({', '.join(filter(None, (times, few)))})" if times or few else ""


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _markdown(header: Sequence[str], body: Iterable[Iterable[str]]) -> str:
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TABLES: dict[str, Callable[[Row], str]] = {
    "products": _products,
    "block": _block,
    "step": _step,
    "scaling": _scaling,
    "inference": _inference,
    "data": _data,
}

if __name__ == "__main__":
    main()
