"""``epigx completion``: complete commands and options with the Tab key."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

from epigx.cli.console import emit, say

app = App(
    name="completion",
    help_epilogue=(
        "Example:\n"
        "  epigx completion --install\n"
        "  source <(epigx completion --shell bash)\n\n"
        "After --install, open a new terminal. In zsh and fish, Tab also shows what each option does."
    ),
)


@app.default
def completion(*, shell: Literal["bash", "zsh", "fish"] | None = None, install: bool = False) -> None:
    """Print or install the completion of commands and options for your shell.

    Parameters
    ----------
    shell : str, optional
        Shell to complete in; by default the one that is running.
    install : bool
        Write the script to your home folder and load it in new terminals, instead of printing it.
    """
    from cyclopts.completion import ShellDetectionError

    from epigx.cli.app import app as epigx
    from epigx.errors import ConfigError

    try:
        if install:
            path = epigx.install_completion(shell=shell)
            say("Installed. Open a new terminal to use it.")
            emit(str(path))
        else:
            emit(epigx.generate_completion(shell=shell).rstrip("\n"))
    except ShellDetectionError:
        raise ConfigError("The running shell is not known. Add --shell bash, --shell zsh or --shell fish.") from None
