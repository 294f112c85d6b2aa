"""Tables 1 to 8 and Figure 1 of the paper; all but Table 8 are functions of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from epigx import recipes
from epigx.paper import published
from epigx.paper.pages import Contents, Section
from epigx.paper.plan import TableOrFigure
from epigx.paper.scores import Row, ScoreTable
from epigx.paper.study import Study, System
from epigx.recipes.data import LONG, SHORT, Recipe, Scale
from epigx.report.tables import Table

__all__ = [
    "SYSTEMS", "ParameterTable", "figure1a", "figure1b", "figure1c",
    "table1", "table2", "table3", "table4", "table5", "table6", "table7", "table8",
]  # fmt: skip

SYSTEMS: dict[Recipe, str] = {
    recipes.enformer: "Enformer",
    recipes.hyenadna: "HyenaDNA",
    recipes.mamba: "Mamba",
    recipes.caduceus: "Caduceus",
    recipes.caduceus_signals: "Caduceus w/ signals",
    recipes.epinformer: "EPInformer",
    recipes.macs3_mask: "MACS3",
    recipes.seq2exp_hard: "Seq2Exp-hard",
    recipes.seq2exp_soft: "Seq2Exp-soft",
    recipes.infer: "InFER",
}
"""The paper's systems, in its order."""

BASELINES: dict[Recipe, str] = {
    recipes.ridge: "Ridge",
    recipes.boosting: "Gradient boosting",
    recipes.activity: "Promoter activity",
}
"""Methods without a network."""


PROMOTER = 2_000
"""Central bp that Seq2Exp always selects in the paper."""

_SHORTER = "Windows longer than the dataset's are left out. "


_CHOSEN = {"n_patterns": 2, "alpha": 1.0, "beta": 1.0}
_GROUPS = {
    "n_patterns": ("n", "(a) patterns n, α = β = 1"),
    "alpha": ("α", "(b) weight α, n = 2, β = 1"),
    "beta": ("β", "(c) weight β, n = 2, α = 1"),
}


def table1(study: Study) -> ScoreTable:
    """Return the ten systems of the paper and the baselines."""
    rows = []
    for cell_type in study.cell_types:
        printed = published.of_systems(cell_type)
        rows += [
            Row(
                label,
                cell_type,
                study.system(recipe, cell_type),
                baseline=recipe is recipes.infer,
                published=printed[recipe.__name__],
            )
            for recipe, label in SYSTEMS.items()
        ]
        # The baselines read InFER's windows: the same genes, inputs and split.
        window = min(study.length(SHORT), study.dataset.window)
        rows += [
            Row(label, cell_type, study.system(recipe, cell_type, window=window)) for recipe, label in BASELINES.items()
        ]
    return ScoreTable(
        "table1",
        "Table 1. Expression prediction by all systems",
        "All networks are trained on the same genes with the same loss, the L1 loss of the paper. The paper cites the "
        "other systems' numbers from Seq2Exp, which used smooth L1 and 200 kb windows (except for EPInformer). Ridge, "
        "gradient boosting and promoter activity are baselines that the paper does not have: they read InFER's genes "
        "and inputs and do not depend on a seed. The head of every system reads the gene's features, including "
        "promoter activity, so even systems on DNA only see some of the signals.",
        study,
        tuple(rows),
    )


