"""The program: its commands, the options that all of them share, and the start and end of a call."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Group, Parameter

from epigx.cli.console import HelpConsole, configure_logging
from epigx.cli.exit import exit_status
from epigx.cli.options import LOOK
from epigx.version import __version__

__all__ = ["app", "main"]

app = App(
    name="epigx",
    help="Predict gene expression from the DNA and the epigenomic signals around the TSS, from your own files.",
    help_epilogue="Start with:  epigx demo\nTab completion:  epigx completion --install",
    version=__version__,
    default_parameter=LOOK,
    help_format="plaintext",
    console=HelpConsole(),
    suppress_keyboard_interrupt=False,
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)

_START, _DATA, _MODEL, _INSTALLED = (
    Group(title, sort_key=order)
    for order, title in enumerate(("Start here", "Data", "Models and results", "From other packages"))
)
_EVERYWHERE = Group("Every command", sort_key=9)

# Each text is the first line of the command's docstring, repeated here so that the list of commands can be printed
# without loading them. A test compares the two.
for _name, _help, _group in (
    ("demo", "Go from raw files to a report on a small simulated genome, in a few minutes.", _START),
    ("doctor", "Show versions, device, kernel, memory and optional packages.", _START),
    ("simulate", "Simulate a small genome with a known confounder, in real file formats.", _START),
    ("completion", "Print or install the completion of commands and options for your shell.", _START),
    ("check", "Check a manifest and its files, and list all problems.", _DATA),
    ("build", "Build a dataset folder from the raw files of a manifest.", _DATA),
    ("info", "Describe a dataset or a run folder.", _DATA),
    ("train", "Train a model and write a run folder.", _MODEL),
    ("evaluate", "Score a run on one split, optionally without some signals or on a shorter window.", _MODEL),
    ("predict", "Predict expression with one run, or with several runs as an ensemble.", _MODEL),
    ("reproduce", "Reproduce a table or figure of the paper.", _MODEL),
    ("report", "Write a report on one or several runs, as one HTML page that works offline.", _MODEL),
    ("import", "Convert the weights of another program to a run folder.", _MODEL),
):
    _module = f"{_name}_" if _name == "import" else _name
    app.command(f"epigx.cli.{_module}:app", name=_name, help=_help, group=_group, sort_key=len(list(app)))

_BUILTIN = frozenset(app)

for _flag in ("--help", "--version"):
    app[_flag].group = _EVERYWHERE


def _open_standard_streams() -> None:
    """Open the standard streams that are closed (``2>&-``), so that they lead nowhere.

    Otherwise the first files that are opened would become these streams, and libraries would write into them.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _add_plugins(called: str | None) -> None:
    """Add the commands of installed packages, by their entry points ``epigx.commands``; only ``called`` is imported."""
    from importlib.metadata import entry_points

    for plugin in entry_points(group="epigx.commands"):
        if plugin.name in set(app):
            continue
        about = None  # the command's own
        if plugin.name == called:
            from epigx.config import load_plugin

            load_plugin(plugin)
        else:
            about = f"A command of the package {plugin.dist.name if plugin.dist else plugin.module}."
        app.command(f"{plugin.module}:{plugin.attr}", name=plugin.name, help=about, group=_INSTALLED)


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
        Print more: -v the steps, -vv everything.
    quiet : bool
        Print only warnings and errors.
    debug : bool
        Print the traceback of an error.
    """
    configure_logging(verbosity=-1 if quiet else verbose)
    return exit_status(lambda: app(tokens), debug=debug)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run one call of the program.

    Parameters
    ----------
    tokens : sequence of str, optional
        The arguments after the program's name; by default those of this process.

    Returns
    -------
    int
        The exit status: 0 success, 1 the run failed, 2 usage or bad input, 3 a check failed, 130 interrupted.
    """
    _open_standard_streams()
    arguments = list(sys.argv[1:] if tokens is None else tokens)
    command = next((argument for argument in arguments if not argument.startswith("-")), None)

    def run() -> object:
        if command not in _BUILTIN - {"completion"}:
            _add_plugins(command)
        if command is None or command in set(app):
            return app.meta(arguments)
        # --help would hide that there is no such command.
        return app.meta([argument for argument in arguments if argument not in app.help_flags])

    return exit_status(run, debug=False)
