"""``epigx demo``: from raw files to a report, each step by the command that a user would give."""

from __future__ import annotations

import shlex
import shutil
import time
from pathlib import Path

from cyclopts import App

from epigx.cli.console import emit, say
from epigx.cli.exit import DONE
from epigx.cli.options import Force, Out
from epigx.cli.progress import duration
from epigx.errors import InputError

app = App(
    name="demo",
    help_epilogue=(
        "Example:\n"
        "  epigx demo\n"
        "  epigx demo -o try-epigx --quick\n\n"
        "Each step is printed as the command that does it, so that it can be repeated and changed. All data are "
        "simulated."
    ),
)

_PARTS = {"raw", "data", "runs", "predictions.tsv", "report.html"}
_WINDOW = 256
_END = (
    "All of it is simulated: it shows that the software works, and says nothing about cells.\n"
    "For your own files, start from the manifest of step 1. The report, to open in a browser:"
)


@app.default
def demo(*, out: Out = Path("epigx-demo"), quick: bool = False, force: Force = False) -> int:
    """Go from raw files to a report on a small simulated genome, in a few minutes.

    Parameters
    ----------
    out : Path
        The folder to write.
    quick : bool
        Only show that every step works: too short a training to learn anything.
    force : bool
        Replace the folder of an earlier demo.
    """
    from epigx.cli.app import app as epigx

    start = time.monotonic()
    _make_room(out, force=force)
    steps = _steps(out, quick=quick)
    for number, (what, command) in enumerate(steps, start=1):
        say(f"\n{number}/{len(steps)}  {what}\n      epigx {shlex.join(command)}")
        if status := epigx(command):
            return int(status)
    say(f"\nDone in {duration(time.monotonic() - start)}. {_END}")
    emit(str(out / "report.html"))
    return DONE


def _steps(out: Path, *, quick: bool) -> list[tuple[str, list[str]]]:
    """Return what the demo does: in words, and as the words of the command."""
    genes, steps = ("60", "6") if quick else ("600", "180")
    manifest, data = str(out / "raw" / "manifest.yaml"), str(out / "data")
    predictions, report = str(out / "predictions.tsv"), str(out / "report.html")
    infer, plain = str(out / "runs" / "infer"), str(out / "runs" / "plain")
    small = ["--set", "model.backbone.d_model=16", "--set", "model.backbone.n_layers=2"]
    small += ["--set", "training.lr=0.005", "--set", "training.lr_min=0.0005"]
    training = ["--data", data, "--cell-type", "simA", "--seed", "2", "--steps", steps, *small]
    one_cell_type = 'cell_types={"simA": 0.3}'
    window = ["--window", str(_WINDOW)]
    return [
        (
            "Simulate a genome with a planted confounder, in real file formats.",
            ["simulate", "-o", str(out / "raw"), "--genes", genes, "--seed", "1", "--set", one_cell_type],
        ),
        ("Look for problems in the files.", ["check", manifest, *window]),
        ("Build the dataset.", ["build", manifest, *window, "-o", data]),
        ("Train InFER, small and short.", ["train", "infer", *training, "-o", infer]),
        ("Train its plain counterpart, without intervention.", ["train", "caduceus-signals", *training, "-o", plain]),
        ("Score InFER on the test chromosomes.", ["evaluate", infer, "--split", "test"]),
        ("Score it without one of the background signals.", ["evaluate", infer, "--drop", "dnase"]),
        ("Predict every gene with both.", ["predict", infer, plain, "--data", data, "-o", predictions]),
        ("Compare both on one page.", ["report", infer, plain, "-o", report]),
    ]


def _make_room(out: Path, *, force: bool) -> None:
    """Remove an earlier demo, and never anything else.

    Raises
    ------
    InputError
        The folder exists and ``force`` is false, or holds something that no demo writes.
    """
    if not out.exists():
        return
    if not force:
        raise InputError(f"{out} already exists. Choose another folder with -o, or replace it with --force.")
    strange = [path.name for path in out.iterdir() if path.name not in _PARTS] if out.is_dir() else [out.name]
    if strange:
        raise InputError(f"{out} holds {sorted(strange)[0]!r}, which no demo wrote. Choose another folder with -o.")
    shutil.rmtree(out)
