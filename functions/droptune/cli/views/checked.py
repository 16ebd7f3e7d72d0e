"""A local data set's report."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from ...datasets.report import Report
from .report import finding, unlisted
from .words import clean, count


def checked(report: Report) -> Group:
    """The data set in a line, its files, and every finding."""
    method = f", for {report.method} on {report.base_model}" if report.method else ""
    head = Text.assemble((clean(report.dataset), "bold"), f": {report.format or 'format unknown'}{method}")
    files = [Text(f"  {file.role:5} {clean(file.name)}, {count(file.rows, 'row')}") for file in report.files]
    parts: list[RenderableType] = [head, *files, *(finding(one) for one in report.findings)]
    return Group(*parts, *unlisted(report.counts, len(report.findings)))
