"""One line per check of the doctor."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..health import Level, Result

STYLES: dict[Level, str] = {"ok": "green", "warn": "yellow", "fail": "red"}


def health_line(result: Result) -> RenderableType:
    """``ok    Python    3.11.7``, and below it what to do."""
    line = Table.grid(padding=(0, 1))
    line.add_column(width=4)
    line.add_column(width=14)
    line.add_column(overflow="fold")
    line.add_row(Text(result.level, STYLES[result.level]), Text(result.subject, "bold"), Text(result.found))
    if result.advice:
        line.add_row("", "", Text(result.advice))
    return line
