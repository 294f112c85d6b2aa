"""``epigx import``: a run folder from the weights of another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from epigx.cli.console import emit, say
from epigx.cli.options import LOOK, Force, Out

if TYPE_CHECKING:
    from epigx.importers.common import Imported

app = App(
    name="import",
    help_epilogue=(
        "Example:\n"
        "  epigx import prism mse-2025.ckpt -o runs/prism-2\n"
        "  epigx import seq2exp mse-2024.ckpt -o runs/seq2exp"
    ),
    default_parameter=LOOK,
)


@app.command(
    help_epilogue=(
        "Example:\n"
        "  epigx import prism mse-2025.ckpt -o runs/prism-2\n"
        "  epigx evaluate runs/prism-2 --data data/k562\n\n"
        "Only tensors are read from the file. No code in it is run."
    )
)
def prism(
    source: Annotated[Path, Parameter(name="CHECKPOINT")],
    /,
    *,
    out: Out,
    cell_type: str = "unknown",
    data: Path | None = None,
    pool: int = 2_000,
    activation: Literal["sigmoid", "softmax"] = "sigmoid",
    force: Force = False,
) -> None:
    """Convert an official Prism checkpoint to a run folder.

    Parameters
    ----------
    source : Path
        Lightning checkpoint (.ckpt) or file of weights (.weights.pt).
    out : Path
        Run folder to write.
    cell_type : str
        Cell type that it was trained on; the file does not contain it.
    data : Path, optional
        Default dataset of the run for evaluation and prediction.
    pool : int
        Central bp that the model averages (center_len in the official configuration).
    activation : str
        Bound of the pattern weights (weight_act in the official configuration).
    force : bool
        Replace an existing run.
    """
    from epigx.importers.prism import read_prism

    imported = read_prism(source, cell_type=cell_type, data=data or "", pool=pool, activation=activation)
    _write(imported, source, out, force=force)


@app.command(
    help_epilogue=(
        "Example:\n"
        "  epigx import seq2exp mse-2024.ckpt -o runs/seq2exp\n"
        "  epigx evaluate runs/seq2exp --data data/k562\n\n"
        "Recognizes Seq2Exp-soft, Seq2Exp-hard, the MACS3 mask, Caduceus (with or without signals) and Mamba by the "
        "names of their weights. Only tensors are read from the file. No code in it is run."
    )
)
def seq2exp(
    source: Annotated[Path, Parameter(name="CHECKPOINT")],
    /,
    *,
    out: Out,
    cell_type: str = "unknown",
    data: Path | None = None,
    pool: int = 2_000,
    force: Force = False,
) -> None:
    """Convert an official Seq2Exp checkpoint to a run folder.

    Parameters
    ----------
    source : Path
        Lightning checkpoint (.ckpt) or file of weights (.weights.pt).
    out : Path
        Run folder to write.
    cell_type : str
        Cell type that it was trained on; the file does not contain it.
    data : Path, optional
        Default dataset of the run for evaluation and prediction.
    pool : int
        Central bp that the model averages and always selects (center_len in the official configuration).
    force : bool
        Replace an existing run.
    """
    from epigx.importers.seq2exp import read_seq2exp

    _write(read_seq2exp(source, cell_type=cell_type, data=data or "", pool=pool), source, out, force=force)


def _write(imported: Imported, source: Path, out: Path, *, force: bool) -> None:
    run = imported.write(out, force=force)
    say(f"Imported {sum(run.provenance.n_parameters.values()):,} parameters from {source}.")
    emit(str(out))
