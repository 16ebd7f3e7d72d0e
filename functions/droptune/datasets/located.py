"""A block of a file with the places of its lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rowformat import Batch, Frame
from .structure import SPACE, Lines, lines_of_bytes

Indices = NDArray[np.int64]

LEAST_FIELD = len(b',"":0')  # a row with more room than this may have one more field


class Located:
    """A window with its lines, ended by a line break."""

    def __init__(self, raw: memoryview, lines: Lines, offset: int, first_line: int) -> None:
        self.raw = raw
        self.lines = lines
        self.offset = offset
        self.first_line = first_line
        self._starts: list[int] = []

    def bytes_of(self, first: int, last: int) -> memoryview:
        """The bytes of lines from `first` up to `last`, with their line breaks."""
        if not self._starts:
            self._starts = [*self.lines.starts.tolist(), len(self.raw)]
        return self.raw[self._starts[first] : self._starts[last]]

    @property
    def escapes(self) -> bool:
        """Whether there is a backslash anywhere in the block."""
        return self.lines.source.find(b"\\", 0, len(self.raw)) >= 0

    def only(self, at: Indices) -> Lines:
        """The given lines, copied out of the block."""
        breaks = np.flatnonzero(np.diff(at) != 1) + 1  # between runs of neighbouring lines
        firsts, lasts = at[np.concatenate(([0], breaks))], at[np.concatenate((breaks - 1, [len(at) - 1]))]
        starts, ends = self.lines.starts[firsts].tolist(), (self.lines.ends[lasts] + 1).tolist()
        runs = [self.raw[start:end] for start, end in zip(starts, ends, strict=True)]
        return lines_of_bytes(b"".join(runs), scratch=self.lines.scratch)


def framed(block: Located, at: list[int] | None, batch: Batch, frame: Frame) -> NDArray[np.bool_]:
    """Which rows' lines have the size of their texts, written as they are, in the usual frame."""
    lines = block.lines
    starts, ends = (lines.starts, lines.ends) if at is None else (lines.starts[at], lines.ends[at])
    around = ends - starts - batch.prompt - batch.answer
    spaced = around == frame.tight + frame.spaces
    if frame.spaces >= LEAST_FIELD:  # as many bytes as a short field has: then some of the spaces have to be seen
        spaced &= lines.data[starts + frame.head] == SPACE
        spaced &= lines.data[ends - frame.tail] == SPACE
    framed: NDArray[np.bool_] = spaced | (around == frame.tight)
    return framed