def table2(study: Study) -> ScoreTable:
    """Return Seq2Exp-soft on shorter windows than it was trained on."""
    rows = []
    for cell_type in study.cell_types:
        system = study.system(recipes.seq2exp_soft, cell_type)
        if system.config is None or system.window is None:
            rows.append(Row("Seq2Exp-soft", cell_type, system))
            continue
        promoter = int(system.config.method.model.pool)  # type: ignore[attr-defined]
        whole, seen = system.window, set[int]()
        for printed, scores in published.LENGTHS.items():
            length = whole if printed == LONG else printed * promoter // PROMOTER // 2 * 2
            if (length < whole and length not in seen) or printed == LONG:
                seen.add(length)
                rows.append(
                    Row(
                        f"{length:,} bp", cell_type, system,
                        window=length, x=length, baseline=printed == LONG, published=scores,
                    )
                )  # fmt: skip
    return ScoreTable(
        "table2",
        "Table 2. Shorter windows at test time",
        "Seq2Exp-soft is trained on the longest window and tested on the centre of it. The paper trains on 200,000 bp "
        f"and always selects the central 2,000; lengths here are in proportion to that centre. {_SHORTER}",
        study,
        tuple(rows),
        axis="bp read at test time",
    )


def table3(study: Study) -> ScoreTable:
    """Return Seq2Exp-soft and Caduceus with signals, trained and tested on windows of several lengths."""
    rows = []
    systems: tuple[tuple[str, Recipe], ...] = (
        ("Seq2Exp-soft", recipes.seq2exp_soft),
        ("Caduceus w/ signals", recipes.caduceus_signals),
    )
    for cell_type in study.cell_types:
        for group, recipe in systems:
            for printed, scores in published.BETWEEN_LENGTHS[recipe.__name__].items():
                length = study.length(printed)
                if length <= study.dataset.window:
                    system = _on_length(study, recipe, cell_type, length)
                    rows.append(
                        Row(
                            f"{length:,} bp", cell_type, system, group,
                            x=length, baseline=printed == PROMOTER, published=scores,
                        )
                    )  # fmt: skip
    return ScoreTable(
        "table3",
        "Table 3. Windows of several lengths",
        f"Each length has its own models. {_SHORTER}Seq2Exp always selects the central 2 kb; in windows up to 2 kb, "
        "where it would have nothing to choose, it always selects the central quarter here.",
        study,
        tuple(rows),
        axis="bp read in training and test",
    )


def _on_length(study: Study, recipe: Recipe, cell_type: str, length: int) -> System:
    default = study.system(recipe, cell_type)
    if default.window == length:
        return default
    changes: tuple[str, ...] = ()
    if recipe is recipes.seq2exp_soft and length <= PROMOTER and study.scale == "paper":
        changes = (f"model.pool={length // 4}",)
    return study.system(recipe, cell_type, *changes, variant=f"{length}bp", window=length)


def table4(study: Study) -> ScoreTable:
    """Return Caduceus on DNA with no signal, with each signal, and with all."""
    rows = []
    for cell_type in study.cell_types:
        none = study.system(
            recipes.caduceus_signals, cell_type, "data.signals=[]", "model.signals=false", variant="no-signals"
        )
        rows.append(Row("No signals", cell_type, none, published=published.SIGNALS["none"]))
        for signal in study.dataset.signals:
            one = study.system(
                recipes.caduceus_signals, cell_type, f"data.signals=[{signal.name}]", variant=signal.name
            )
            printed = published.SIGNALS.get(signal.name.lower())
            rows.append(Row(f"+ {signal.name}", cell_type, one, published=printed))
        every = study.system(recipes.caduceus_signals, cell_type)
        rows.append(Row("All signals", cell_type, every, baseline=True, published=published.SIGNALS["all"]))
    return ScoreTable(
        "table4",
        "Table 4. Caduceus with different signals",
        "All rows keep the features of the head, including promoter activity, which is computed from H3K27ac and "
        "accessibility; leave it out with `--set 'data.features=[…]'`.",
        study,
        tuple(rows),
    )


