"""How much a trained model depends on each signal and on the window length: remove them at test time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from epigx.dataset.store import Dataset
from epigx.evaluation.evaluate import Evaluation, evaluate_target
from epigx.evaluation.target import Target, as_run, resolve_target
from epigx.metrics import Estimate, paired_bootstrap
from epigx.runs.folder import Run
from epigx.runs.gene_selection import SplitName
from epigx.runs.method import Progress

__all__ = ["Ablation", "drop_signals", "drop_signals_of", "shorten_windows"]


@dataclass(frozen=True)
class Ablation:
    """Scores with something removed, and those of the complete input."""

    baseline: Evaluation  # nothing removed
    arms: tuple[Evaluation, ...]  # one for each thing removed
    differences: tuple[Mapping[str, Estimate], ...]
    """Of each arm from the baseline, on the same resampled genes, by metric; empty without bootstrap."""

    def table(self) -> pd.DataFrame:
        """Return one row per arm, the baseline first: dropped signals, window, metrics.

        ``mae_change`` is the relative change of the mean absolute error, by which the paper ranks the signals.
        """
        rows = []
        for arm in (self.baseline, *self.arms):
            rows.append(
                {
                    "dropped": ", ".join(arm.drop),
                    "window": arm.window,
                    **arm.metrics.to_dict(),
                    "mae_change": arm.metrics.mae / self.baseline.metrics.mae - 1,
                }
            )
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        arms = [arm.to_dict() for arm in self.arms]
        for arm, difference in zip(arms, self.differences, strict=True):
            arm["difference"] = {name: [e.value, e.low, e.high] for name, e in difference.items()}
        return {"baseline": self.baseline.to_dict(), "arms": arms}


def drop_signals(
    run: Run | str | Path,
    *,
    split: SplitName = "test",
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    allow_overlap: bool = False,
    bootstrap: int = 1000,
    progress: Progress | None = None,
) -> Ablation:
    """Set each signal to zero in turn, and then all of them (Table 5, Figure 1c).

    Features stay, also one that was computed from a dropped signal, such as promoter activity
    (docs/decisions/0012).

    Parameters are those of :func:`~epigx.evaluation.evaluate.evaluate`; ``progress`` is called after each arm with its
    number and the number of arms.
    """
    target = resolve_target(as_run(run), split, data=data, cell_type=cell_type)
    return drop_signals_of(target, allow_overlap=allow_overlap, bootstrap=bootstrap, progress=progress)


def drop_signals_of(
    target: Target, *, allow_overlap: bool = False, bootstrap: int = 1000, progress: Progress | None = None
) -> Ablation:
    """Set each signal of a target to zero in turn, and then all of them; see :func:`drop_signals`."""
    names = [signal.name for signal in target.windows.inputs.signals]
    dropped = [(name,) for name in names] + ([tuple(names)] if len(names) > 1 else [])
    return _ablate(target, [target.replace(drop=drop) for drop in dropped], allow_overlap, bootstrap, progress)


def shorten_windows(
    run: Run | str | Path,
    windows: Iterable[int],
    *,
    split: SplitName = "test",
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    drop: Collection[str] = (),
    allow_overlap: bool = False,
    bootstrap: int = 1000,
    progress: Progress | None = None,
) -> Ablation:
    """Read shorter windows than the model was trained on (Table 2); ``windows`` are their lengths in bp."""
    target = resolve_target(as_run(run), split, data=data, cell_type=cell_type).replace(drop=drop)
    arms = [target.replace(window=window) for window in windows]
    return _ablate(target, arms, allow_overlap, bootstrap, progress)


def _ablate(
    target: Target, shown: list[Target], allow_overlap: bool, bootstrap: int, progress: Progress | None
) -> Ablation:
    evaluations = []
    for done, arm in enumerate([target, *shown], start=1):
        evaluations.append(evaluate_target(arm, bootstrap=bootstrap, allow_overlap=allow_overlap))
        if progress is not None:
            progress(done, len(shown) + 1)
    baseline, *arms = evaluations
    observed, whole = baseline.genes["observed"], baseline.genes["predicted"]
    return Ablation(
        baseline=baseline,
        arms=tuple(arms),
        differences=tuple(
            paired_bootstrap(observed, arm.genes["predicted"], whole, resamples=bootstrap) if bootstrap else {}
            for arm in arms
        ),
    )
