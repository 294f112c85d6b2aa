"""The long run on real data: each system on the same genes and inputs, three seeds, both cell types.

    python studies/real/study.py plan  data/real20k -o runs/study     # what is done, and what is left
    python studies/real/study.py train data/real20k -o runs/study     # all of it; finished runs are skipped
    python studies/real/study.py score data/real20k -o runs/study     # tables

Window, resolution, size and length of training were chosen on validation chromosomes only (studies/real/results.md).
The systems of a seed see the genes in the same order. Each run takes one thread: `train --part 1/2` beside
`train --part 2/2` shares the work between two processes. The same on a dataset with other signals (marks.yaml) is
another study: give it another folder, and `--tables` a page of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import epigx as gx
from epigx.runs.config import RunConfig

SEEDS = gx.recipes.SEEDS[:3]
SETTINGS = (
    "data.coverage_window=2000",
    "model.resolution=128",
    "model.backbone.d_model=64",
    "model.backbone.n_layers=2",
    "training.steps=3000",
    "training.warmup_steps=300",
    "training.lr_min=1e-5",
    "training.validate_every=0.5",
    "training.threads=1",
)
WINDOW = 20_480
FULL = "data.min_dna_coverage=0.95"  # the genes whose 2 kb window is known

# Each system: the recipe it starts from, and what differs.
SYSTEMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "infer": ("infer", (FULL,)),
    "plain": ("caduceus_signals", (FULL,)),
    "infer-official": ("prism", (FULL,)),
    "dna-only": ("caduceus_signals", (FULL, "model.signals=false")),
    "signals-only": ("caduceus_signals", (FULL, "data.dna=false")),
    "signals-only-all-genes": ("caduceus_signals", ("data.dna=false",)),
}

CELL_TYPES = {"K562": tuple(SYSTEMS), "GM12878": ("infer", "plain")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("plan", "train", "score"))
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--part", default="1/1", help="k/n: every n-th run, from the k-th on")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--steps", type=int, help="training steps, where not those that were chosen")
    parser.add_argument("--tables", type=Path, default=Path("studies/real/tables.md"), help="where `score` writes")
    parser.add_argument("--blind", type=Path, help="where `score` writes predictions of GM12878's test genes")
    arguments = parser.parse_args()
    if arguments.what == "score":
        from scores import write_scores

        write_scores(arguments.data, arguments.out, arguments.tables, arguments.blind)
        return
    part, parts = map(int, arguments.part.split("/"))
    for number, (name, config) in enumerate(runs(arguments.data, arguments.systems, arguments.steps).items()):
        done = finished(arguments.out / name)
        if arguments.what == "plan":
            print(name, "done" if done else "to do", sep="\t")
        elif not done and number % parts == part - 1:
            print(name, file=sys.stderr, flush=True)
            gx.train(config, arguments.out / name, resume=True)


def runs(data: Path, systems: Sequence[str], steps: int | None) -> dict[str, RunConfig]:
    """Return every run by its folder's name, seeds outermost, so that what is unfinished is still paired."""
    return {
        f"{system}-{cell_type}-{seed}": configure(data, system, cell_type, seed, steps)
        for seed in SEEDS
        for cell_type in CELL_TYPES
        for system in CELL_TYPES[cell_type]
        if system in systems
    }


def configure(data: Path, system: str, cell_type: str, seed: int, steps: int | None) -> RunConfig:
    recipe, changes = SYSTEMS[system]
    make = getattr(gx.recipes, recipe)
    config: RunConfig = make(data=data, cell_type=cell_type, seed=seed, window=WINDOW)
    length = () if steps is None else (f"training.steps={steps}", f"training.warmup_steps={steps // 10}")
    return config.override(*SETTINGS, *changes, *length)


def finished(folder: Path) -> bool:
    return (folder / "provenance.json").is_file() and gx.open_run(folder).finished


if __name__ == "__main__":
    main()
