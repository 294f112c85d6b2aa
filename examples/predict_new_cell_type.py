"""Train on one cell type and predict expression in another one, which needs signals but no expression.

    python examples/predict_new_cell_type.py

Signals of both cell types should come from the same assay and processing: the network sees their values.
"""

from __future__ import annotations

import sys
from pathlib import Path

import epigx
from epigx import recipes
from epigx.simulator.settings import Simulation
from epigx.simulator.simulate import simulate


def main(out: Path) -> None:
    manifest = epigx.read_manifest(simulate(Simulation(genes=60, seed=1), out / "raw"))
    epigx.build(manifest, 256, out / "data")

    runs = []
    for seed in (2, 22):  # an ensemble: its standard deviation shows where runs disagree
        config = recipes.infer(data=out / "data", cell_type="simA", seed=seed, window=256, scale="small")
        config = config.override("training.steps=20", "training.warmup_steps=2")
        runs.append(epigx.train(config, out / "runs" / str(seed)))

    # `data` may be another dataset, with the same signals and features, that has only the new cell type.
    table = epigx.predict(runs, data=out / "data", cell_type="simB")
    table.to_csv(out / "simB.tsv", sep="\t", index=False)
    print(table[["gene_id", "predicted", "sd"]].head())


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "new-cell-type"))
