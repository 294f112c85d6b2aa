"""``epigx predict``: a table of predictions from runs and a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import emit, say
from epigx.cli.engine import EngineName, choose_engine, run_tasks
from epigx.cli.exit import DONE
from epigx.cli.options import Force, Settings, check_output
from epigx.cli.progress import Progress
from epigx.errors import ConfigError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from epigx.engines import Engine

app = App(
    name="predict",
    help_epilogue=(
        "Example:\n"
        "  epigx predict runs/infer-2 --data data/hepg2 -o predictions.tsv\n"
        "  epigx predict runs/infer-* --data data/hepg2 | head\n"
        "  epigx predict runs/infer-2 --data data/all --engine local -o predictions\n\n"
        "Columns: gene_id, symbol, chrom, tss (0-based), strand; predicted: log10(1 + expression), with several runs "
        "their mean, and sd: the standard deviation between them; observed: the label; trained_on: whether the run "
        "was trained on this chromosome.\n\n"
        "With --engine, each cell type of the dataset becomes a table, OUT/<cell type>.parquet."
    ),
)


@app.default
def predict(
    runs: Annotated[tuple[Path, ...], Parameter(name="RUN")],
    /,
    *,
    data: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    cell_type: str | None = None,
    gene: tuple[str, ...] = (),
    genes: Path | None = None,
    split: Literal["train", "valid", "test", "all"] = "all",
    engine: EngineName | None = None,
    settings: Settings = (),
    force: Force = False,
) -> int:
    """Predict expression with one run, or with several runs as an ensemble.

    Parameters
    ----------
    runs : tuple of Path
        One or several run folders.
    data : Path, optional
        Dataset to predict for; by default the first run's own.
    out : Path, optional
        File to write (.tsv, .csv or .parquet); by default TSV on standard output.
    cell_type : str, optional
        Cell type to predict for; by default the dataset's only one.
    gene : tuple of str
        Symbol or id of a gene to predict; may be repeated.
    genes : Path, optional
        File with a symbol or id per line.
    split : str
        Genes to predict.
    engine : {"local", "slurm", "dask"}, optional
        Predict all genes of every cell type (or of --cell-type), on this machine or a cluster.
    settings : tuple of str
        A setting of the engine, as engine.KEY=VALUE; may be repeated.
    force : bool
        Replace an existing file.
    """
    on, others = choose_engine(engine, settings, force=force, gene=gene, genes=genes, split=split != "all")
    if others:
        raise ConfigError(f"--set {others[0]} is not a setting of the engine. Write --set engine.KEY=VALUE.")
    if on is not None:
        return _predict_each(runs, data, out, cell_type, on)
    from epigx.cli.machine import open_runs
    from epigx.dataset.store import open_dataset
    from epigx.evaluation.predict import predict as infer

    if out is not None:
        check_output(out, force=force, suffixes=_FORMATS)
    opened = open_runs(runs)
    dataset = open_dataset(data or opened[0].config.data.path)
    names = _named(gene, genes)
    with Progress("Predicting") as progress:
        table = infer(opened, dataset, cell_type=cell_type, genes=names, split=split, progress=progress)
    say(f"Predicted {len(table):,} genes of {dataset.path} ({dataset.about.assembly}), as log10(1 + expression).")
    if few := int(table["low_coverage"].sum()):
        say(f"{few:,} of them have too many N bases (low_coverage): `evaluate` leaves them out.")
    if unknown := int((table["dna_coverage"] == 0).sum()):
        say(f"{unknown:,} have no known base in their window (dna_coverage 0): predicted without DNA.")
    if out is None:
        emit(table.to_csv(sep="\t", index=False, float_format="%.6g").rstrip("\n"))
    else:
        write_table(table, out)
        emit(str(out))
    return DONE


def _named(gene: Sequence[str], genes: Path | None) -> list[str] | None:
    """Return the names of the genes asked for; None for all."""
    if genes is None:
        return list(gene) or None
    try:
        lines = [line.split("#")[0].strip() for line in genes.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{genes} cannot be read: {error}. Give a text file with one gene per line.") from None
    names = list(dict.fromkeys([*gene, *(line.split()[0] for line in lines if line)]))
    if not names:
        raise InputError(f"{genes} names no gene. Write one symbol or id per line.")
    return names


def _predict_each(
    runs: Sequence[Path], data: Path | None, out: Path | None, cell_type: str | None, engine: Engine
) -> int:
    """Write a table for each cell type."""
    from epigx.dataset.store import open_dataset
    from epigx.engines.cell_types import predict_all

    if data is None or out is None:
        raise ConfigError("--engine needs --data DATASET and --out FOLDER.")
    if out.is_file():
        raise ConfigError(f"{out} is a file. With --engine, --out is a folder.")
    datasets = dict.fromkeys(open_dataset(data).cell_types if cell_type is None else (cell_type,), data)
    return run_tasks(
        "Predicting",
        lambda progress: predict_all(runs, datasets, out, engine=engine, progress=progress),
        [str(out / f"{name}.parquet") for name in datasets],
    )


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write a table in the format of the file's suffix, atomically."""
    from epigx.system.atomic import atomic_file

    with atomic_file(out) as partial:
        if out.suffix == ".parquet":
            table.to_parquet(partial, index=False)
        else:
            table.to_csv(partial, sep=_FORMATS[out.suffix], index=False, float_format="%.6g")


_FORMATS = {".tsv": "\t", ".csv": ",", ".parquet": ""}
