"""Where nothing can be redrawn, a run is told in plain lines, one per change."""

from __future__ import annotations

import io

from rich.console import Console

from droptune.cli.views.live import PlainLines, screen
from droptune.cli.views.stages import Stage


def plain() -> tuple[io.StringIO, Console]:
    file = io.StringIO()
    return file, Console(file=file, width=40, highlight=False, markup=False)


def test_a_stage_is_told_once_for_each_of_its_states() -> None:
    """The same snapshot again adds no line."""
    file, console = plain()
    lines = PlainLines(console)
    for stages in (
        [Stage("validated", "doing"), Stage("planned", "to come")],
        [Stage("validated", "doing"), Stage("planned", "to come")],
        [Stage("validated", "done", "700 rows", 0.4), Stage("planned", "doing")],
    ):
        lines.show(stages)
    assert file.getvalue().splitlines() == [
        "... validated",
        "ok validated: 700 rows (0.4 s)",
        "... planned",
    ]


def test_training_is_told_each_tenth() -> None:
    """Fifty steps are eleven lines, not fifty, whatever the polling sees."""
    file, console = plain()
    lines = PlainLines(console)
    for step in range(51):
        lines.show([Stage("training", "doing", f"step {step} of 50", share=step / 50)])
    told = file.getvalue().splitlines()
    assert len(told) == 11
    assert told[0] == "... training: step 0 of 50" and told[-1] == "... training: step 50 of 50"


def test_lines_are_neither_wrapped_nor_decorated() -> None:
    """A log of a CI job gets whole lines without control characters."""
    file, console = plain()
    with screen(console) as shown:
        shown.show([Stage("validated", "failed", "x" * 100)])
    assert file.getvalue() == f"FAILED validated: {'x' * 100}\n"
