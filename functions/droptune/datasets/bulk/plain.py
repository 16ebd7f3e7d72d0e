"""In Python and numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import stringzilla
from numpy.typing import NDArray

_RETURN, _QUOTE, _COLON, _BACKSLASH = b'\r":\\'
_SPACES = np.zeros(256, np.bool_)
_SPACES[[0x09, 0x0A, 0x0D, 0x20]] = True
# More white space than that before a colon is no longer followed: it could go on for megabytes, a byte at a time.
_MOST_SPACES = 16


def lengths(texts: Sequence[str]) -> NDArray[np.int32]:
    """The characters of each text."""
    return np.fromiter(map(len, texts), np.int32, len(texts))


def blanks(texts: Sequence[str]) -> list[int]:
    """The positions of texts that are empty or white space only. Raises TypeError where one is no text."""
    if "" not in texts and not any(map(str.isspace, texts)):
        return []
    return [at for at, text in enumerate(texts) if not text or text.isspace()]


def hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """A number for each text, the same for equal ones; it holds in this process and those that it forks."""
    return np.fromiter(map(hash, texts), np.int64, len(texts)).view(np.uint64)


def counts(texts: Sequence[str]) -> dict[str, int]:
    """How often each text occurs."""
    return Counter(texts)


def line_ends(block: bytes | memoryview) -> NDArray[np.int64]:
    """The positions of the line breaks in a block that ends with one."""
    # A search for each line break in turn: quicker than a comparison of every byte, even where lines are short.
    sizes = np.fromiter(map(len, stringzilla.Str(block).split_iter(b"\n")), np.int64)[:-1]
    return np.cumsum(sizes + 1) - 1


def with_more_keys(
    block: bytes | memoryview, ends: NDArray[np.int64], keys: NDArray[np.int64], at: Sequence[int] | None = None
) -> list[int]:
    """The positions in `at`, which are lines, of those whose objects may have more keys than `keys` says, never fewer.

    They have, or a text on them looks like the end of a key: it begins with a colon, or has many escapes or spaces.
    `ends` are the positions of all line breaks; without `at`, all lines are meant.
    """
    if _have_keys(block, ends, int(keys.sum()), at):
        return []
    each = _keys_of_each(block, ends)
    other: list[int] = np.flatnonzero((each if at is None else each[at]) != keys).tolist()
    return other


def _have_keys(block: bytes | memoryview, ends: NDArray[np.int64], keys: int, at: Sequence[int] | None) -> bool:
    """Whether the objects of some lines certainly have that many keys together.

    A key ends with a quotation mark and a colon, and the mark is escaped within a text. White space between the two
    would hide a key, and is looked for.
    """
    others = [] if at is None else np.setdiff1d(np.arange(len(ends)), at).tolist()
    left_out = [block[ends[line - 1] + 1 if line else 0 : ends[line]] for line in others]
    keys += sum(_count(line, b'":') for line in left_out)
    found = _count(block, b'":')
    if found > keys:
        found -= _escaped(block, b'":') - sum(_escaped(line, b'":') for line in left_out)
    return found == keys and not _spaced_keys(block, ends)


def _spaced_keys(block: bytes | memoryview, ends: NDArray[np.int64]) -> bool:
    """Whether there may be white space between a key and its colon."""
    if _has(block, b"\t"):
        return True  # it cannot be in a text, and nor can a CR
    if _has(block, b"\r") and _count(block, b"\r") != np.count_nonzero(
        np.frombuffer(block, np.uint8)[ends - 1] == _RETURN
    ):
        return True
    if not _has(block, b" :"):
        return False
    return _has(block, b"  :") or _count(block, b'" :') != _escaped(block, b'" :')


def _keys_of_each(block: bytes | memoryview, ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of keys on each line, or more where that cannot be told from a few bytes."""
    data = np.frombuffer(block, np.uint8)
    colons = np.flatnonzero(data == _COLON)
    before = np.maximum(colons - 1, 0)
    for _ in range(_MOST_SPACES):
        spaces = _SPACES[data[before]] & (before > 0)
        if not spaces.any():
            break
        before = before - spaces
    # Escaped: after one backslash, not two, of which one escapes the other.
    escaped = (data[np.maximum(before - 1, 0)] == _BACKSLASH) & (data[np.maximum(before - 2, 0)] != _BACKSLASH)
    keys = ((data[before] == _QUOTE) & ~escaped) | _SPACES[data[before]]
    return np.diff(np.searchsorted(colons[keys], ends), prepend=0)


def _has(block: bytes | memoryview, mark: bytes) -> bool:
    return bool(stringzilla.find(block, mark) >= 0)


def _count(block: bytes | memoryview, mark: bytes) -> int:
    return int(stringzilla.count(block, mark))


def _escaped(block: bytes | memoryview, mark: bytes) -> int:
    """How often a mark that begins with a quotation mark is certainly escaped: after one backslash, not two."""
    once = _count(block, b"\\" + mark)
    return once - _count(block, b"\\\\" + mark) if once else 0
