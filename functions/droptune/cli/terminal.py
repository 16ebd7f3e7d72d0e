"""The two consoles: data on standard output, words for people on standard error."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

PIPED_WIDTH = 160  # where nobody's window sets a width: paths stay whole


def print_data(renderable: RenderableType, *, to_people: bool = False) -> None:
    """Print what was asked for on standard output, or an explanation on standard error.

    In a pipe or file the blanks that fill up lines are left out.
    """
    console = _console(stderr=to_people)
    if console.is_terminal:
        console.print(renderable)
        return
    with console.capture() as captured:
        console.print(renderable)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), err=to_people)


def people_console() -> Console:
    """For progress and explanations, on standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console
