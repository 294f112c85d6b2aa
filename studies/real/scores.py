"""The tables of the long run: scores over seeds, paired differences, dropped signals, learning curves, core-hours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from references import describe as describe_genes
from references import fit_boosting, fit_ridge, genes_by_split, subsets
from study import CELL_TYPES, SEEDS, SYSTEMS, WINDOW, finished

import epigx as gx
from epigx.dataset.inputs import fit_inputs
from epigx.metrics import Estimate, bootstrap, metrics, paired_bootstrap

DROPS: tuple[tuple[str, ...], ...] = ((), ("hic",), ("dnase",), ("dnase", "hic"), ("h3k27ac",))
REFERENCES = {"ridge": fit_ridge, "gradient boosting": fit_boosting}


def write_scores(data: Path, out: Path, tables: Path, blind: Path | None) -> None:
    """Score every finished run and write a page of tables, and the blind predictions if asked to."""
    parts = ["<!-- made by studies/real/study.py score -->"]
    for cell_type in CELL_TYPES:
        parts += cell_type_tables(data, out, cell_type)
    parts += ["## Learning curves", "", learning_curves(out), "", "## Cost", "", cost(out)]
    tables.write_text("\n".join(parts) + "\n", encoding="utf-8")
    if blind is not None:
        predict_blindly(data, out, blind)


def cell_type_tables(data: Path, out: Path, cell_type: str) -> list[str]:
    parts: list[str] = []
    # GM12878's labels of the test chromosomes are held back.
    labelled = gx.open_dataset(data).expression(cell_type)
    genes = genes_by_split(gx.open_dataset(data), cell_type, 0.95)
    splits = ("valid", "test") if np.isfinite(labelled[genes["test"]]).any() else ("valid",)
    for split in splits:
        found = predictions(data, out, cell_type, split)
        parts += [f"## {cell_type}, {split}", "", score_table(found), "", *differences(found)]
    if "test" in splits:
        parts += [f"## {cell_type}, test, a signal dropped", "", drop_table(data, out, cell_type), ""]
    return parts


def predictions(data: Path, out: Path, cell_type: str, split: str) -> dict[str, pd.DataFrame]:
    """Return, for each system, observed expression and one column per seed, by gene."""
    found = {}
    for system in SYSTEMS:
        done = [seed for seed in SEEDS if finished(out / f"{system}-{cell_type}-{seed}")]
        if done:
            found[system] = pd.concat(
                [
                    evaluated(data, out, f"{system}-{cell_type}-{seed}", split)["predicted"].rename(str(seed))
                    for seed in done
                ]
                + [evaluated(data, out, f"{system}-{cell_type}-{done[0]}", split)["observed"]],
                axis=1,
            )
    return found | reference_predictions(data, out, cell_type, split)


def evaluated(data: Path, out: Path, run: str, split: str, drop: tuple[str, ...] = ()) -> pd.DataFrame:
    """Evaluate a run, or read what was evaluated before."""
    kept = out / "scores" / f"{run}-{split}-{'+'.join(drop) or 'all'}.parquet"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        gx.evaluate(out / run, split=split, data=data, drop=drop, bootstrap=0).genes.to_parquet(kept)
    return pd.read_parquet(kept).set_index("gene_id")


def reference_predictions(data: Path, out: Path, cell_type: str, split: str) -> dict[str, pd.DataFrame]:
    found = {}
    for name in REFERENCES:
        kept = out / "scores" / f"{name.replace(' ', '-')}-{cell_type}-{split}.parquet"
        if not kept.is_file():
            fit_references(data, out, cell_type)
        found[name] = pd.read_parquet(kept)
    return found


def fit_references(data: Path, out: Path, cell_type: str) -> None:
    """Fit ridge and gradient boosting on the genes and inputs of the networks; boosting with each seed."""
    dataset = gx.open_dataset(data)
    rows = genes_by_split(dataset, cell_type, 0.95)
    inputs = fit_inputs(dataset, (cell_type,), rows["train"], window=WINDOW)
    tables = {name: describe_genes(dataset, cell_type, index, inputs) for name, index in rows.items() if len(index)}
    columns = subsets(tables["train"][0])["signals + features + DNA"]
    (out / "scores").mkdir(parents=True, exist_ok=True)
    for name, fit in REFERENCES.items():
        models = {seed: fit({k: (x[columns], y) for k, (x, y, _) in tables.items()}, seed) for seed in SEEDS}
        for split in ("valid", "test"):
            if split in tables:
                x, y, gene_id = tables[split]
                table = pd.DataFrame({str(seed): model.predict(x[columns]) for seed, model in models.items()})
                table = table.assign(observed=y).set_index(pd.Index(gene_id, name="gene_id"))
                table.to_parquet(out / "scores" / f"{name.replace(' ', '-')}-{cell_type}-{split}.parquet")


def score_table(found: dict[str, pd.DataFrame]) -> str:
    rows = []
    for system, table in found.items():
        observed, seeds = table["observed"].to_numpy(), table.drop(columns="observed")
        each = [metrics(observed, seeds[seed]) for seed in seeds]
        ensemble = bootstrap(observed, seeds.mean(axis=1))
        rows.append(
            {
                "system": system,
                "genes": len(table),
                "seeds": len(each),
                "r, one run": spread([m.pearson for m in each]),
                "MSE, one run": spread([m.mse for m in each]),
                "r, mean of seeds": interval(ensemble["pearson"]),
                "MSE, mean of seeds": interval(ensemble["mse"]),
                "Spearman, mean of seeds": f"{ensemble['spearman'].value:.3f}",
            }
        )
    return markdown(rows)


def differences(found: dict[str, pd.DataFrame]) -> list[str]:
    """Compare InFER's mean over seeds with that of each other system on the same genes."""
    if "infer" not in found:
        return []
    rows = []
    for system, table in found.items():
        both = found["infer"].index.intersection(table.index)
        if system == "infer" or len(both) < len(found["infer"]):
            continue
        infer, other = found["infer"].loc[both], table.loc[both]
        observed = infer["observed"].to_numpy()
        gap = paired_bootstrap(observed, mean(infer), mean(other))
        rows.append({"InFER minus": system, "r": interval(gap["pearson"]), "MSE": interval(gap["mse"])})
        if system == "gradient boosting":
            gap = paired_bootstrap(observed, (mean(infer) + mean(other)) / 2, mean(other))
            rows.append(
                {
                    "InFER minus": "gradient boosting, when the mean of both stands for InFER",
                    "r": interval(gap["pearson"]),
                    "MSE": interval(gap["mse"]),
                }
            )
    return ["Paired over genes, mean of seeds against mean of seeds:", "", markdown(rows), ""]


