"""Does a training objective rid a model of confounding? Train, intervene, compare with the truth.

    python studies/causal/study.py -o build/causal --dry-run
    python studies/causal/study.py -o build/causal --data data/real --cell-type K562 --min-dna-coverage 0.95
    python studies/causal/tables.py build/causal

Each seed draws a simulated genome of its own, and its confounding is swept; all systems of a seed start from the same
weights and see the genes in the same order. With --data the same systems are trained on measured data too. Finished
runs are skipped, so it can be broken off and repeated.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import add_truth, measure, measure_standardised
from systems import SYSTEMS, WINDOW, configure

import epigx as gx
from epigx.dataset.build.build import build
from epigx.dataset.manifest.schema import read_manifest
from epigx.simulator.simulate import Simulation, simulate
from epigx.system.atomic import atomic_file
from epigx.training.train import train

CONFOUNDING = (0.4, 0.8, 0.0)
"""Strengths γ of C → Y; the first is measured before any other."""
MEASURED_SEEDS = 3
CELL = "simA"
STANDARDISED = "plain, standardised"


@dataclass(frozen=True)
class Task:
    """One system to train and to measure."""

    group: str
    system: str
    seed: int
    steps: int
    confounding: float | None
    data: Path
    cell_type: str
    min_dna_coverage: float = 0.0

    def table(self, out: Path, system: str | None = None) -> Path:
        return out / "measured" / self.group / (system or self.system) / f"{self.seed}.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path("build/causal"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[22, 222, 2222, 22222, 222222])
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--confounding", type=float, nargs="+", default=CONFOUNDING, help="strengths, the usual first")
    parser.add_argument("--genes", type=int, default=1000, help="genes of a simulated genome")
    parser.add_argument("--steps", type=int, default=300, help="training steps on simulated data")
    parser.add_argument("--data", type=Path, help="dataset of measured data, of 500 bp or more")
    parser.add_argument("--cell-type")
    parser.add_argument("--real-steps", type=int, default=1500, help="training steps on measured data")
    parser.add_argument("--min-dna-coverage", type=float, default=0.0)
    parser.add_argument("--dry-run", action="store_true", help="list the runs and their cost")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    tasks = list(plan(arguments))
    show(tasks, arguments.out)
    if not arguments.dry_run:
        for number, task in enumerate(tasks, start=1):
            if not task.table(arguments.out).is_file():
                seconds = do(task, arguments.out, arguments.genes)
                print(
                    f"[{number}/{len(tasks)}] {task.group}, {task.system}, seed {task.seed}: {seconds:.0f} CPU s",
                    flush=True,
                )


def plan(arguments: argparse.Namespace) -> Iterator[Task]:
    """Yield the runs, most telling first: seed by seed at usual confounding and on measured data, then the sweep."""
    usual, *others = arguments.confounding
    groups: list[tuple[int, float | None]] = []
    for number, seed in enumerate(arguments.seeds):
        groups.append((seed, usual))
        if arguments.data and number < MEASURED_SEEDS:
            groups.append((seed, None))
    groups += [(seed, strength) for strength in others for seed in arguments.seeds]
    for seed, strength in groups:
        for system in arguments.systems:
            if strength is None:
                yield Task(
                    "real", system, seed, arguments.real_steps, None,
                    arguments.data, arguments.cell_type, arguments.min_dna_coverage,
                )  # fmt: skip
            else:
                folder = arguments.out / "data" / f"{strength:g}-{seed}"
                yield Task(f"simulated {strength:g}", system, seed, arguments.steps, strength, folder, CELL)


def show(tasks: list[Task], out: Path) -> None:
    """List the runs, those that are done, and what the rest will cost, from the cost of those that are done."""
    per_step: dict[str, list[float]] = {}
    for task in tasks:
        if (run := run_folder(task, out)).joinpath("provenance.json").is_file():
            per_step.setdefault(task.system, []).append((gx.open_run(run).provenance.cpu_seconds or 0) / task.steps)
    left = 0.0
    for task in tasks:
        done = task.table(out).is_file()
        known = per_step.get(task.system)
        cost = task.steps * (sum(known) / len(known) if known else 0.05)
        left += 0 if done else cost
        print(f"{'done' if done else f'{cost:4.0f} s'}  {task.group:14}  {task.system:20}  seed {task.seed}")
    print(f"{len(tasks)} runs; about {left / 60:.0f} CPU minutes of training are left.", flush=True)


def do(task: Task, out: Path, genes: int) -> float:
    """Train and measure, and return the CPU seconds that it took."""
    start = time.process_time()
    if task.confounding is not None:
        simulated(out, task.confounding, task.seed, genes)
    config = configure(
        task.system, task.data, task.cell_type, task.seed, steps=task.steps, min_dna_coverage=task.min_dna_coverage
    )
    run = train(config, run_folder(task, out), resume=True)
    dataset = gx.open_dataset(task.data)
    signals = [signal.name for signal in dataset.signals]
    background = [signal.name for signal in dataset.signals if signal.role == "background"]
    tables = {task.system: measure(run, background, signals)}
    if task.system == "plain":
        tables[STANDARDISED] = measure_standardised(run, background, signals)
    for system, table in reversed(tables.items()):
        if task.confounding is not None:
            genomes = out / "genomes"
            flipped = genomes / f"{task.confounding:g}-{task.seed}-flip/truth.parquet" if task.confounding else None
            table = add_truth(table, genomes / f"{task.confounding:g}-{task.seed}/truth.parquet", flipped, CELL)
        path = task.table(out, system)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            table.to_parquet(partial, index=False)
    return time.process_time() - start


def simulated(out: Path, strength: float, seed: int, genes: int) -> None:
    """Draw a genome, its twin whose confounding is flipped on the test chromosomes, and build the first."""
    folder = out / "data" / f"{strength:g}-{seed}"
    if folder.is_dir():
        return
    for flip in (True, False) if strength else (False,):
        genome = out / "genomes" / (f"{strength:g}-{seed}" + ("-flip" if flip else ""))
        settings = Simulation(genes=genes, cell_types={CELL: 0.3}, confounding=strength, flip=flip, seed=seed)
        manifest = simulate(settings, genome, force=True)
    build(read_manifest(manifest), WINDOW, folder, jobs=1)


def run_folder(task: Task, out: Path) -> Path:
    return out / "runs" / task.group / task.system / str(task.seed)


if __name__ == "__main__":
    main()
