"""What the bytes of a block say of its lines without decoding them: where they end, and how many keys they have.

All of it works on whole blocks: the same in Python, line by line, costs as much as decoding them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import stringzilla
from numpy.typing import NDArray

from .bulk import line_ends

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEWLINE, RETURN, QUOTE, COLON, BACKSLASH, OPEN, CLOSE = b'\n\r":\\{}'
_SPACES = np.zeros(256, np.bool_)
_SPACES[[0x09, 0x0A, 0x0D, 0x20]] = True
# More white space than that before a colon is no longer followed: it could go on for megabytes, a byte at a time.
_MOST_SPACES = 16


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

    def have_keys(self, keys: int, but: Iterable[int] = ()) -> bool:
        """Whether the objects of all lines, `but` for some, certainly have that many keys together.

        A key ends with a quotation mark and a colon, and the mark is escaped within a text. White space between the two
        would hide a key, and is looked for.
        """
        left_out = [self.block[self.starts[line] : self.ends[line]] for line in but]
        keys += sum(_count(line, b'":') for line in left_out)
        ends = _count(self.block, b'":')
        if ends > keys:
            ends -= _escaped(self.block, b'":') - sum(_escaped(line, b'":') for line in left_out)
        return ends == keys and not self._spaced_keys()

    def _spaced_keys(self) -> bool:
        """Whether there may be white space between a key and its colon."""
        block = self.block
        if _has(block, b"\t") or (_has(block, b"\r") and _count(block, b"\r") != np.count_nonzero(self.returns())):
            return True  # neither can be in a text
        if not _has(block, b" :"):
            return False
        return _has(block, b"  :") or _count(block, b'" :') != _escaped(block, b'" :')

    def keys_of_each(self) -> Positions:
        """The number of keys on each line, or more where that cannot be told from a few bytes."""
        data = self.data
        colons = np.flatnonzero(data == COLON)
        before = np.maximum(colons - 1, 0)
        for _ in range(_MOST_SPACES):
            spaces = _SPACES[data[before]] & (before > 0)
            if not spaces.any():
                break
            before = before - spaces
        keys = ((data[before] == QUOTE) & ~self._escaped(before)) | _SPACES[data[before]]
        return np.diff(np.searchsorted(colons[keys], self.ends), prepend=0)

    def _escaped(self, quotes: Positions) -> Flags:
        """Which quotation marks are certainly escaped: after one backslash, not two, of which one escapes the other."""
        before = self.data[np.maximum(quotes - 1, 0)] == BACKSLASH
        escaped: Flags = before & (self.data[np.maximum(quotes - 2, 0)] != BACKSLASH)
        return escaped


def lines_of_bytes(block: bytes | memoryview) -> Lines:
    """The lines of a block that ends with a line break."""
    data = np.frombuffer(block, np.uint8)
    ends = line_ends(block)
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


def _escaped(block: bytes | memoryview, mark: bytes) -> int:
    """How often a mark that begins with a quotation mark is certainly escaped: after one backslash, not two."""
    once = _count(block, b"\\" + mark)
    return once - _count(block, b"\\\\" + mark) if once else 0
