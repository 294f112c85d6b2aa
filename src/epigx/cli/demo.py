"""``epigx demo``: from raw files to a report, each step with the command that a user would type."""

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
        "The demo prints the command of each step, so that you can repeat and change it. All data are simulated."
    ),
)

_OUTPUTS = {"raw", "data", "runs", "predictions.tsv", "report.html"}
_WINDOW = 256
_END = (
    "All data are simulated: the demo shows that the software works, not how cells work.\n"
    "For your own files, start from the manifest of step 1. Open the report in a browser:"
)


@app.default
def demo(*, out: Out = Path("epigx-demo"), quick: bool = False, force: Force = False) -> int:
    """Go from raw files to a report on a small simulated genome, in a few minutes.

    Parameters
    ----------
    out : Path
        Folder to write.
    quick : bool
        Only test that every step works; the training is too short to learn anything.
    force : bool
        Replace the folder of an earlier demo.
    """
    from epigx.cli.app import app as epigx

    start = time.monotonic()
    _remove_earlier(out, force=force)
    steps = _steps(out, quick=quick)
    for number, (what, command) in enumerate(steps, start=1):
        say(f"\n{number}/{len(steps)}  {what}\n      epigx {shlex.join(command)}")
        if status := epigx(command):
            return int(status)
    say(f"\nDone in {duration(time.monotonic() - start)}. {_END}")
    emit(str(out / "report.html"))
    return DONE


def _steps(out: Path, *, quick: bool) -> list[tuple[str, list[str]]]:
    """Return each step: its description, and the arguments of its command."""
    genes, steps = ("60", "6") if quick else ("600", "100")
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
            "Simulate a genome with a known confounder, in real file formats.",
            ["simulate", "-o", str(out / "raw"), "--genes", genes, "--seed", "1", "--set", one_cell_type],
        ),
        ("Check the files.", ["check", manifest, *window]),
        ("Build the dataset.", ["build", manifest, *window, "-o", data]),
        ("Train InFER, with a small network for a short time.", ["train", "infer", *training, "-o", infer]),
        ("Train the same network without the intervention.", ["train", "caduceus-signals", *training, "-o", plain]),
        ("Score InFER on the test chromosomes.", ["evaluate", infer, "--split", "test"]),
        ("Score it without one of the background signals.", ["evaluate", infer, "--drop", "dnase"]),
        (
            "Predict all genes with both runs as an ensemble.",
            ["predict", infer, plain, "--data", data, "-o", predictions],
        ),
        ("Compare both runs in a report.", ["report", infer, plain, "-o", report]),
    ]


def _remove_earlier(out: Path, *, force: bool) -> None:
    """Remove the folder of an earlier demo, and nothing else."""
    if not out.exists():
        return
    if not force:
        raise InputError(f"{out} already exists. Choose another folder with -o, or replace it with --force.")
    strange = [path.name for path in out.iterdir() if path.name not in _OUTPUTS] if out.is_dir() else [out.name]
    if strange:
        raise InputError(
            f"{out} contains {sorted(strange)[0]!r}, which is not from a demo. Choose another folder with -o."
        )
    shutil.rmtree(out)
