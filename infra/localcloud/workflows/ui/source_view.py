"""The source with how often each line's step was run, and the place of an error drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from .graph import Box, Key, RoutineGraph
from .tally import Tallies


def source_listing(
    source: str, graphs: Sequence[RoutineGraph], tallies: Tallies, error: Mapping[str, Any] | None
) -> str:
    """All lines, numbered, with counts; the line of the error is marked."""
    steps: dict[int, list[Key]] = {}
    for graph in graphs:
        for box in _all_boxes(graph.boxes):
            if box.title:
                steps.setdefault(box.line, []).append(box.key)
    place = error_place(error)
    lines = []
    for number, text in enumerate(source.splitlines(), 1):
        keys = steps.get(number, [])
        runs = tallies.of_line(keys)
        state = "failed" if place is not None and place[0] == number else "ran" if runs else "idle" if keys else "plain"
        count = f"×{runs}" if runs else ""
        lines.append(
            f'<span class="line {state}"><span class="number">{number}</span>'
            f'<span class="times">{count}</span>{escape(text) or " "}</span>'
        )
    return f'<pre class="source">{"".join(lines)}</pre>'


def error_snippet(source: str, error: Mapping[str, Any] | None) -> str:
    """The line that an error came from, those around it, and a caret below the place; empty when it has none."""
    place = error_place(error)
    lines = source.splitlines()
    if place is None or place[0] > len(lines):
        return ""
    number, column = place
    drawn = []
    for shown in range(max(1, number - 2), min(len(lines), number + 1) + 1):
        state = "failed" if shown == number else "plain"
        text = lines[shown - 1].replace("\t", " ")
        drawn.append(f'<span class="line {state}"><span class="number">{shown}</span>{escape(text) or " "}</span>')
        if shown == number:
            drawn.append(f'<span class="line caret"><span class="number"></span>{" " * (column - 1)}^</span>')
    return f'<pre class="source">{"".join(drawn)}</pre>'


def error_place(error: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """Line and column of the innermost frame of an API Error."""
    elements = error.get("stackTrace", {}).get("elements", ()) if error else ()
    if not elements:
        return None
    return int(elements[0]["position"]["line"]), int(elements[0]["position"]["column"])


def _all_boxes(boxes: Sequence[Box]) -> Iterator[Box]:
    for box in boxes:
        yield box
        for section in box.sections:
            yield from _all_boxes(section.boxes)
