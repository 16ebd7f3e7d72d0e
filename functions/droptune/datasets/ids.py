"""The ids of one file, in little memory, and which of them are repeated or unknown to another file."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Twice as many as a corpus may have, at 64 bytes each. Of the ids past either only the number is known.
MAX_IDS = 1_000_000
MAX_BYTES = 64 * 1024 * 1024


class Place(NamedTuple):
    """An id, the line of its first mention, and how many lines mention it."""

    id: str
    line: int
    times: int


class Ids:
    """Ids in the order of their lines: the bytes of each, and 20 more.

    They are compared by 64-bit hashes: that two of a million different ids are taken for one has a chance of 3 in 10^8.
    """

    def __init__(self, file: str, most: int = MAX_IDS) -> None:
        self.file = file
        self.count = 0
        self._most = most
        self._text = bytearray()
        self._ends = array("Q")
        self._lines = array("I")
        self._hashes = np.empty(0, np.int64)

    def add(self, identity: str, line: int) -> None:
        """One more id, which stands in a line."""
        self.count += 1
        if self.kept < self._most and len(self._text) < MAX_BYTES:
            self._text += identity.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._text))
            self._lines.append(line)

    def extend(self, ids: Iterable[tuple[str, int]]) -> None:
        """More ids, each with its line."""
        for identity, line in ids:
            self.add(identity, line)

    @property
    def kept(self) -> int:
        """How many ids are kept."""
        return len(self._ends)

    @property
    def complete(self) -> bool:
        """Whether all ids are kept."""
        return self.count == self.kept

    def hashes(self) -> NDArray[np.int64]:
        """A number for each id kept, the same for equal ids within this process."""
        if len(self._hashes) != self.kept:
            text = bytes(self._text)
            spans = pairwise(chain((0,), self._ends))
            self._hashes = np.fromiter((hash(text[start:end]) for start, end in spans), np.int64, self.kept)
        return self._hashes

    def id(self, at: int) -> str:
        """The id at a position."""
        start = self._ends[at - 1] if at else 0
        return self._text[start : self._ends[at]].decode("utf-8", "surrogatepass")

    def line(self, at: int) -> int:
        """The line of the id at a position."""
        return self._lines[at]

    def distinct(self) -> int:
        """How many different ids are kept."""
        return len(np.unique(self.hashes()))

    def repeated(self) -> Iterator[tuple[Place, int]]:
        """Every id that stands in several lines, and the second of them."""
        for at, again in repeats(self.hashes()):
            yield Place(self.id(at), self.line(at), 1 + len(again)), self.line(again[0])

    def not_in(self, others: Ids) -> Iterator[Place]:
        """Every id that is none of the others."""
        hashes = self.hashes()
        unknown, first, times = np.unique(hashes, return_index=True, return_counts=True)
        missing = ~np.isin(unknown, others.hashes())
        for at, count in sorted(zip(first[missing].tolist(), times[missing].tolist(), strict=True)):
            yield Place(self.id(at), self.line(at), count)


def repeats(hashes: NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
    """The first position of every number that stands several times, and its other positions in order."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, np.int64)
    stops = np.r_[starts[1:], len(ordered)]
    several = stops - starts > 1
    for start, stop in zip(starts[several].tolist(), stops[several].tolist(), strict=True):
        first, *again = order[start:stop].tolist()
        yield first, again
