"""The typed rows of whole blocks, as few calls as faults allow."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from .extras import Extras
from .judging import UNDECODABLE
from .located import Located

# Of a block with a fault, so many lines are decoded at once: few enough that most pieces have none.
PIECE_LINES = 32
PIECE_PARTS = 4  # a piece with a fault is taken apart into so many
UNUSUAL_SHARE = 1 / 16  # a block where the quickest type of rows does not take more rows than that is unusual,
UNUSUAL_BLOCKS = 4  # and after so many of them that type is not tried any more


class Decoder:
    """Decodes the rows of a format, block after block."""

    def __init__(self, extras: Extras) -> None:
        usual = None if extras.problems else extras.format.usual
        self._decode_usual = None if usual is None else msgspec.json.Decoder(usual).decode_lines
        self._decode_lines = msgspec.json.Decoder(extras.row).decode_lines
        self._unusual_rows = self._unusual_blocks = 0
        self._broken = False  # whether the last block had lines that cannot be decoded

    def rows(self, block: Located) -> tuple[list[Any], list[int] | None]:
        """The typed rows of a block and the lines that they stand on; None for all of its lines."""
        objects = block.lines.objects()
        sound = bool((objects | block.lines.blank()).all())  # the decoder passes over blank lines
        if sound and not self._broken:
            at = None if objects.all() else np.flatnonzero(objects).tolist()
            if (whole := self._whole(block, len(block.lines) if at is None else len(at))) is not None:
                return whole, at
        rows, at = list[Any](), list[int]()
        others = [-1, *np.flatnonzero(~objects).tolist(), len(objects)]
        for before, after in pairwise(others):
            for first in range(before + 1, after, PIECE_LINES):
                self._piece(block, first, min(first + PIECE_LINES, after), rows, at)
        self._count_unusual(len(rows))
        self._broken = not sound or len(at) < int(np.count_nonzero(objects))
        return rows, None if len(at) == len(block.lines) else at

    def _whole(self, block: Located, rows: int) -> list[Any] | None:
        """The rows of a block that has so many; None when some line cannot be decoded."""
        if self._decode_usual is not None:
            try:
                decoded = self._decode_usual(block.raw)
            except UNDECODABLE:
                pass
            else:
                return decoded if len(decoded) == rows else None
        try:
            decoded = self._decode_lines(block.raw)
        except UNDECODABLE:
            return None
        self._unusual_rows = len(decoded)
        self._count_unusual(len(decoded))
        return decoded if len(decoded) == rows else None

    def _piece(self, block: Located, first: int, last: int, rows: list[Any], at: list[int]) -> None:
        """Add the rows of neighbouring lines, and the lines; in smaller and smaller pieces where they fail."""
        lines, text = last - first, block.bytes_of(first, last)
        decoded = _decoded(self._decode_usual or self._decode_lines, text)
        if lines == 1 and not decoded and self._decode_usual is not None:
            decoded = _decoded(self._decode_lines, text)
            self._unusual_rows += len(decoded)
        if len(decoded) == lines:
            rows += decoded
            at += range(first, last)
        elif lines > 1:
            part = -(-lines // PIECE_PARTS)
            for start in range(first, last, part):
                self._piece(block, start, min(start + part, last), rows, at)

    def _count_unusual(self, rows: int) -> None:
        """Give the quickest type of rows up where it takes too few of them."""
        self._unusual_blocks += self._unusual_rows > UNUSUAL_SHARE * rows
        self._unusual_rows = 0
        if self._unusual_blocks == UNUSUAL_BLOCKS:
            self._decode_usual = None


def _decoded(decode: Callable[[memoryview], list[Any]], lines: memoryview) -> list[Any]:
    """The rows on lines; none when some line cannot be decoded."""
    try:
        return decode(lines)
    except UNDECODABLE:
        return []
