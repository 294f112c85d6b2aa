"""Numbers to pages: one offline HTML file about one or several runs."""

from __future__ import annotations

from epigx.report.write import write_report

__all__ = ["write_report"]
