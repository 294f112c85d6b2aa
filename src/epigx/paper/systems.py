"""The exhibits that compare systems: Tables 1, 7 and 8."""

from __future__ import annotations

from epigx.paper import published
from epigx.paper.items import Counts, Impossible, Row, Scores, Trained
from epigx.paper.study import Recipe, Study
from epigx.recipes.baselines import activity, boosting, ridge
from epigx.recipes.data import LONG, SHORT, Scale
from epigx.recipes.elements import epinformer
from epigx.recipes.models import caduceus, caduceus_signals, enformer, hyenadna, infer, mamba
from epigx.recipes.selection import macs3_mask, seq2exp_hard, seq2exp_soft

__all__ = ["table1", "table7", "table8"]

SYSTEMS: dict[Recipe, str] = {
    enformer: "Enformer",
    hyenadna: "HyenaDNA",
    mamba: "Mamba",
    caduceus: "Caduceus",
    caduceus_signals: "Caduceus w/ signals",
    epinformer: "EPInformer",
    macs3_mask: "MACS3",
    seq2exp_hard: "Seq2Exp-hard",
    seq2exp_soft: "Seq2Exp-soft",
    infer: "InFER",
}
"""The paper's systems, in its order."""

BASELINES: dict[Recipe, str] = {
    ridge: "Ridge",
    boosting: "Gradient boosting",
    activity: "Promoter activity",
}
"""What a user would try first."""


def table1(study: Study) -> Scores:
    """All ten systems, and the baselines."""
    rows = []
    for cell_type in study.cell_types:
        printed = published.of_systems(cell_type)
        rows += [
            Row(
                label,
                cell_type,
                study.train(recipe, cell_type),
                baseline=recipe is infer,
                published=printed[recipe.__name__],
            )
            for recipe, label in SYSTEMS.items()
        ]
        # On the windows of InFER: the same genes, inputs and split.
        window = min(study.length(SHORT), study.dataset.window)
        rows += [
            Row(label, cell_type, study.train(recipe, cell_type, window=window)) for recipe, label in BASELINES.items()
        ]
    return Scores(
        "table1",
        "Table 1. Expression prediction by all systems",
        "All systems are trained here, on the same genes, with the same loss: the L1 function, which the paper gives "
        "as its own. The paper's numbers of the other systems are cited from Seq2Exp, where the loss was smooth L1 and "
        "all but EPInformer read 200 kb. Ridge, gradient boosting and the line through promoter activity are no part "
        "of the paper: they are fitted on InFER's genes and inputs, and nothing in them depends on a seed. The head of "
        "every system reads the gene's features, promoter activity among them, so that none is blind to the signals.",
        tuple(rows),
    )


def table7(study: Study) -> Scores:
    """Caduceus with signals on long and on short windows, beside Seq2Exp-soft and InFER."""
    rows = []
    for cell_type in study.cell_types:
        short = study.train(caduceus_signals, cell_type)
        long = _on_long_windows(study, cell_type)
        for label, system, name in (
            ("Caduceus w/ signals, long", long, "long"),
            ("Caduceus w/ signals, short", short, "short"),
            ("Seq2Exp-soft", study.train(seq2exp_soft, cell_type), "seq2exp_soft"),
            ("InFER", study.train(infer, cell_type), "infer"),
        ):
            printed = published.OVERHEAD[name]
            rows.append(Row(label, cell_type, system, baseline=name == "infer", published=printed))
    return Scores(
        "table7",
        "Table 7. Caduceus with signals on short windows",
        "In the paper long is 200 kb and short 2 kb; Seq2Exp-soft reads 200 kb and InFER 2 kb.",
        tuple(rows),
    )


def _on_long_windows(study: Study, cell_type: str) -> Trained | Impossible:
    """Return Caduceus with signals on 200 kb, or on all that the dataset has if that is more than the short window."""
    long, short = min(study.length(LONG), study.dataset.window), study.length(SHORT)
    if long <= short:
        return Impossible(
            f"The dataset's windows have {study.dataset.window:,} bp, and more than {short:,} are needed."
        )
    return study.train(caduceus_signals, cell_type, variant=f"{long}bp", window=long)


def table8(scale: Scale = "paper") -> Counts:
    """Parameters of all systems, with the paper's three signals and nine features; nothing is trained."""
    rows = []
    for recipe, label in SYSTEMS.items():
        config = recipe(data="", cell_type="", scale=scale)
        found = config.method.parameters(n_signals=3, n_features=9, window=config.data.window or SHORT)
        rows.append((label, published.PARAMETERS.get(recipe.__name__, ""), found["model"], found["objective"]))
    return Counts(
        "table8",
        "Table 8. Parameters",
        "Counted with three signals and nine features. What the objective learns (InFER's confounder encoder g_ω) is "
        "needed in training alone. Seq2Exp-hard has one vector for each position of its window."
        + ("" if scale == "paper" else " Sizes are those of the small scale, and the paper's of its own."),
        tuple(rows),
    )
