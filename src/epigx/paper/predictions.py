"""What a row's system says of the test genes, one column a seed; worked out once and kept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from epigx.dataset.store import Dataset
from epigx.evaluation.evaluate import evaluate
from epigx.paper.items import Row, Trained
from epigx.paper.plan import is_finished
from epigx.runs.config import RunConfig
from epigx.system.atomic import atomic_file

__all__ = ["predictions_of"]


def predictions_of(row: Row, dataset: Dataset, out: Path) -> pd.DataFrame:
    """Predict the genes of the test chromosomes.

    Parameters
    ----------
    row : Row
        The system, and how it is scored.
    dataset : Dataset
        Where the genes are.
    out : Path
        Folder of the exhibits: runs are in ``runs``, and predictions are kept in ``predictions``.

    Returns
    -------
    DataFrame
        Indexed by gene: ``observed``, and per finished run a column with its seed (``"fit"`` where nothing is random);
        no columns if no run is finished.
    """
    found: list[pd.DataFrame] = []
    if isinstance(row.system, Trained):
        found = [
            _run(name, row, dataset, out).rename(columns={"predicted": _column(config)})
            for name, config in row.system.runs.items()
            if is_finished(out / "runs" / name)
        ]
    if not found:
        return pd.DataFrame(index=pd.Index([], name="gene_id"))
    return pd.concat([found[0][["observed"]], *(table.drop(columns="observed") for table in found)], axis=1)


def _run(name: str, row: Row, dataset: Dataset, out: Path) -> pd.DataFrame:
    without = f"-without-{'-'.join(row.drop)}" if row.drop else ""
    shorter = f"-{row.window}bp" if row.window else ""
    kept = out / "predictions" / f"{name}{without}{shorter}.parquet"
    if not kept.is_file():
        scored = evaluate(
            out / "runs" / name, data=dataset, cell_type=row.cell_type, drop=row.drop, window=row.window, bootstrap=0
        )
        _keep(scored.genes, kept)
    return _read(kept)


def _column(config: RunConfig) -> str:
    seed = config.method.seed_used
    return "fit" if seed is None else str(seed)


def _keep(genes: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial:
        genes[["gene_id", "observed", "predicted"]].to_parquet(partial, index=False)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path).set_index("gene_id")
