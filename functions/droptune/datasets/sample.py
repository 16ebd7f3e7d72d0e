"""Some thousands of a file's good rows, evenly spread, for what would take too long on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# All rows of any file that PaLM tuning takes are looked at; of larger files every n-th, some thousands.
ALL_ROWS = 10_000
MOST_BYTES = 16 * 1024 * 1024
_WANTED_ROWS = 2_000


class Sampled(NamedTuple):
    """A row that was kept for a closer look: where it stands, and the typed row."""

    line: int
    offset: int
    row: Any


class _Taken(NamedTuple):
    """Rows of one block, with their lines and byte offsets."""

    rows: list[Any]
    lines: NDArray[np.int64]
    offsets: NDArray[np.int64]


class Sample:
    """Every n-th good row of a file, n doubling whenever there are too many."""

    def __init__(self) -> None:
        self._taken: list[_Taken] = []
        self._count = self._bytes = 0
        self._step = 1
        self._next = 0  # rows until the next one is taken

    def expect(self, rows: int) -> None:
        """Begin with the step that leaves some thousands of so many rows."""
        if rows > ALL_ROWS:
            self._step = 1 << (rows // _WANTED_ROWS).bit_length() - 1

    @property
    def rows(self) -> list[Sampled]:
        """The rows taken, in the order of the file."""
        return [
            Sampled(*row)
            for taken in self._taken
            for row in zip(taken.lines.tolist(), taken.offsets.tolist(), taken.rows, strict=True)
        ]

    def closer(self) -> list[Sampled]:
        """At most `ALL_ROWS` rows when these are all, otherwise some thousands, for what takes long on each."""
        return self.rows if self._step == 1 else self.spread(_WANTED_ROWS)

    def spread(self, most: int) -> list[Sampled]:
        """At most so many rows, evenly spread."""
        rows = self.rows
        return rows[:: -(-len(rows) // most)] if len(rows) > most else rows

    def add(
        self,
        rows: Sequence[Any],
        lines: NDArray[np.int64],
        offsets: NDArray[np.int64],
        size: int,
        kept: Callable[[Any], Any] = lambda row: row,
    ) -> None:
        """Take some of the rows of a block of `size` bytes, given with their line numbers and byte offsets.

        `kept` makes of a row what is kept of it.
        """
        chosen = slice(self._next, None, self._step)
        taken = _Taken([*map(kept, rows[chosen])], lines[chosen].copy(), offsets[chosen].copy())
        self._next += len(taken.rows) * self._step - len(rows)
        if taken.rows:
            self._append(taken, size * len(taken.rows) // len(rows))

    def merge(self, other: Sample, lines: int, offset: int) -> None:
        """Take some of the rows of the part of the file that begins after `lines` lines and `offset` bytes."""
        while other._step < self._step:
            other._thin()
        while self._step < other._step:
            self._thin()
        self._taken += (_Taken(taken.rows, taken.lines + lines, taken.offsets + offset) for taken in other._taken)
        self._count += other._count
        self._bytes += other._bytes
        self._next = other._next
        self._thin_out()

    def _append(self, taken: _Taken, size: int) -> None:
        self._taken.append(taken)
        self._count += len(taken.rows)
        self._bytes += size
        self._thin_out()

    def _thin_out(self) -> None:
        while self._count > ALL_ROWS or (self._bytes > MOST_BYTES and self._count > 1):
            self._thin()

    def _thin(self) -> None:
        """Leave out every second row."""
        kept: list[_Taken] = []
        skip = 0
        for taken in self._taken:
            chosen = slice(skip, None, 2)
            skip = (len(taken.rows) - skip) % 2
            kept.append(_Taken(taken.rows[chosen], taken.lines[chosen], taken.offsets[chosen]))
        if self._count % 2 == 1:  # the last row stays, and the next is to be one more step away
            self._next += self._step
        self._taken = [taken for taken in kept if taken.rows]
        self._count = sum(len(taken.rows) for taken in self._taken)
        self._bytes //= 2
        self._step *= 2
