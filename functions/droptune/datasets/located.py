"""A block of a file with the places of its lines."""

from __future__ import annotations

from .structure import Lines


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
