"""Run the command line with ``python -m epigx``."""

from __future__ import annotations

import sys

from epigx.cli import main

if __name__ == "__main__":
    sys.exit(main())
