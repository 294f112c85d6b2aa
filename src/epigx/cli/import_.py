"""``epigx import``: weights of other programs to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from epigx.cli.console import emit, say
from epigx.cli.options import LOOK, Force, Out

app = App(
    name="import",
    help_epilogue="Example:\n  epigx import prism mse-2025.ckpt -o runs/prism-2",
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
    from epigx.training.import_prism import import_prism

    given = {"cell_type": cell_type, "data": data}
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    run = import_prism(source, out, force=force, **known)
    count = sum(run.provenance.n_parameters.values())
    say(f"Imported {count:,} parameters from {source}.")
    emit(str(out))
