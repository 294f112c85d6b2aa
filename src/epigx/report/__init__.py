"""One offline HTML report on one or several runs."""

from __future__ import annotations

from epigx.report.write import write_report

__all__ = ["write_report"]
