"""The study's tables, from what was measured; and into the page of results, between its marks.

python studies/causal/tables.py build/causal/study
python studies/causal/tables.py build/causal/study --collapse build/causal/collapse.csv --into studies/causal/results.md
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

PLAIN = "plain"
RESAMPLES = 2000
MARKS = ("<!-- tables: begin -->", "<!-- tables: end -->")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="the folder that study.py wrote")
    parser.add_argument("--collapse", type=Path, help="the table that collapse.py wrote")
    parser.add_argument("--into", type=Path, help="a page to fill; printed otherwise")
    arguments = parser.parse_args()
    text = "\n\n".join(part for group in groups(arguments.study) for part in render(arguments.study, group))
    if arguments.collapse:
        text += "\n\n" + collapse(arguments.collapse)
    if arguments.into:
        page = arguments.into.read_text()
        between = re.compile(f"{re.escape(MARKS[0])}.*{re.escape(MARKS[1])}", re.DOTALL)
        arguments.into.write_text(between.sub(lambda _: f"{MARKS[0]}\n\n{text}\n\n{MARKS[1]}", page))
    else:
        print(text)


def groups(study: Path) -> list[str]:
    """Return the simulated sweeps by strength, and then the measured data."""
    return sorted((path.name for path in (study / "measured").iterdir()), key=lambda name: (name == "real", name))


def render(study: Path, group: str) -> list[str]:
    """Return the three tables of a group: accuracy, dependence, effects."""
    genes = load(study / "measured" / group)
    title = "Measured data (K562)" if group == "real" else f"*Simulated*, γ = {group.split()[1]}"
    seeds = genes.groupby("system", sort=False)["seed"].nunique()
    unit = genes["gene_id"] if group == "real" else genes["seed"].astype(str) + genes["gene_id"]
    genes = genes.assign(unit=unit)
    few = str(seeds.max()) if seeds.nunique() == 1 else f"{seeds.min()} to {seeds.max()}"
    count = "1 seed" if few == "1" else f"{few} seeds"
    n_genes = f"{len(genes[genes['system'] == PLAIN]) // seeds[PLAIN]:,}"
    heading = f"### {title}: {count}, {n_genes} test genes each"
    return [heading, accuracy(genes), dependence(genes), effects(genes)]


def load(folder: Path) -> pd.DataFrame:
    """Read the systems' tables, those seeds of which the plain system has one."""
    parts = []
    for path in folder.glob("*/*.parquet"):
        if (folder / PLAIN / path.name).is_file():
            parts.append(pd.read_parquet(path).assign(system=path.parent.name, seed=int(path.stem)))
    genes = pd.concat(parts, ignore_index=True)
    order = ["plain", "plain, standardised", "foreground alone", "InFER", "gene patterns"]
    last = sorted(set(genes["system"]) - set(order))
    return genes.sort_values("system", key=lambda s: s.map({n: i for i, n in enumerate(order + last)}), kind="stable")


def accuracy(genes: pd.DataFrame) -> str:
    """Tabulate errors, and their paired differences from plain training."""
    genes = genes.assign(error=(genes["predicted"] - genes["observed"]) ** 2)
    flipped = "observed:flip" in genes
    if flipped:
        genes = genes.assign(flip=(genes["predicted"] - genes["observed:flip"]) ** 2)
    rows = []
    for system, own in genes.groupby("system", sort=False):
        row = {
            "system": system,
            "MSE": over_seeds(own, lambda g: g["error"].mean()),
            "r": over_seeds(own, lambda g: g["predicted"].corr(g["observed"])),
            "MSE - plain, over seeds": difference_over_seeds(genes, system, "error"),
            "the same, over genes": difference_over_genes(genes, system, "error"),
        }
        if flipped:
            row |= {
                "MSE, C → Y flipped": over_seeds(own, lambda g: g["flip"].mean()),
                "flipped - plain, over seeds": difference_over_seeds(genes, system, "flip"),
            }
        rows.append(row)
    return markdown(rows)


def dependence(genes: pd.DataFrame) -> str:
    """Tabulate the rise of the squared error when a signal is dropped at test, and its ratio to plain training's."""
    error = (genes["predicted"] - genes["observed"]) ** 2
    arms = [name for name in genes if name.startswith("drop:")]
    genes = genes.assign(**{name: (genes[name] - genes["observed"]) ** 2 - error for name in arms})
    rows = []
    for system, own in genes.groupby("system", sort=False):
        row = {"system": system}
        for name in arms:
            label = "all background" if name == "drop:background" else name[5:]
            row[f"without {label}"] = over_seeds(own, lambda g, arm=name: g[arm].mean())
        row["all background, ratio to plain"] = ratio_over_genes(genes, system, "drop:background")
        rows.append(row)
    return "Rise of the MSE when signals are dropped at test:\n\n" + markdown(rows)


