"""Train, score and predict from Python, on a small simulated genome.

    python examples/quickstart.py

For your own files, replace `simulate` by the path of your manifest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import epigx
from epigx import recipes
from epigx.simulator.settings import Simulation
from epigx.simulator.simulate import simulate


def main(out: Path) -> None:
    manifest = simulate(Simulation(genes=60, seed=1), out / "raw")
    epigx.build(epigx.read_manifest(manifest), 256, out / "data")

    config = recipes.infer(data=out / "data", cell_type="simA", window=256, scale="small")
    run = epigx.train(config.override("training.steps=20", "training.warmup_steps=2"), out / "run")

    print(epigx.evaluate(run, split="test").metrics)
    table = epigx.predict(run)
    table.to_csv(out / "predictions.tsv", sep="\t", index=False)
    print(table[["gene_id", "predicted", "observed"]].head())


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "quickstart"))
