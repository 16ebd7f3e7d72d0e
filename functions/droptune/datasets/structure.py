"""What the bytes of a block say of its lines without decoding them: where they end, and how many keys they have.

All of it works on whole blocks: the same in Python, line by line, costs as much as decoding them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import stringzilla
from numpy.typing import NDArray

from . import bulk

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEWLINE, RETURN, BACKSLASH, OPEN, CLOSE = b"\n\r\\{}"


@dataclass(frozen=True)
class Lines:
    """The lines of a block: `starts` and `ends` are the positions of each line's first byte and of its line break.

    `data` are the bytes of the block as an array. `last` is the byte before each line break.
    """

    block: bytes | memoryview
    data: Bytes
    starts: Positions
    ends: Positions
    last: Bytes

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def sizes(self) -> Positions:
        """The bytes of each line without its line break."""
        return self.ends - self.starts

    def objects(self) -> Flags:
        """Which lines begin with ``{`` and end with ``}``, a CR before the line break aside.

        When all do, and the block decodes to as many values as it has lines, each line is exactly one value: between a
        ``}`` and a ``{`` within one JSON value there is always something besides white space.
        """
        last = self.last
        if (returns := last == RETURN).any():
            last = np.where(returns, self.data[self.ends - 2], last)
        both: Flags = (self.data[self.starts] == OPEN) & (last == CLOSE)
        return both

    def blank(self) -> Flags:
        """Which lines are empty, a CR before the line break aside."""
        sizes = self.sizes
        blank: Flags = (sizes == 0) | ((sizes == 1) & (self.last == RETURN))
        return blank

    def returns(self) -> Flags:
        """Which lines end with CR LF."""
        returns: Flags = (self.last == RETURN) & (self.ends > self.starts)
        return returns

    def escaped_nul(self) -> bool:
        """Whether a text may have the escape of U+0000."""
        return escapes_nul(self.block)

    def with_more_keys(self, keys: Positions, at: Sequence[int] | None = None) -> list[int]:
        """The positions in `at`, which are lines, of those that may have more keys than `keys` says, never fewer.

        Without `at`, all lines are meant.
        """
        return bulk.with_more_keys(self.block, self.ends, keys, at)


def lines_of_bytes(block: bytes | memoryview) -> Lines:
    """The lines of a block that ends with a line break."""
    data = np.frombuffer(block, np.uint8)
    ends = bulk.line_ends(block)
    starts = np.zeros_like(ends)
    np.add(ends[:-1], 1, out=starts[1:])
    return Lines(block, data, starts, ends, data[ends - 1])


def escapes_nul(text: bytes | memoryview) -> bool:
    """Whether JSON may have the escape of U+0000; an escaped backslash before it makes it six characters."""
    found = _count(text, b"\\u0000")
    return found > 0 and (found != _count(text, b"\\\\u0000") or _has(text, b"\\\\\\u0000"))


def _has(block: bytes | memoryview, mark: bytes) -> bool:
    return bool(stringzilla.find(block, mark) >= 0)


def _count(block: bytes | memoryview, mark: bytes) -> int:
    return int(stringzilla.count(block, mark))
