"""The end of a call: every exception becomes one sentence on standard error and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from cyclopts import CycloptsError

from epigx.cli.console import fail
from epigx.errors import EpigxError

__all__ = ["CHECK_FAILED", "DONE", "FAILED", "INTERRUPTED", "USAGE", "exit_status"]

DONE, FAILED, USAGE, CHECK_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def exit_status(call: Callable[[], object], *, debug: bool) -> int:
    """Run ``call`` and return the exit status of the program.

    Parameters
    ----------
    call : callable
        Returns an exit status, or anything else for success.
    """
    try:
        result = call()
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        fail(f"Interrupted. {stop}".rstrip())
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe. Python would print another error when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _report(error)
    return result if isinstance(result, int) else DONE


def _report(error: Exception) -> int:
    """Print the error as a sentence and return the exit status."""
    if isinstance(error, EpigxError):
        fail(str(error))
        return error.exit_code
    if isinstance(error, CycloptsError):
        fail(f"{str(error).strip()} See: {' '.join(('epigx', *(error.command_chain or ())))} --help")
        return USAGE
    if isinstance(error, MemoryError):
        fail(f"Out of memory. {error} Use a smaller batch or window, or fewer jobs.".replace("  ", " "))
        return FAILED
    fail(f"{type(error).__name__}: {' '.join(str(error).split())} (--debug shows the traceback.)")
    return FAILED