def effects(genes: pd.DataFrame) -> str:
    """Tabulate the change of the prediction per ln of each signal, and its distance from the truth where known."""
    signals = [name[7:] for name in genes if name.startswith("effect:")]
    known = f"true:{signals[0]}" in genes
    rows = []
    if known:
        plain = genes[genes["system"] == PLAIN]
        rows.append(
            {"system": "*truth*", **{s: over_seeds(plain, lambda g, s=s: g[f"true:{s}"].mean()) for s in signals}}
        )
    for system, own in genes.groupby("system", sort=False):
        row = {"system": system, **{s: over_seeds(own, lambda g, s=s: g[f"effect:{s}"].mean()) for s in signals}}
        if known:
            row["error (rms over genes and signals)"] = over_seeds(
                own,
                lambda g: np.sqrt(np.mean([(g[f"effect:{s}"] - g[f"true:{s}"]) ** 2 for s in signals])),
            )
        rows.append(row)
    return "Effect of each signal, log10 units of expression per unit of ln signal:\n\n" + markdown(rows)


def collapse(path: Path) -> str:
    """Tabulate how the patterns of each arm go, first and last step."""
    table = pd.read_csv(path)
    rows = []
    for (arm, step), part in table.groupby(["arm", "step"], sort=False):
        if step in (0, 20, 40, table["step"].max()):
            values = {name: f"{part[name].mean():.3g}" for name in table.columns[3:]}
            rows.append({"objective": arm, "step": str(step), **values})
    return f"### What becomes of the patterns: means over {table['seed'].nunique()} seeds\n\n" + markdown(rows)


def over_seeds(own: pd.DataFrame, value: Callable[[pd.DataFrame], float]) -> str:
    return interval(np.array([value(part) for _, part in own.groupby("seed")]))


def difference_over_seeds(genes: pd.DataFrame, system: str, column: str) -> str:
    """Give the paired difference from plain training its t interval over seeds."""
    if system == PLAIN:
        return ""
    means = genes.groupby(["system", "seed"])[column].mean()
    return interval((means[system] - means[PLAIN]).dropna().to_numpy(), signed=True)


def difference_over_genes(genes: pd.DataFrame, system: str, column: str) -> str:
    """Give the same difference its bootstrap interval over genes, each gene's errors averaged over seeds first."""
    if system == PLAIN:
        return ""
    own, plain = paired(genes, system, column)
    drawn = (own - plain)[resampled(len(own))].mean(1)
    return bounds((own - plain).mean(), *np.quantile(drawn, (0.025, 0.975)), signed=True)


def ratio_over_genes(genes: pd.DataFrame, system: str, column: str) -> str:
    if system == PLAIN:
        return "1"
    own, plain = paired(genes, system, column)
    rows = resampled(len(own))
    drawn = own[rows].mean(1) / plain[rows].mean(1)
    return bounds(own.mean() / plain.mean(), *np.quantile(drawn, (0.025, 0.975)), digits=2)


def paired(genes: pd.DataFrame, system: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    seeds = genes.loc[genes["system"] == system, "seed"].unique()
    means = genes[genes["seed"].isin(seeds)].groupby(["system", "unit"])[column].mean()
    own, plain = means[system], means[PLAIN]
    return own.to_numpy(), plain.loc[own.index].to_numpy()


def resampled(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, n, (RESAMPLES, n))


def interval(values: np.ndarray, *, signed: bool = False) -> str:
    """Write a mean with its 95 % t interval; without one where there is one value."""
    mean = values.mean()
    if len(values) < 2:
        return f"{mean:{'+' if signed else ''}.3f}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return bounds(mean, mean - half, mean + half, signed=signed)


def bounds(value: float, low: float, high: float, *, signed: bool = False, digits: int = 3) -> str:
    form = f"{'+' if signed else ''}.{digits}f"
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"


def markdown(rows: list[dict[str, str]]) -> str:
    names = list(max(rows, key=len))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(row.get(name, "") for name in names) + " |" for row in rows])


if __name__ == "__main__":
    main()
