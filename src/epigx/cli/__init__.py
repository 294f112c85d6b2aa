"""The command line: one thin file per command, loaded only when it is called.

A command's module imports nothing slow at its top. Imports stand in the function that needs them, so that ``epigx
--help`` and the ``--help`` of every command are fast. Results go to standard output, messages to standard error.
"""

from __future__ import annotations

from epigx.cli.app import main

__all__ = ["main"]
