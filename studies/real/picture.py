"""Draw the picture of the README: predicted against measured expression, and the error without each signal.

::

    epigx build studies/real/manifest.yaml --window 2000 -o data/real
    epigx train boosting --data data/real --cell-type K562 --set data.min_dna_coverage=0.95 -o runs/boosting
    python studies/real/picture.py runs/boosting docs/images/report.png
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from epigx.evaluation.ablate import drop_signals
from epigx.evaluation.target import resolve_target
from epigx.report.drawing import GREY, INK, png, signal_colours
from epigx.report.figures import predicted_observed, signal_drop
from epigx.runs.folder import open_run


def draw(run: Path, out: Path) -> None:
    found = drop_signals(resolve_target(open_run(run), "test"))
    genes = found.baseline.genes
    names = [arm.drop[0] for arm in found.arms if len(arm.drop) == 1]
    arms = {"all signals": found.baseline.intervals}
    for arm in found.arms:
        arms["no signals" if len(arm.drop) > 1 else f"no {arm.drop[0]}"] = arm.intervals
    colours = signal_colours(tuple(names))
    shades = [INK, *(colours[name] for name in names), *([GREY] if len(names) > 1 else [])]
    scatter = predicted_observed(genes["observed"].to_numpy(), genes["predicted"].to_numpy(), found.baseline.intervals)
    pictures = [plt.imread(BytesIO(png(figure))) for figure in (scatter, signal_drop(arms, shades))]
    height = max(picture.shape[0] for picture in pictures)
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0)), constant_values=1.0) for p in pictures]
    out.parent.mkdir(parents=True, exist_ok=True)
    plt.imsave(out, np.hstack(padded))


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
