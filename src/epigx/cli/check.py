"""``epigx check``: all problems of a manifest and its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from epigx.cli.console import emit, emit_json, say
from epigx.cli.exit import CHECK_FAILED, DONE, USAGE
from epigx.cli.options import Json, Settings

app = App(
    name="check",
    help_epilogue=(
        "Example:\n"
        "  epigx check manifest.yaml\n"
        "  epigx check manifest.yaml --window 10000 --strict\n\n"
        "Exit status: 0 `epigx build` can start, 2 errors, 3 warnings with --strict."
    ),
)


@app.default
def check(
    manifest: Annotated[Path, Parameter(name="MANIFEST")],
    /,
    *,
    window: int = 2000,
    strict: bool = False,
    settings: Settings = (),
    json: Json = False,
) -> int:
    """Check a manifest and its files, and list all problems.

    Parameters
    ----------
    manifest : Path
        YAML file or TSV sheet that lists your files.
    window : int
        Window length in bp that you want to build.
    strict : bool
        Exit with status 3 if there are warnings.
    settings : tuple of str
        A setting of the manifest, as key=value (orient=strand); may be repeated.
    json : bool
        Print JSON.
    """
    from epigx.dataset.manifest.schema import read_manifest
    from epigx.dataset.validate.check import check as find_problems

    files = read_manifest(manifest).override(*settings)
    problems = find_problems(files, window)
    folder = f"{files.root}{os.sep}"  # paths are printed as the user wrote them, relative to it
    if json:
        emit_json([{"level": p.level, "where": p.where, "message": p.message.replace(folder, "")} for p in problems])
    else:
        for problem in problems:
            emit(f"{problem.level}: {problem.where}: {problem.message.replace(folder, '')}")
    count = {level: sum(p.level == level for p in problems) for level in ("error", "warning", "notice")}
    say(f"{manifest}: " + ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in count.items()) + ".")
    if count["error"]:
        return USAGE
    return CHECK_FAILED if strict and count["warning"] else DONE
