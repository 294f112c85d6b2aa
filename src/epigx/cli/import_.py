"""``epigx import``: weights of other programs to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
        "Only tensors are read from the file: nothing in it is run."
    )
)
def prism(
    source: Annotated[Path, Parameter(name="CHECKPOINT")],
    /,
    *,
    out: Out,
    cell_type: str | None = None,
    data: Path | None = None,
    force: Force = False,
) -> None:
    """Turn an official checkpoint of the Prism code into a run folder.

    Parameters
    ----------
    source : Path
        A Lightning checkpoint (.ckpt) or a file of weights (.weights.pt).
    out : Path
        The run folder to write.
    cell_type : str, optional
        The cell type that it was trained on, which the weights do not tell.
    data : Path, optional
        The dataset that the run is evaluated on unless another is named.
    force : bool
        Replace an existing run.
    """
    from epigx.importers.prism import import_prism

    given = {"cell_type": cell_type, "data": data}
    _tell(import_prism(source, out, force=force, **_known(given)), source, out)


@app.command(
    help_epilogue=(
        "Example:\n"
        "  epigx import seq2exp mse-2024.ckpt -o runs/seq2exp\n"
        "  epigx evaluate runs/seq2exp --data data/k562\n\n"
        "Seq2Exp-soft, Seq2Exp-hard, the mask of peaks, Caduceus (with signals or without) and Mamba\n"
        "are told apart by the names in the file. Only tensors are read from it: nothing in it is run."
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
    """Turn an official checkpoint of the Seq2Exp code into a run folder.

    Parameters
    ----------
    source : Path
        A Lightning checkpoint (.ckpt) or a file of weights (.weights.pt).
    out : Path
        The run folder to write.
    cell_type : str, optional
        The cell type that it was trained on, which the weights do not tell.
    data : Path, optional
        The dataset that the run is evaluated on unless another is named.
    pool : int
        Central base pairs that it averages, and always selects (center_len of the official configuration).
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
