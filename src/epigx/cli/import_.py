"""``epigx import``: a run folder from the weights of another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from epigx.cli.console import emit, say
from epigx.cli.options import LOOK, Force, Out

if TYPE_CHECKING:
    from epigx.runs.folder import Run

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
    cell_type: str | None = None,
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
    cell_type : str, optional
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
    from epigx.importers.prism import import_prism

    given = {"cell_type": cell_type, "data": data}
    run = import_prism(source, out, pool=pool, activation=activation, force=force, **_known(given))
    _tell(run, source, out)


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
    cell_type: str | None = None,
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
    cell_type : str, optional
        Cell type that it was trained on; the file does not contain it.
    data : Path, optional
        Default dataset of the run for evaluation and prediction.
    pool : int
        Central bp that the model averages and always selects (center_len in the official configuration).
    force : bool
        Replace an existing run.
    """
    from epigx.importers.seq2exp import import_seq2exp

    given = {"cell_type": cell_type, "data": data}
    _tell(import_seq2exp(source, out, pool=pool, force=force, **_known(given)), source, out)


def _known(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _tell(run: Run, source: Path, out: Path) -> None:
    count = sum(run.provenance.n_parameters.values())
    say(f"Imported {count:,} parameters from {source}.")
    emit(str(out))
