"""What is measured of a trained system: predictions of the test genes, as they are and under interventions.

One row per test gene: ``observed``, ``predicted``, ``drop:<signal>`` (the prediction without it), and
``effect:<signal>``, the central difference of the prediction when ln of the raw signal is moved by ± 0.5 all over the
window, per unit of ln. On simulated data also the true effects, and ``observed:flip``, the expression of the same genes
when the confounder acts the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from epigx.batch import Batch
from epigx.dataset.inputs import Inputs
from epigx.dataset.loader import eval_loader
from epigx.dataset.signals import Transform, apply_transform
from epigx.dataset.windows import Windows
from epigx.evaluation.target import resolve_target
from epigx.runs.folder import Run

STEP = 0.5
"""Finite change of ln signal, to either side."""
DONORS = 8
"""Backgrounds that the standardised prediction averages over."""

Predict = Callable[[Batch], torch.Tensor]

_RAW: dict[Transform, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda x: x,
    "log1p": np.expm1,
    "log10p1": lambda x: 10**x - 1,
    "sqrt": np.square,
    "asinh": np.sinh,
}


def measure(run: Run, background: Sequence[str], signals: Sequence[str]) -> pd.DataFrame:
    """Return the table of a run; signals that it does not read have no effect, and dropping them changes nothing."""
    model = run.model()
    place = {signal.name: number for number, signal in enumerate(run.inputs.signals)}
    return _table(run, lambda batch: model(batch).expression, place, background, signals)


def measure_standardised(run: Run, background: Sequence[str], signals: Sequence[str]) -> pd.DataFrame:
    """Return the table of the same run with its predictions averaged over the backgrounds of training genes.

    Σ_c h(X, S_fg, c) P(c), Eq. 2 by the empirical distribution of c and without any training: the g-formula.
    """
    model = run.model()
    donors = resolve_target(run, "train").windows.labelled()
    rows = np.random.default_rng(0).integers(0, len(donors), 256)
    pool = donors.__getitems__(rows).signals
    channels = list(run.inputs.background)
    draw = torch.Generator().manual_seed(0)

    def predict(batch: Batch) -> torch.Tensor:
        total = torch.zeros(len(batch))
        for _ in range(DONORS):
            signals = batch.signals.clone()
            signals[..., channels] = pool[torch.randint(len(pool), (len(batch),), generator=draw)][..., channels]
            total += model(replace(batch, signals=signals)).expression
        return total / DONORS

    def again(batch: Batch) -> torch.Tensor:
        draw.manual_seed(0)  # the same donors in every arm: differences are those of the arm
        return predict(batch)

    place = {s.name: number for number, s in enumerate(run.inputs.signals) if number not in channels}
    return _table(run, again, place, background, signals)


def add_truth(table: pd.DataFrame, truth: Path, flipped: Path | None, cell_type: str) -> pd.DataFrame:
    """Add the simulator's true effects per ln signal, and the labels of the flipped twin."""
    known = _truth(truth, cell_type).filter(like="effect_").rename(columns=lambda name: "true:" + name[7:])
    table = table.join(known, on="gene_id")
    if flipped is not None:
        table["observed:flip"] = _truth(flipped, cell_type)["expression"].loc[table["gene_id"]].to_numpy()
    return table


def _truth(path: Path, cell_type: str) -> pd.DataFrame:
    table = pd.read_parquet(path)
    return table[table["cell_type"] == cell_type].set_index("gene_id")


def _table(
    run: Run, predict: Predict, place: Mapping[str, int], background: Sequence[str], signals: Sequence[str]
) -> pd.DataFrame:
    """Return the table of anything that predicts; ``place`` has the signals that matter to it, and their channels."""
    windows: Windows = resolve_target(run, "test").windows.labelled()
    columns: dict[str, list[torch.Tensor]] = {}
    with torch.inference_mode():
        for batch in eval_loader(windows, 64):
            for name, values in _arms(predict, batch, run.inputs, place, background, signals):
                columns.setdefault(name, []).append(values)
    predicted = {name: torch.cat(parts).numpy() for name, parts in columns.items()}
    return pd.DataFrame({"gene_id": windows.gene_id, "observed": windows.expression, **predicted})


def _arms(
    predict: Predict,
    batch: Batch,
    inputs: Inputs,
    place: Mapping[str, int],
    background: Sequence[str],
    signals: Sequence[str],
) -> Iterator[tuple[str, torch.Tensor]]:
    whole = predict(batch)
    yield "predicted", whole
    for name, dropped in {**{name: [name] for name in signals}, "background": list(background)}.items():
        read = [place[signal] for signal in dropped if signal in place]
        yield f"drop:{name}", predict(_without(batch, read)) if read else whole
    for name in signals:
        if name not in place:
            yield f"effect:{name}", torch.zeros_like(whole)
            continue
        channel, transform = place[name], inputs.signals[place[name]].transform
        up, down = (predict(_scaled(batch, channel, transform, np.exp(side * STEP))) for side in (1, -1))
        yield f"effect:{name}", (up - down) / (2 * STEP)


def _without(batch: Batch, channels: list[int]) -> Batch:
    signals = batch.signals.clone()
    signals[..., channels] = 0.0
    return replace(batch, signals=signals)


def _scaled(batch: Batch, channel: int, transform: Transform, factor: float) -> Batch:
    """Multiply the raw signal that the channel's transformed values stand for."""
    signals = batch.signals.clone()
    raw = _RAW[transform](signals[..., channel].numpy())
    signals[..., channel] = torch.from_numpy(apply_transform(raw * np.float32(factor), transform))
    return replace(batch, signals=signals)
