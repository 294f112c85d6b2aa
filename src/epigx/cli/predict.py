"""``epigx predict``: runs and a dataset to a table of predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import emit, say
from epigx.cli.options import Force
from epigx.cli.output import check_output
from epigx.cli.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

app = App(
    name="predict",
    help_epilogue=(
        "Example:\n"
        "  epigx predict runs/infer-2 --data data/hepg2 -o predictions.tsv\n"
        "  epigx predict runs/infer-* --data data/hepg2 | head\n\n"
        "Columns: gene_id, symbol, chrom, tss (0-based), strand; predicted log10(1 + x), for several runs their mean "
        "and the standard deviation (sd) between them; observed; trained_on, whether genes of that chromosome were "
        "seen in training."
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
    split: Literal["train", "valid", "test", "all"] = "all",
    force: Force = False,
) -> None:
    """Predict expression with one run, or with several as an ensemble.

    Parameters
    ----------
    runs : tuple of Path
        One or several run folders.
    data : Path, optional
        The dataset to predict for; by default the first run's own.
    out : Path, optional
        File to write (.tsv, .csv or .parquet); by default a TSV on standard output.
    cell_type : str, optional
        The cell type to predict for; by default the dataset's only one.
    split : str
        Which genes to predict.
    force : bool
        Replace an existing file.
    """
    from epigx.cli.machine import prepare
    from epigx.dataset.store import open_dataset
    from epigx.evaluation.predict import predict as infer
    from epigx.runs.folder import open_run

    if out is not None:
        check_output(out, force=force, suffixes=_FORMATS)
    say(prepare())
    opened = [open_run(run) for run in runs]
    dataset = open_dataset(data or opened[0].config.data.path)
    with Progress("Predicting") as progress:
        table = infer(opened, dataset, cell_type=cell_type, split=split, progress=progress)
    say(f"Predicted {len(table):,} genes of {dataset.path} ({dataset.about.assembly}).")
    if out is None:
        emit(table.to_csv(sep="\t", index=False, float_format="%.6g").rstrip("\n"))
        return
    write_table(table, out)
    emit(str(out))


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write a table in the format that the file's suffix names, at once."""
    from epigx.system.atomic import atomic_file

    with atomic_file(out) as partial:
        if out.suffix == ".parquet":
            table.to_parquet(partial, index=False)
        else:
            table.to_csv(partial, sep=_FORMATS[out.suffix], index=False, float_format="%.6g")


_FORMATS = {".tsv": "\t", ".csv": ",", ".parquet": ""}
