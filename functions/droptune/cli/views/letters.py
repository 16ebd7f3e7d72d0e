"""The table of dead letters."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from ..deadletters import Letter
from .words import clean


def letters_table(letters: Iterable[Letter]) -> Table:
    """One line per message, by trigger."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for name in ("trigger", "about", "published", "attempts", "message"):
        found.add_column(name, overflow="fold")
    for letter in letters:
        found.add_row(letter.trigger, clean(letter.about), letter.published[:19], letter.attempts, letter.message_id)
    return found
