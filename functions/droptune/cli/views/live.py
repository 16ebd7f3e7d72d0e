"""Stages on a terminal as a table that redraws, elsewhere as one plain line per change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from .stages import Stage, State
from .words import duration

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

MARKS: dict[State, tuple[str, str]] = {
    "to come": ("·", "dim"),
    "doing": ("…", "cyan"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
}
ASCII_MARKS: dict[State, str] = {"to come": ".", "doing": "...", "done": "ok", "failed": "FAILED"}
TENTHS = 10


class Screen(Protocol):
    """Where stages are shown."""

    def show(self, stages: Sequence[Stage]) -> None: ...


@contextmanager
def screen(console: Console) -> Iterator[Screen]:
    """A redrawing table on a terminal, plain lines anywhere else."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainLines(console)
        return
    from rich.live import Live

    with Live(console=console, refresh_per_second=4) as live:
        yield _Redrawn(live)


def table(stages: Sequence[Stage], spinner: Spinner | None = None) -> Table:
    """The stages as a borderless table; a bar below the text of a stage that has a share."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    for stage in stages:
        mark, style = MARKS[stage.state]
        first: RenderableType = Text(mark, style)
        if stage.state == "doing" and spinner is not None:
            first = spinner
        took = duration(stage.seconds) if stage.seconds is not None else ""
        label = Text(stage.name, "dim" if stage.state == "to come" else "bold")
        grid.add_row(first, label, Text(stage.text, "red" if stage.state == "failed" else ""), Text(took, "dim"))
        if stage.share is not None:
            grid.add_row("", "", ProgressBar(total=1.0, completed=stage.share, width=40), "")
    return grid


class _Redrawn:
    """The table in place, redrawn by rich."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._spinner = Spinner("dots", style="cyan")

    def show(self, stages: Sequence[Stage]) -> None:
        self._live.update(table(stages, self._spinner))


class PlainLines:
    """A line when a stage begins, each tenth of its work, and when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[tuple[str, str]] = set()

    def show(self, stages: Sequence[Stage]) -> None:
        for stage in stages:
            moment = self._moment(stage)
            if stage.state != "to come" and (stage.name, moment) not in self._said:
                self._said.add((stage.name, moment))
                self._console.print(Text(line(stage)), soft_wrap=True)

    def _moment(self, stage: Stage) -> str:
        if stage.share is not None:
            return f"{int(stage.share * TENTHS)} tenths"
        return stage.state


def line(stage: Stage) -> str:
    """``ok validated: 700 rows … (0.4 s)``."""
    took = f" ({duration(stage.seconds)})" if stage.seconds is not None else ""
    text = f": {stage.text}" if stage.text else ""
    return f"{ASCII_MARKS[stage.state]} {stage.name}{text}{took}"
