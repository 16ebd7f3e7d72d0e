"""What the bytes of a block say of its lines without decoding them: where they end, and how many keys they have.

All of it works on whole blocks with numpy: the same in Python, line by line, costs as much as decoding them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEWLINE, RETURN, SPACE, QUOTE, COLON, BACKSLASH, OPEN, CLOSE, LETTER_U = b'\n\r ":\\{}u'
_SPACES = np.zeros(256, np.bool_)
_SPACES[[0x09, 0x0A, 0x0D, 0x20]] = True
_KEY_END, _QUOTE_SPACE, _SPACE_COLON, _ZEROS = (int.from_bytes(few, "little") for few in (b'":', b'" ', b" :", b"0000"))
# More white space than that before a colon is no longer followed: it could go on for megabytes, a byte at a time.
_MOST_SPACES = 16


@dataclass(frozen=True)
class Lines:
    """The lines of a block: `starts` and `ends` are the positions of each line's first byte and of its line break.

    `scratch` has room for as many flags as there are bytes. Fresh memory for each comparison would take longer to get
    than the comparison.
    """

    data: Bytes
    starts: Positions
    ends: Positions
    scratch: Flags

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
        last = self.data[self.ends - 1]
        if (last == RETURN).any():
            last = np.where(last == RETURN, self.data[self.ends - 2], last)
        both: Flags = (self.data[self.starts] == OPEN) & (last == CLOSE)
        return both

    def escaped_nul(self) -> bool:
        """Whether a text has the escape of U+0000: four zeros, which are rare, after a backslash and a `u`."""
        data = self.data
        for first in range(4):
            fours = data[first : first + (len(data) - first) // 4 * 4].view("<u4")
            zeros = _equal(fours, _ZEROS, self.scratch)
            if zeros.any():
                at = np.flatnonzero(zeros) * 4 + first
                if ((data[at - 2] == BACKSLASH) & (data[at - 1] == LETTER_U)).any():
                    return True
        return False

    def returns(self) -> Flags:
        """Which lines end with CR LF."""
        returns: Flags = (self.data[self.ends - 1] == RETURN) & (self.ends > self.starts)
        return returns

    def have_keys(self, keys: int) -> bool:
        """Whether the objects of all lines certainly have that many keys together.

        A key ends with a quotation mark and a colon. The mark is escaped within a text, which only makes for more of
        them; white space between the two would hide a key, and is looked for. That of other kinds than spaces is rare.
        """
        if self._has_tabs():
            return False
        if sum(np.count_nonzero(_equal(pairs, _KEY_END, self.scratch)) for pairs in _pairs(self.data)) != keys:
            return False
        if not any(_equal(pairs, _SPACE_COLON, self.scratch).any() for pairs in _pairs(self.data)):
            return True
        for first, pairs in enumerate(_pairs(self.data)):
            spaced = _equal(pairs, _QUOTE_SPACE, self.scratch)
            if spaced.any() and self._hide_keys(np.flatnonzero(spaced) * 2 + first):
                return False
        return True

    def _has_tabs(self) -> bool:
        """Whether there is white space that is neither a space nor the end of a line."""
        controls: Flags = np.less(self.data, SPACE, out=self.scratch[: len(self.data)])
        return bool(np.count_nonzero(controls) != len(self) + np.count_nonzero(self.returns()))

    def _hide_keys(self, quotes: Positions) -> bool:
        """Whether a colon may follow, after spaces, on one of these quotation marks that is not escaped."""
        data = self.data
        after = quotes + 1
        for _ in range(_MOST_SPACES):
            spaces = data[after] == SPACE
            if not spaces.any():
                return bool(((data[after] == COLON) & ~self._escaped(quotes)).any())
            after = after + spaces
        return True

    def keys_of_each(self) -> Positions:
        """The number of keys on each line, or more where that cannot be told from a few bytes."""
        data = self.data
        colons = np.flatnonzero(_equal(data, COLON, self.scratch))
        before = np.maximum(colons - 1, 0)
        for _ in range(_MOST_SPACES):
            spaces = _SPACES[data[before]] & (before > 0)
            if not spaces.any():
                break
            before = before - spaces
        keys = ((data[before] == QUOTE) & ~self._escaped(before)) | _SPACES[data[before]]
        return np.bincount(np.searchsorted(self.ends, colons[keys]), minlength=len(self.ends))

    def _escaped(self, quotes: Positions) -> Flags:
        """Which quotation marks are certainly escaped: after one backslash, not two, of which one escapes the other."""
        before = self.data[np.maximum(quotes - 1, 0)] == BACKSLASH
        escaped: Flags = before & (self.data[np.maximum(quotes - 2, 0)] != BACKSLASH)
        return escaped


def certain_keys(line: bytes, keys: int) -> bool:
    """Whether one line certainly has that many keys."""
    return line.count(b'":') == keys and not any(space in line for space in (b" :", b"\t", b"\r"))


def lines_of_bytes(data: Bytes, scratch: Flags | None = None) -> Lines:
    """The lines of a block that ends with a line break; `scratch` is at least as long."""
    if scratch is None or len(scratch) < len(data):
        scratch = np.empty(len(data), np.bool_)
    ends = _positions(data, NEWLINE, scratch)
    starts = np.empty(len(ends), np.int64)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    return Lines(data, starts, ends, scratch)


def _equal(values: NDArray[Any], wanted: int, scratch: Flags) -> Flags:
    """Which values are the one wanted, in the scratch memory: good until the next use of it."""
    flags: Flags = np.equal(values, values.dtype.type(wanted), out=scratch[: len(values)])
    return flags


def _positions(data: Bytes, byte: int, scratch: Flags) -> Positions:
    """Where a rare byte stands.

    Eight bytes are looked at as one number first: most such numbers have none, and a search among fewer is quicker.
    """
    found = _equal(data, byte, scratch)
    whole = len(data) // 8 * 8
    eights = found[:whole].view("<u8")
    some = (eights != 0).nonzero()[0]
    ones = eights[some]
    if (ones & (ones - np.uint64(1))).any():  # two of them within eight bytes
        return np.flatnonzero(found)
    within = (np.log2(ones) / 8).astype(np.int64)  # in a number whose byte k is 1, and the others 0
    return np.concatenate((some * 8 + within, np.flatnonzero(found[whole:]) + whole))


def _pairs(data: Bytes) -> Iterator[NDArray[np.uint16]]:
    """All neighbouring bytes as numbers of 16 bits: those that begin at even places, then the others."""
    for start in (0, 1):
        yield data[start : start + (len(data) - start) // 2 * 2].view("<u2")
