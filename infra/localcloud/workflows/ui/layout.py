"""Where the boxes of a routine go: steps below each other, branches side by side, jumps in lanes on the right.

A block is a column. What lies within a step is drawn inside its box, so a drawing is as deep as the definition.
Every jump gets a lane of its own at the right side of the block that its target is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..language.syntax import BREAK, CONTINUE, END
from .graph import Box, Key, RoutineGraph, Section

CHARACTER: Final = 7.3  # width of a character in the font of titles
TITLE: Final = 46  # height of the head of a box: its name, and what it does
SHORT_TITLE: Final = 28  # of one without a name
COUNT: Final = 15  # characters for a count in a box's first line
LABEL: Final = 22  # height of a section's label
GAP: Final = 22
PADDING: Final = 10
LANE: Final = 12
NARROWEST: Final = 150
CHARACTERS: Final = 34  # of a line of text; what is longer is cut
_ELSEWHERE = (END, BREAK, CONTINUE)


@dataclass(frozen=True)
class Placed:
    """A box or section with its place; one of the two is None."""

    x: float
    y: float
    width: float
    height: float
    box: Box | None = None
    section: Section | None = None


@dataclass(frozen=True)
class Way:
    """A line between two places: straight down when `lane` is None, else along a lane at this x. Keys tell counts."""

    source: Key
    target: Key
    start: tuple[float, float]
    end: tuple[float, float]
    lane: float | None


@dataclass(frozen=True)
class Drawing:
    """Everything to draw of a routine, outer things first."""

    width: float
    height: float
    placed: tuple[Placed, ...]
    ways: tuple[Way, ...]


def cut(text: str) -> str:
    """A text that fits into a box."""
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"


def head_height(box: Box) -> float:
    """The height of a box above its sections; of all of it when it has none."""
    return TITLE if box.title else SHORT_TITLE


def layout(graph: RoutineGraph) -> Drawing:
    """The drawing of a routine."""
    return _Layout(graph).drawing


@dataclass(frozen=True)
class _Jump:
    """A jump to a step of a block: out of `source`, where `anchor` is the identity of its box or condition."""

    source: Key
    anchor: int
    target: str


class _Layout:
    def __init__(self, graph: RoutineGraph) -> None:
        # By the identity of a block's boxes: the jumps that end in it.
        self._jumps: dict[int, list[_Jump]] = {}
        self._find_jumps(graph.boxes, ())
        self._placed: list[Placed] = []
        self._places: dict[int, Placed] = {}
        self._ways: list[Way] = []
        width, height = self._block_size(graph.boxes)
        self._place_block(graph.boxes, PADDING, PADDING)
        self.drawing = Drawing(width + 2 * PADDING, height + 2 * PADDING, tuple(self._placed), tuple(self._ways))

    # --- which jump ends in which block

    def _find_jumps(self, block: Sequence[Box], around: tuple[Sequence[Box], ...]) -> None:
        blocks = (*around, block)
        for box in block:
            if box.next is not None:
                self._add_jump(_Jump(box.key, id(box), box.next), blocks)
            for section in box.sections:
                if section.target is not None:
                    self._add_jump(_Jump(box.key, id(section), section.target), blocks)
                if section.boxes:
                    self._find_jumps(section.boxes, blocks)

    def _add_jump(self, jump: _Jump, blocks: tuple[Sequence[Box], ...]) -> None:
        if jump.target in _ELSEWHERE:
            return
        for block in reversed(blocks):
            if any(box.title == jump.target for box in block):
                self._jumps.setdefault(id(block), []).append(jump)
                return

    # --- sizes

    def _block_size(self, block: Sequence[Box]) -> tuple[float, float]:
        sizes = [self._box_size(box) for box in block]
        lanes = len(self._jumps.get(id(block), ()))
        width = max((width for width, _ in sizes), default=0.0) + (lanes * LANE + LANE if lanes else 0)
        return width, sum(height for _, height in sizes) + GAP * max(0, len(sizes) - 1)

    def _box_size(self, box: Box) -> tuple[float, float]:
        target = f" → {cut(box.next)}" if box.next else ""
        longest = max(len(cut(box.title or box.detail)) + COUNT, len(cut(box.detail) + target))
        width = max(NARROWEST, longest * CHARACTER + 2 * PADDING)
        if not box.sections:
            return width, head_height(box)
        sizes = [self._section_size(section) for section in box.sections]
        if box.beside:
            inner = sum(size[0] for size in sizes) + PADDING * (len(sizes) - 1)
            height = max(size[1] for size in sizes)
        else:
            inner = max(size[0] for size in sizes)
            height = sum(size[1] for size in sizes) + PADDING / 2 * (len(sizes) - 1)
        return max(width, inner + 2 * PADDING), head_height(box) + height + PADDING

    def _section_size(self, section: Section) -> tuple[float, float]:
        width, height = self._block_size(section.boxes)
        text = cut(section.label) + (f" → {section.target}" if section.target else "")
        label = LABEL if section.label else 0
        inside = height + 2 * PADDING if section.boxes else 4
        return max(width + 2 * PADDING, (len(text) + COUNT) * CHARACTER + PADDING), label + inside

    # --- places

    def _place_block(self, block: Sequence[Box], x: float, y: float) -> None:
        width, _ = self._block_size(block)
        lanes = len(self._jumps.get(id(block), ()))
        inner = width - (lanes * LANE + LANE if lanes else 0)
        tops: dict[str, Placed] = {}
        above: tuple[Box, Placed] | None = None
        for box in block:
            _, height = self._box_size(box)
            placed = self._place_box(box, x, y, inner, height)
            tops[box.title] = placed
            if above is not None and above[0].passes:
                self._ways.append(_straight(above[0].key, box.key, above[1], placed))
            above = (box, placed)
            y += height + GAP
        for number, jump in enumerate(self._jumps.get(id(block), ())):
            source, target = self._places[jump.anchor], tops[jump.target]
            assert target.box is not None
            self._ways.append(
                Way(
                    jump.source,
                    target.box.key,
                    (source.x + source.width, source.y + _middle(source)),
                    (target.x + target.width, target.y + 12),
                    x + inner + LANE * (number + 1),
                )
            )

    def _place_box(self, box: Box, x: float, y: float, width: float, height: float) -> Placed:
        placed = Placed(x, y, width, height, box=box)
        self._placed.append(placed)
        self._places[id(box)] = placed
        left, top = x + PADDING, y + head_height(box)
        sizes = [self._section_size(section) for section in box.sections]
        spare = width - 2 * PADDING
        for section, (own_width, own_height) in zip(box.sections, sizes, strict=True):
            section_width = own_width if box.beside else spare
            section_height = height - head_height(box) - PADDING if box.beside else own_height
            inner = Placed(left, top, section_width, section_height, section=section)
            self._placed.append(inner)
            self._places[id(section)] = inner
            label = LABEL if section.label else 0
            if section.boxes:
                self._place_block(section.boxes, left + PADDING, top + label + PADDING)
            if box.beside:
                left += own_width + PADDING
            else:
                top += own_height + PADDING / 2
        return placed


def _straight(source: Key, target: Key, above: Placed, below: Placed) -> Way:
    x = above.x + min(above.width, below.width) / 2
    return Way(source, target, (x, above.y + above.height), (x, below.y), None)


def _middle(placed: Placed) -> float:
    return LABEL / 2 if placed.box is None else head_height(placed.box) - 14
