"""``epigx build``: a dataset folder from raw files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from epigx.cli.console import emit, emit_json, say
from epigx.cli.engine import EngineName, choose_engine, run_tasks
from epigx.cli.exit import DONE
from epigx.cli.options import Force, Json, Out, Settings
from epigx.cli.progress import Progress, duration

if TYPE_CHECKING:
    from epigx.dataset.manifest.schema import Manifest
    from epigx.engines import Engine

app = App(
    name="build",
    help_epilogue=(
        "Example:\n"
        "  epigx build manifest.yaml --window 2000 -o data/k562\n"
        "  epigx build manifest.yaml --engine slurm --set engine.partition=cpu -o data\n\n"
        "A dataset can be used with every shorter window, too. If a build is stopped, the same command continues it. "
        "With --engine, each cell type of the manifest becomes a dataset of its own, OUT/<cell type>."
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
    engine: EngineName | None = None,
    settings: Settings = (),
    force: Force = False,
    json: Json = False,
) -> int:
    """Build a dataset folder from the raw files of a manifest.

    Parameters
    ----------
    manifest : Path
        YAML file or TSV sheet that lists your files.
    out : Path
        Dataset folder to write.
    window : int
        Window length in bp, centred on the TSS.
    jobs : int, optional
        Processes to use; by default up to one for each core.
    engine : {"local", "slurm", "dask"}, optional
        Build one dataset for each cell type, on this machine or a cluster. --jobs is then the number at a time.
    settings : tuple of str
        A setting of the manifest, as key=value (orient=strand), or of the engine (engine.KEY=VALUE); may be repeated.
    force : bool
        Replace an existing dataset, once the new one is complete.
    json : bool
        Print a summary of the dataset as JSON.
    """
    from epigx.cli.info import dataset_summary
    from epigx.dataset.build.build import build as write
    from epigx.dataset.manifest.schema import read_manifest

    start = time.monotonic()
    on, of_manifest = choose_engine(engine, settings, jobs=jobs, force=force)
    files = read_manifest(manifest).override(*of_manifest)
    try:
        if on is not None:
            return _build_each(files, window, out, on, json=json)
        with Progress("Building") as progress:
            dataset = write(files, window, out, jobs=jobs, force=force, progress=progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Run the same command again to continue the build.") from None
    say(f"Built {dataset} in {duration(time.monotonic() - start)}.")
    if json:
        emit_json(dataset_summary(dataset))
    else:
        emit(str(out))
    return DONE


def _build_each(files: Manifest, window: int, out: Path, engine: Engine, *, json: bool) -> int:
    """Build a dataset for each cell type."""
    from epigx.engines.cell_types import build_all, by_cell_type

    manifests = by_cell_type(files)
    return run_tasks(
        "Building",
        lambda progress: build_all(manifests, window, out, engine=engine, progress=progress),
        [str(out / name) for name in manifests],
        json=json,
    )
