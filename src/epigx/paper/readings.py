"""The exhibits that ask what a model gains from what it reads: Tables 2 to 5 and Figure 1."""

from __future__ import annotations

from dataclasses import replace

from epigx.paper import published
from epigx.paper.items import Impossible, Row, Scores, Trained
from epigx.paper.study import Recipe, Study
from epigx.recipes.data import LONG
from epigx.recipes.models import caduceus_signals, infer
from epigx.recipes.selection import seq2exp_soft

__all__ = ["figure1a", "figure1b", "figure1c", "table2", "table3", "table4", "table5"]

PROMOTER = 2_000
"""Central base pairs that Seq2Exp always selects, in the paper."""

_SHORTER = "Lengths that the dataset does not have are left out. "


def table2(study: Study) -> Scores:
    """Seq2Exp-soft on shorter windows than it was trained on."""
    rows = []
    for cell_type in study.cell_types:
        system = study.train(seq2exp_soft, cell_type)
        if isinstance(system, Impossible):
            rows.append(Row("Seq2Exp-soft", cell_type, system))
            continue
        whole, promoter, seen = system.window, _promoter(system), set[int]()
        for printed, scores in published.LENGTHS.items():
            length = whole if printed == LONG else printed * promoter // PROMOTER // 2 * 2
            if (length < whole and length not in seen) or printed == LONG:
                seen.add(length)
                rows.append(
                    Row(
                        f"{length:,} bp", cell_type, system,
                        window=length, at=length, baseline=printed == LONG, published=scores,
                    )
                )  # fmt: skip
    return Scores(
        "table2",
        "Table 2. Shorter windows at test time",
        "Seq2Exp-soft, trained on the longest window and tested on its central part. The paper trains on 200,000 bp, "
        f"of which the central 2,000 are always selected; lengths here are in proportion to that part. {_SHORTER}",
        tuple(rows),
        axis="bp read at test time",
    )


def _promoter(system: Trained) -> int:
    return int(next(iter(system.runs.values())).method.model.pool)  # type: ignore[attr-defined]


def table3(study: Study) -> Scores:
    """Seq2Exp-soft and Caduceus with signals, trained and tested on windows of several lengths."""
    rows = []
    systems: tuple[tuple[str, Recipe], ...] = (
        ("Seq2Exp-soft", seq2exp_soft),
        ("Caduceus w/ signals", caduceus_signals),
    )
    for cell_type in study.cell_types:
        for group, recipe in systems:
            for printed, scores in published.BETWEEN_LENGTHS[recipe.__name__].items():
                length = study.length(printed)
                if study.fits(length):
                    system = _on_length(study, recipe, cell_type, length)
                    rows.append(
                        Row(
                            f"{length:,} bp", cell_type, system, group,
                            at=length, baseline=printed == PROMOTER, published=scores,
                        )
                    )  # fmt: skip
    return Scores(
        "table3",
        "Table 3. Windows of several lengths",
        f"Each length is trained and tested on its own. {_SHORTER}Where a window is no longer than the 2 kb that "
        "Seq2Exp always selects, so that it had no choice, it selects the central quarter here.",
        tuple(rows),
        axis="bp read in training and test",
    )


def _on_length(study: Study, recipe: Recipe, cell_type: str, length: int) -> Trained | Impossible:
    default = study.train(recipe, cell_type)
    if isinstance(default, Trained) and default.window == length:
        return default
    changes: tuple[str, ...] = ()
    if recipe is seq2exp_soft and length <= PROMOTER and study.scale == "paper":
        changes = (f"model.pool={length // 4}",)
    return study.train(recipe, cell_type, *changes, variant=f"{length}bp", window=length)


def table4(study: Study) -> Scores:
    """Caduceus on DNA with no signal, with each, and with all."""
    rows = []
    for cell_type in study.cell_types:
        none = study.train(caduceus_signals, cell_type, "data.signals=[]", "model.signals=false", variant="no-signals")
        rows.append(Row("No signals", cell_type, none, published=published.SIGNALS["none"]))
        for signal in study.dataset.signals:
            alone = study.train(caduceus_signals, cell_type, f"data.signals=[{signal.name}]", variant=signal.name)
            printed = published.SIGNALS.get(signal.name.lower())
            rows.append(Row(f"+ {signal.name}", cell_type, alone, published=printed))
        every = study.train(caduceus_signals, cell_type)
        rows.append(Row("All signals", cell_type, every, baseline=True, published=published.SIGNALS["all"]))
    return Scores(
        "table4",
        "Table 4. Caduceus with different signals",
        "The features of the head stay, promoter activity too, which is computed from H3K27ac and accessibility; "
        "`--set 'data.features=[…]'` leaves it out.",
        tuple(rows),
    )


def table5(study: Study) -> Scores:
    """Models trained on all signals, tested without one of them."""
    rows = []
    for cell_type in study.cell_types:
        for group, recipe in (("Caduceus w/ signals", caduceus_signals), ("InFER", infer)):
            system = study.train(recipe, cell_type)
            printed = published.DROPPED if recipe is caduceus_signals else {}
            for signal in study.dataset.signals:
                scores = printed.get(signal.name.lower())
                rows.append(Row(f"Drop {signal.name}", cell_type, system, group, drop=(signal.name,), published=scores))
            rows.append(Row("All signals", cell_type, system, group, baseline=True, published=printed.get("nothing")))
    return Scores(
        "table5",
        "Table 5. Signals removed at test time",
        "The signal is set to zero over the whole window; the features stay. The paper's table is of Caduceus with "
        "signals alone: InFER, which is to depend less on background signals, stands beside it here.",
        tuple(rows),
    )


def figure1a(study: Study) -> Scores:
    """Table 3, drawn."""
    return replace(table3(study), name="figure1a", title="Figure 1 (a). Windows of several lengths")


def figure1b(study: Study) -> Scores:
    """Table 4, drawn."""
    return replace(table4(study), name="figure1b", title="Figure 1 (b). Caduceus with different signals")


def figure1c(study: Study) -> Scores:
    """Table 5, drawn."""
    return replace(table5(study), name="figure1c", title="Figure 1 (c). Signals removed at test time")
