"""``epigx check``: all problems of a manifest at once."""

from __future__ import annotations

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
        "Exit status: 0 nothing stands in the way of `epigx build`, 2 errors, 3 warnings with --strict."
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
    """Report every problem of a manifest and its files, before any work.

    Parameters
    ----------
    manifest : Path
        YAML file or TSV sheet that names the files.
    window : int
        Length in bp of the windows that would be built.
    strict : bool
        Let warnings, too, end with a status other than 0.
    settings : tuple of str
        A value of the manifest, as key=value (orient=strand).
    json : bool
        Write JSON.
    """
    from epigx.dataset.manifest.schema import read_manifest
    from epigx.dataset.validate.check import check as find_problems

    problems = find_problems(read_manifest(manifest).override(*settings), window)
    if json:
        emit_json([{"level": p.level, "where": p.where, "message": p.message} for p in problems])
    else:
        for problem in problems:
            emit(f"{problem.level}: {problem.where}: {problem.message}")
    count = {level: sum(p.level == level for p in problems) for level in ("error", "warning", "notice")}
    say(f"{manifest}: " + ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in count.items()) + ".")
    if count["error"]:
        return USAGE
    return CHECK_FAILED if strict and count["warning"] else DONE
