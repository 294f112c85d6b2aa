"""Table 8 of the paper: parameter counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from epigx.paper import published
from epigx.paper.pages import Contents, Section
from epigx.paper.plan import TableOrFigure
from epigx.paper.tables import SYSTEMS
from epigx.recipes.data import SHORT, Scale
from epigx.report.tables import Table

__all__ = ["ParameterTable", "table8"]


@dataclass(frozen=True)
class ParameterTable(TableOrFigure):
    """Parameter counts; they need no dataset and no runs."""

    rows: tuple[tuple[str, str, int, int], ...]
    """System, the paper's number, parameters of the model and of the objective."""

    def contents(self, out: Path, command: str, failures: Mapping[str, str]) -> Contents:
        """Return the contents of the page."""
        cells = [
            (label, f"{model:,}", f"{objective:,}" if objective else "", f"{model + objective:,}", printed)
            for label, printed, model, objective in self.rows
        ]
        table = Table(("System", "Model", "Objective", "In training", "paper"), tuple(cells))
        frame = pd.DataFrame(list(self.rows), columns=["system", "paper", "model", "objective"])
        return Contents(self.name, self.title, self.caption, (Section("", table),), frame)


def table8(scale: Scale = "paper") -> ParameterTable:
    """Return the parameter counts of all systems with three signals and nine features; nothing is trained."""
    rows = []
    for recipe, label in SYSTEMS.items():
        config = recipe(data="", cell_type="", scale=scale)
        found = config.method.parameters(n_signals=3, n_features=9, window=config.data.window or SHORT)
        rows.append((label, published.PARAMETERS.get(recipe.__name__, ""), found["model"], found["objective"]))
    return ParameterTable(
        "table8",
        "Table 8. Parameters",
        "Counted with three signals and nine features. The objective's parameters (InFER's confounder encoder g_ω) are "
        "used only in training. Seq2Exp-hard has one vector per position of its window."
        + ("" if scale == "paper" else " Counts here are of the small scale, the paper's of its full scale."),
        tuple(rows),
    )
