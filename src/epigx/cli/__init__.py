"""The command line: one thin file per command, loaded only when it is called.

A command's file imports at its top nothing that takes time; what a command needs is imported where it runs, so that
``epigx --help`` and every command's own ``--help`` answer at once. Standard output carries data, standard error talk.
"""

from __future__ import annotations

from epigx.cli.app import main

__all__ = ["main"]
