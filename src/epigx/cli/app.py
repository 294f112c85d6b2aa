"""The program: its commands, the options that all of them share, and where a call begins and ends."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Group, Parameter

from epigx.cli.console import HelpConsole, configure_logging
from epigx.cli.exit import ended
from epigx.cli.options import LOOK
from epigx.version import __version__

__all__ = ["app", "main"]

app = App(
    name="epigx",
    help="Gene expression from the DNA and the epigenomic signals around a gene's TSS, on your own files.",
    help_epilogue="Start with:  epigx demo",
    version=__version__,
    default_parameter=LOOK,
    help_format="plaintext",
    console=HelpConsole(),
    suppress_keyboard_interrupt=False,
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)

_START, _DATA, _MODEL = (
    Group(title, sort_key=place) for place, title in enumerate(("Start here", "Data", "Models and results"))
)
_EVERYWHERE = Group("Every command", sort_key=9)

# Each help text is the first line of the command's docstring (a test holds the two together): repeated here so that
# the list of commands can be shown without loading them.
for _name, _help, _group in (
    ("demo", "Go from raw files to a report on a small simulated genome, in a few minutes.", _START),
    ("doctor", "Say what epigx runs on: versions, device, kernel, memory, optional packages.", _START),
    ("simulate", "Write a toy genome, in real file formats, with a planted confounder.", _START),
    ("check", "Report every problem of a manifest and its files, before any work.", _DATA),
    ("build", "Turn the raw files of a manifest into a dataset folder.", _DATA),
    ("info", "Describe a dataset or a run folder.", _DATA),
    ("train", "Train a model and write a run folder.", _MODEL),
    ("evaluate", "Score a run on one split, if wished with signals dropped or a shorter window.", _MODEL),
    ("predict", "Predict expression with one run, or with several as an ensemble.", _MODEL),
    ("reproduce", "Train and score what one of the paper's tables and figures compares, and write it.", _MODEL),
    ("report", "Write one offline HTML page about one or several runs.", _MODEL),
    ("import", "Turn the weights of another program into a run folder.", _MODEL),
):
    _module = f"{_name}_" if _name == "import" else _name
    app.command(f"epigx.cli.{_module}:app", name=_name, help=_help, group=_group, sort_key=len(list(app)))


def _open_standard_streams() -> None:
    """Give a program that was started without standard streams (``2>&-``) some that lead nowhere.

    The first file it opens would take their place, and readers in other languages write to them.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    verbose: Annotated[int, Parameter(name=["--verbose", "-v"], count=True, group=_EVERYWHERE)] = 0,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], group=_EVERYWHERE)] = False,
    debug: Annotated[bool, Parameter(env_var="EPIGX_DEBUG", group=_EVERYWHERE)] = False,
) -> int:
    """Configure logging and run the command.

    Parameters
    ----------
    verbose : int
        Say more: -v tells the steps, -vv everything.
    quiet : bool
        Say nothing but warnings and errors.
    debug : bool
        Show the traceback of an error.
    """
    configure_logging(verbosity=-1 if quiet else verbose)
    return ended(lambda: app(tokens), debug=debug)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run one call of the program.

    Parameters
    ----------
    tokens : sequence of str, optional
        The words after the program's name; by default those it was called with.

    Returns
    -------
    int
        The exit status: 0 done, 1 the run failed, 2 usage or bad input, 3 a check did not hold, 130 interrupted.
    """
    # Threads that wait for each other by spinning take the cores from whatever else runs; read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    _open_standard_streams()
    return ended(lambda: app.meta(tokens), debug=False)
