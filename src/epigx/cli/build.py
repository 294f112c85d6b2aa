"""``epigx build``: raw files to a dataset folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from epigx.cli.console import emit, emit_json, say
from epigx.cli.options import Force, Json, Out, Settings
from epigx.cli.progress import Progress, duration

app = App(
    name="build",
    help_epilogue=(
        "Example:\n"
        "  epigx build manifest.yaml --window 2000 -o data/k562\n\n"
        "A dataset serves every shorter window, too. A build that was stopped goes on where it was when the same\n"
        "command is given again."
    ),
)


@app.default
def build(
    manifest: Annotated[Path, Parameter(name="MANIFEST")],
    /,
    *,
    out: Out,
    window: int = 2000,
    jobs: Annotated[int | None, Parameter(name=["--jobs", "-j"])] = None,
    settings: Settings = (),
    force: Force = False,
    json: Json = False,
) -> None:
    """Turn the raw files of a manifest into a dataset folder.

    Parameters
    ----------
    manifest : Path
        YAML file or TSV sheet that names the files.
    out : Path
        The dataset folder to write.
    window : int
        Length in bp of the windows, centred on the TSS.
    jobs : int, optional
        Processes to use; by default one for each core.
    settings : tuple of str
        A value of the manifest, as key=value (orient=strand).
    force : bool
        Replace an existing dataset, once the new one is whole.
    json : bool
        Write a summary of the dataset as JSON.
    """
    from epigx.cli.info import dataset_summary
    from epigx.dataset.build.build import build as write
    from epigx.dataset.manifest.schema import read_manifest

    start = time.monotonic()
    files = read_manifest(manifest).override(*settings)
    with Progress("Building") as progress:
        dataset = write(files, window, out, jobs=jobs, force=force, progress=progress)
    say(f"Built {dataset} in {duration(time.monotonic() - start)}.")
    if json:
        emit_json(dataset_summary(dataset))
    else:
        emit(str(out))
