"""The exhibit that varies InFER's objective: Table 6."""

from __future__ import annotations

from epigx.paper import published
from epigx.paper.items import Impossible, Row, Scores, Trained
from epigx.paper.study import Study
from epigx.recipes.models import caduceus_signals, infer

__all__ = ["table6"]

_CHOSEN = {"n_patterns": 2, "alpha": 1.0, "beta": 1.0}
_GROUPS = {
    "n_patterns": ("n", "(a) patterns n, α = β = 1"),
    "alpha": ("α", "(b) weight α, n = 2, β = 1"),
    "beta": ("β", "(c) weight β, n = 2, α = 1"),
}


def table6(study: Study) -> Scores:
    """InFER with other numbers of patterns, and with other weights of intervention and diversity."""
    rows = []
    for cell_type in study.cell_types:
        for setting, values in published.SWEEPS.items():
            symbol, group = _GROUPS[setting]
            for value, scores in values.items():
                system = _train(study, cell_type, setting, value)
                chosen = value == _CHOSEN[setting]
                rows.append(Row(f"{symbol} = {value:g}", cell_type, system, group, baseline=chosen, published=scores))
    return Scores(
        "table6",
        "Table 6. The settings of InFER",
        "α = 0 is training without the objective, as in the official code: L₃ vanishes with the encoder, and the row "
        "is Caduceus with signals. With one pattern there is nothing to diversify, and β has no effect.",
        tuple(rows),
    )


def _train(study: Study, cell_type: str, setting: str, value: float) -> Trained | Impossible:
    if value == _CHOSEN[setting]:
        return study.train(infer, cell_type)
    if setting == "alpha" and value == 0:
        return study.train(caduceus_signals, cell_type)
    return study.train(infer, cell_type, f"objective.{setting}={value:g}", variant=f"{setting}{value:g}")