def table5(study: Study) -> ScoreTable:
    """Return models trained on all signals and tested without one of them."""
    rows = []
    for cell_type in study.cell_types:
        for group, recipe in (("Caduceus w/ signals", recipes.caduceus_signals), ("InFER", recipes.infer)):
            system = study.system(recipe, cell_type)
            printed = published.DROPPED if recipe is recipes.caduceus_signals else {}
            for signal in study.dataset.signals:
                scores = printed.get(signal.name.lower())
                rows.append(Row(f"Drop {signal.name}", cell_type, system, group, drop=(signal.name,), published=scores))
            rows.append(Row("All signals", cell_type, system, group, baseline=True, published=printed.get("nothing")))
    return ScoreTable(
        "table5",
        "Table 5. Signals removed at test time",
        "The signal is set to zero over the whole window; the features stay. The paper shows only Caduceus with "
        "signals; InFER is added here because it should depend less on background signals.",
        study,
        tuple(rows),
    )


def table6(study: Study) -> ScoreTable:
    """Return InFER with other numbers of patterns and other weights of the intervention and diversity losses."""
    rows = []
    for cell_type in study.cell_types:
        for setting, values in published.SWEEPS.items():
            symbol, group = _GROUPS[setting]
            for value, scores in values.items():
                system = _varied(study, cell_type, setting, value)
                chosen = value == _CHOSEN[setting]
                rows.append(Row(f"{symbol} = {value:g}", cell_type, system, group, baseline=chosen, published=scores))
    return ScoreTable(
        "table6",
        "Table 6. The settings of InFER",
        "α = 0 trains without InFER's objective, as the official code does: without the confounder encoder there is "
        "no L₃, so the row equals Caduceus with signals. With one pattern L₃ is constant and β has no effect.",
        study,
        tuple(rows),
    )


def _varied(study: Study, cell_type: str, setting: str, value: float) -> System:
    if value == _CHOSEN[setting]:
        return study.system(recipes.infer, cell_type)
    if setting == "alpha" and value == 0:
        return study.system(recipes.caduceus_signals, cell_type)
    return study.system(recipes.infer, cell_type, f"objective.{setting}={value:g}", variant=f"{setting}{value:g}")


def table7(study: Study) -> ScoreTable:
    """Return Caduceus with signals on long and on short windows, Seq2Exp-soft and InFER."""
    rows = []
    for cell_type in study.cell_types:
        short = study.system(recipes.caduceus_signals, cell_type)
        long = _on_long_windows(study, cell_type)
        for label, system, name in (
            ("Caduceus w/ signals, long", long, "long"),
            ("Caduceus w/ signals, short", short, "short"),
            ("Seq2Exp-soft", study.system(recipes.seq2exp_soft, cell_type), "seq2exp_soft"),
            ("InFER", study.system(recipes.infer, cell_type), "infer"),
        ):
            printed = published.OVERHEAD[name]
            rows.append(Row(label, cell_type, system, baseline=name == "infer", published=printed))
    return ScoreTable(
        "table7",
        "Table 7. Caduceus with signals on short windows",
        "In the paper, long windows are 200 kb and short ones 2 kb; Seq2Exp-soft reads 200 kb and InFER 2 kb.",
        study,
        tuple(rows),
    )


def _on_long_windows(study: Study, cell_type: str) -> System:
    """Return Caduceus with signals on 200 kb, or on the dataset's window if that is longer than the short one."""
    long, short = min(study.length(LONG), study.dataset.window), study.length(SHORT)
    if long <= short:
        return System(
            reason=f"The dataset's windows are {study.dataset.window:,} bp long; this row needs more than {short:,} bp."
        )
    return study.system(recipes.caduceus_signals, cell_type, variant=f"{long}bp", window=long)


def figure1a(study: Study) -> ScoreTable:
    """Return Table 3 as a figure."""
    return replace(table3(study), name="figure1a", title="Figure 1 (a). Windows of several lengths")


def figure1b(study: Study) -> ScoreTable:
    """Return Table 4 as a figure."""
    return replace(table4(study), name="figure1b", title="Figure 1 (b). Caduceus with different signals")


def figure1c(study: Study) -> ScoreTable:
    """Return Table 5 as a figure."""
    return replace(table5(study), name="figure1c", title="Figure 1 (c). Signals removed at test time")


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
