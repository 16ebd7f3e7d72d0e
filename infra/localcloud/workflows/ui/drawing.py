"""A routine's drawing as SVG, styled by the page: boxes by state, ways by whether they were taken."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ..running.observer import Kind
from .graph import RoutineGraph
from .layout import LABEL, PADDING, Drawing, Placed, Way, cut, head_height, layout
from .tally import Tallies, Tally
from .texts import seconds

_RADIUS = 7


def anchor(routine: str) -> str:
    """The id of a routine's drawing on the page."""
    return f"routine-{routine}"


def routine_svg(graph: RoutineGraph, tallies: Tallies) -> str:
    """The SVG of a routine."""
    drawing = layout(graph)
    return "".join(_svg(graph.name, drawing, tallies))


def _svg(name: str, drawing: Drawing, tallies: Tallies) -> Iterator[str]:
    width, height = round(drawing.width), round(drawing.height)
    yield (
        f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="Steps of {escape(name)}">'
    )
    for placed in drawing.placed:
        yield from _box(placed, tallies) if placed.box is not None else _section(placed, tallies)
    # Ways that were taken lie over those that were not.
    for way in sorted(drawing.ways, key=lambda way: tallies.ways[way.source, way.target] > 0):
        yield _way(way, tallies.ways[way.source, way.target])
    yield "</svg>"


def _box(placed: Placed, tallies: Tallies) -> Iterator[str]:
    box = placed.box
    assert box is not None
    tally = tallies.at(box.key)
    x, y = placed.x, placed.y
    shape = f'x="{x:.1f}" y="{y:.1f}" width="{placed.width:.1f}" height="{placed.height:.1f}" rx="{_RADIUS}"'
    yield f'<g class="step {tally.state}"><title>{escape(_title(box.title or box.key.step, box.detail, tally))}</title>'
    mark = f'x="{x:.1f}" y="{y + 6:.1f}" width="3" height="{head_height(box) - 12}" rx="1.5"'
    yield f'<rect {shape}/><rect class="mark" {mark}/>'
    first, second = (box.title, box.detail) if box.title else (box.detail, "")
    yield f'<text class="name" x="{x + PADDING:.1f}" y="{y + 19:.1f}">{escape(cut(first))}</text>'
    if second:
        text = f'<text class="detail" x="{x + PADDING:.1f}" y="{y + 36:.1f}">{escape(cut(second))}</text>'
        yield f'<a href="#{escape(anchor(second))}">{text}</a>' if box.key.kind == Kind.SUBWORKFLOW_CALL else text
    if tally.runs:
        right = x + placed.width - PADDING
        yield f'<text class="count" x="{right:.1f}" y="{y + 19:.1f}">{_count(tally)}</text>'
    if box.next is not None:
        right = x + placed.width - PADDING
        yield f'<text class="target" x="{right:.1f}" y="{y + 36:.1f}">→ {escape(cut(box.next))}</text>'
    yield "</g>"


def _section(placed: Placed, tallies: Tallies) -> Iterator[str]:
    section = placed.section
    assert section is not None
    tally = tallies.at(section.key)
    shape = f'x="{placed.x:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}" height="{placed.height:.1f}"'
    yield f'<g class="section {tally.state}"><title>{escape(section.label)}</title><rect {shape} rx="{_RADIUS - 2}"/>'
    y = placed.y + LABEL - 6
    if section.label:
        target = f' <tspan class="target">→ {escape(section.target)}</tspan>' if section.target else ""
        yield f'<text class="label" x="{placed.x + 8:.1f}" y="{y:.1f}">{escape(cut(section.label))}{target}</text>'
    if tally.runs and section.label:
        yield f'<text class="count" x="{placed.x + placed.width - 8:.1f}" y="{y:.1f}">{_count(tally)}</text>'
    yield "</g>"


def _count(tally: Tally) -> str:
    return f"{tally.failed} of {tally.runs} failed" if tally.failed and tally.runs > 1 else f"×{tally.runs}"


def _title(name: str, detail: str, tally: Tally) -> str:
    if not tally.runs:
        return f"{name}: {detail}\nnever run"
    failed = f", {tally.failed} failed" if tally.failed else ""
    return f"{name}: {detail}\n{tally.runs} times{failed}, {seconds(tally.seconds)} in all"


def _way(way: Way, count: int) -> str:
    (x1, y1), (x2, y2) = way.start, way.end
    kind = "way taken" if count else "way"
    if way.lane is None:
        path = f"M{x1:.1f} {y1:.1f}V{y2 - 5:.1f}"
        head = f"M{x2 - 4:.1f} {y2 - 7:.1f}L{x2:.1f} {y2 - 1:.1f}L{x2 + 4:.1f} {y2 - 7:.1f}Z"
        place = f'x="{x1 + 7:.1f}" y="{(y1 + y2) / 2 + 4:.1f}"'
    else:
        radius = min(6.0, abs(y2 - y1) / 2)
        turn = radius if y2 > y1 else -radius
        path = (
            f"M{x1:.1f} {y1:.1f}H{way.lane - radius:.1f}Q{way.lane:.1f} {y1:.1f} {way.lane:.1f} {y1 + turn:.1f}"
            f"V{y2 - turn:.1f}Q{way.lane:.1f} {y2:.1f} {way.lane - radius:.1f} {y2:.1f}H{x2 + 5:.1f}"
        )
        head = f"M{x2 + 7:.1f} {y2 - 4:.1f}L{x2 + 1:.1f} {y2:.1f}L{x2 + 7:.1f} {y2 + 4:.1f}Z"
        place = ""
    label = f'<text class="count on-way" {place}>{count}</text>' if count > 1 and place else ""
    return f'<g class="{kind}"><path d="{path}"/><path class="head" d="{head}"/>{label}</g>'
