"""Two answers to one prompt."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from .words import visible


def side_by_side(prompt: str, tuned: str, base: str, base_model: str) -> Group:
    """The tuned model's answer beside that of its base model."""
    found = Table(box=None, padding=(0, 3, 0, 0), header_style="bold", pad_edge=False, expand=True)
    found.add_column("tuned model", overflow="fold", ratio=1)
    found.add_column(f"base model, untuned ({base_model})", overflow="fold", ratio=1)
    found.add_row(Text(visible(tuned.strip()) or "(nothing)"), Text(visible(base.strip()) or "(nothing)"))
    return Group(Text(visible(prompt), "dim"), "", found)