def drop_table(data: Path, out: Path, cell_type: str) -> str:
    rows = []
    for system in ("infer", "infer-official", "plain"):
        done = [name for seed in SEEDS if finished(out / (name := f"{system}-{cell_type}-{seed}"))]
        for drop in DROPS if done else ():
            each = [evaluated(data, out, name, "test", drop) for name in done]
            scores = [metrics(table["observed"], table["predicted"]) for table in each]
            rows.append(
                {
                    "system": system,
                    "dropped": " and ".join(drop) or "nothing",
                    "MSE": spread([m.mse for m in scores]),
                    "r": spread([m.pearson for m in scores]),
                }
            )
    return markdown(rows)


def learning_curves(out: Path) -> str:
    """Mean over seeds of the validation error at each validation."""
    rows = []
    for cell_type in CELL_TYPES:
        for system in SYSTEMS:
            logs = [
                pd.read_csv(out / name / "log.csv").set_index("step")["valid_mse"]
                for seed in SEEDS
                if finished(out / (name := f"{system}-{cell_type}-{seed}"))
            ]
            if logs:
                curve = pd.concat(logs, axis=1).mean(axis=1)
                points = {f"step {step:,}": f"{value:.3f}" for step, value in curve.items()}
                rows.append(
                    {
                        "system": system,
                        "cell type": cell_type,
                        "validation MSE": ", ".join(f"{value} ({step})" for step, value in points.items()),
                    }
                )
    return markdown(rows)


def cost(out: Path) -> str:
    rows = []
    for system in SYSTEMS:
        done = [out / f"{system}-{c}-{s}" for c in CELL_TYPES for s in SEEDS if finished(out / f"{system}-{c}-{s}")]
        if done:
            seconds = [gx.open_run(folder).provenance.wall_seconds for folder in done]
            rows.append(
                {
                    "system": system,
                    "runs": len(done),
                    "core-hours per run (wall time of one thread)": spread([s / 3600 for s in seconds]),
                }
            )
    return markdown(rows)


def predict_blindly(data: Path, out: Path, to: Path) -> None:
    """Predict the genes whose labels are held back by the mean of the InFER runs of their cell type."""
    done = [out / f"infer-GM12878-{seed}" for seed in SEEDS if finished(out / f"infer-GM12878-{seed}")]
    if not done:
        return
    table = gx.predict(done, data=data, cell_type="GM12878", split="test")
    known = genes_by_split(gx.open_dataset(data), "GM12878", 0.95, labelled=False)["test"]
    table = table[table["gene_id"].isin(gx.open_dataset(data).genes["gene_id"].to_numpy()[known])]
    table[["gene_id", "predicted"]].to_csv(to, sep="\t", index=False, float_format="%.5f")


def mean(table: pd.DataFrame) -> np.ndarray:
    return table.drop(columns="observed").mean(axis=1).to_numpy()


def spread(values: Iterable[float]) -> str:
    values = list(values)
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else f"{values[0]:.3f}"


def interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def markdown(rows: list[dict[str, object]]) -> str:
    if not rows:
        return "(no run is finished)"
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(row[column]) for column in head) + " |" for row in rows])
