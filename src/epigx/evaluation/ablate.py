"""How much a trained model depends on each signal and on the window length: remove them at test time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from epigx.evaluation.evaluate import Evaluation, evaluate_target
from epigx.evaluation.target import Target
from epigx.metrics import Estimate, paired_bootstrap
from epigx.runs.method import Progress

__all__ = ["Ablation", "drop_signals", "shorten_windows"]


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
        rows = [
            {
                "dropped": ", ".join(arm.drop),
                "window": arm.window,
                **arm.metrics.to_dict(),
                "mae_change": arm.metrics.mae / self.baseline.metrics.mae - 1,
            }
            for arm in (self.baseline, *self.arms)
        ]
        return pd.DataFrame(rows)


def drop_signals(target: Target, *, bootstrap: int = 1000, progress: Progress | None = None) -> Ablation:
    """Set each signal to zero in turn, and then all of them (Table 5, Figure 1c).

    Features stay, also one that was computed from a dropped signal, such as promoter activity (docs/decisions/0012).
    Parameters are those of :func:`~epigx.evaluation.evaluate.evaluate`; ``progress`` is called after each arm with its
    number and the number of arms.
    """
    names = [signal.name for signal in target.windows.inputs.signals]
    dropped = [(name,) for name in names] + ([tuple(names)] if len(names) > 1 else [])
    return _ablate(target, [target.replace(drop=drop) for drop in dropped], bootstrap, progress)


def shorten_windows(
    target: Target, windows: Iterable[int], *, bootstrap: int = 1000, progress: Progress | None = None
) -> Ablation:
    """Read shorter windows than the model was trained on (Table 2); ``windows`` are their lengths in bp."""
    arms = [target.replace(window=window) for window in windows]
    return _ablate(target, arms, bootstrap, progress)


def _ablate(target: Target, shown: list[Target], bootstrap: int, progress: Progress | None) -> Ablation:
    evaluations = []
    for done, arm in enumerate([target, *shown], start=1):
        evaluations.append(evaluate_target(arm, bootstrap=bootstrap))
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
