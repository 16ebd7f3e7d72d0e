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

NEWLINE, RETURN, SPACE, QUOTE, COLON, BACKSLASH, OPEN, CLOSE, ZERO = b'\n\r ":\\{}0'
_SPACES = np.zeros(256, np.bool_)
_SPACES[[0x09, 0x0A, 0x0D, 0x20]] = True
_KEY_END, _QUOTE_SPACE, _SPACE_COLON, _NUL_START = (
    int.from_bytes(few, "little") for few in (b'":', b'" ', b" :", b"u000")
)
# More white space than that before a colon is no longer followed: it could go on for megabytes, a byte at a time.
_MOST_SPACES = 16
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Lines:
    """The lines of a block: `starts` and `ends` are the positions of each line's first byte and of its line break.

    The block is the beginning of `source`, and `data` its bytes as an array. `scratch` has room for as many flags as
    there are bytes: fresh memory for each comparison would take longer to get than the comparison.
    """

    source: bytes | bytearray
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
        """Whether a text has the escape of U+0000: a `u` and three zeros after a backslash and before a zero.

        The four, which are rare, are neither the first nor the last bytes: a line begins and ends with a brace.
        """
        data = self.data
        for first in range(4):
            fours = data[first : first + (len(data) - first) // 4 * 4].view("<u4")
            starts = _equal(fours, _NUL_START, self.scratch)
            if starts.any():
                at = np.flatnonzero(starts) * 4 + first
                if ((data[at - 1] == BACKSLASH) & (data[np.minimum(at + 4, len(data) - 1)] == ZERO)).any():
                    return True
        return False

    def returns(self) -> Flags:
        """Which lines end with CR LF."""
        returns: Flags = (self.data[self.ends - 1] == RETURN) & (self.ends > self.starts)
        return returns

    def have_keys(self, keys: int) -> bool:
        """Whether the objects of all lines certainly have that many keys together.

        A key ends with a quotation mark and a colon, and the mark is escaped within a text. White space between the two
        would hide a key, and is looked for. That of other kinds than spaces is rare.
        """
        if self._has_tabs():
            return False
        ends = sum(np.count_nonzero(_equal(pairs, _KEY_END, self.scratch)) for pairs in _pairs(self.data))
        if ends < keys or (ends > keys and self._key_ends() != keys):
            return False
        if not any(_equal(pairs, _SPACE_COLON, self.scratch).any() for pairs in _pairs(self.data)):
            return True
        for first, pairs in enumerate(_pairs(self.data)):
            spaced = _equal(pairs, _QUOTE_SPACE, self.scratch)
            if spaced.any() and self._hide_keys(np.flatnonzero(spaced) * 2 + first):
                return False
        return True

    def _key_ends(self) -> int:
        """How many quotation marks are followed by a colon and not certainly escaped."""
        pairs = enumerate(_pairs(self.data))
        marks = [np.flatnonzero(_equal(two, _KEY_END, self.scratch)) * 2 + first for first, two in pairs]
        return int(np.count_nonzero(~self._escaped(np.concatenate(marks))))

    def _lacks(self, byte: bytes) -> bool:
        return self.source.find(byte, 0, len(self.data)) < 0

    def _has_tabs(self) -> bool:
        """Whether there is white space that is neither a space nor the end of a line."""
        if not self._lacks(b"\t"):
            return True
        if self._lacks(b"\r"):
            return False
        returns: Flags = _equal(self.data, RETURN, self.scratch)
        return bool(np.count_nonzero(returns) != np.count_nonzero(self.returns()))

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
        colons = _positions(data, COLON, self.scratch)
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


def lines_of_bytes(source: bytes | bytearray, size: int | None = None, scratch: Flags | None = None) -> Lines:
    """The lines of a block, the first `size` bytes of `source`, which ends with a line break.

    `scratch` is used again where it is long enough.
    """
    data = np.frombuffer(source, np.uint8, len(source) if size is None else size)
    if scratch is None or len(scratch) < len(data):
        scratch = np.empty(len(data), np.bool_)
    ends = _positions(data, NEWLINE, scratch)
    starts = np.empty(len(ends), np.int64)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    return Lines(source, data, starts, ends, scratch)


def _equal(values: NDArray[Any], wanted: int, scratch: Flags) -> Flags:
    """Which values are the one wanted, in the scratch memory: good until the next use of it."""
    flags: Flags = np.equal(values, values.dtype.type(wanted), out=scratch[: len(values)])
    return flags


def _positions(data: Bytes, byte: int, scratch: Flags) -> Positions:
    """Where a rare byte stands; looked for in pieces, whose flags stay in the processor's cache."""
    starts = range(0, len(data), _PIECE_BYTES)
    pieces = (data[start : start + _PIECE_BYTES] for start in starts)
    return np.concatenate([_where(_equal(piece, byte, scratch)) + at for at, piece in zip(starts, pieces, strict=True)])


def _where(flags: Flags) -> Positions:
    """Where rare flags are.

    Eight of them are looked at as one number first: most such numbers are zero, and a search among fewer is quicker.
    """
    whole = len(flags) // 8 * 8
    some = (flags[:whole].view("<u8") != 0).nonzero()[0]
    at = flags[:whole].reshape(-1, 8)[some].ravel().nonzero()[0]
    return np.concatenate((some[at >> 3] * 8 + (at & 7), np.flatnonzero(flags[whole:]) + whole))


def _pairs(data: Bytes) -> Iterator[NDArray[np.uint16]]:
    """All neighbouring bytes as numbers of 16 bits: those that begin at even places, then the others."""
    for start in (0, 1):
        yield data[start : start + (len(data) - start) // 2 * 2].view("<u2")
