"""Lines that may hold a secret or an e-mail address, told from the bytes of a block, at the price of reading them once.

Each kind has a few bytes in a row that announce it, such as ``AKIA`` or ``@``. All are looked for together: for each of
four places a table says which of them may have a byte there, and where all four tables agree on one, it may be there.
What is found for another reason only costs a look at the row's text. Nothing that the patterns would find is missed but
a name of a password of which some letters are wide or escaped in Japanese and others are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from string import ascii_letters, digits, hexdigits
from typing import NamedTuple

import numpy as np
import stringzilla
from numpy.typing import NDArray

from ..located import Located
from ..structure import BACKSLASH

Ints = NDArray[np.int64]
Bits = NDArray[np.uint8]
# The bytes that may stand at each of four places.
Four = tuple[bytes, bytes, bytes, bytes]

_STEP = 128 * 1024  # bytes looked at in one go: what is made of them stays in the processor's cache
_FEW = 16
_ANY = bytes(range(256))
_WORD = (ascii_letters + digits + "_-").encode()
# What may follow a name that is given a value: a quotation mark, a space, a sign, an escape or a wide sign.
_AFTER_NAME = b"\"' \t=:\\" + bytes(range(128, 256))


class Suspects(NamedTuple):
    """Lines of a file in order, and which of the `_KINDS` each may hold, a bit for each."""

    lines: Ints
    kinds: Bits


class _Kind(NamedTuple):
    """Codes of findings that share a bit, and what announces them: what shares one is to be rare when mixed, too."""

    codes: frozenset[str]
    announced_by: Sequence[Four]


def _any_case(*places: bytes) -> Four:
    first, second, third, fourth = (place + place.upper() for place in places)
    return first, second, third, fourth


_PASSWORD = "SECRET-PASSWORD"
_KINDS = (
    _Kind(frozenset({"PERSONAL-EMAIL", _PASSWORD}), [(b"@", _ANY, _ANY, _ANY)]),
    _Kind(  # the last one is the third letter of パスワード as an escape
        frozenset({"SECRET-AWS", "SECRET-GOOGLE", "SECRET-TOKEN", _PASSWORD}),
        [
            *((b"A", b"KS", b"I", b"A"), (b"A", b"I", b"z", b"a"), (b"g", b"l", b"p", b"a"), (b"n", b"p", b"m", b"_")),
            _any_case(b"3", b"0", b"e", b"f"),
        ],
    ),
    _Kind(
        frozenset({"SECRET-GITHUB", "SECRET-GOOGLE"}),
        [(b"g", b"h", b"pousr", b"_"), (b"_", b"p", b"a", b"t"), (b"y", b"a", b"2", b"9")],
    ),
    _Kind(
        frozenset({"SECRET-OPENAI", _PASSWORD}),
        [(b"s", b"k", b"-", _WORD), _any_case(b"p", b"w", b"d", _AFTER_NAME)],
    ),
    _Kind(
        frozenset({"SECRET-SLACK", "SECRET-JWT", "SECRET-PRIVATE-KEY", "SECRET-TOKEN"}),
        [
            *((b"x", b"o", b"x", b"abeoprs"), (b"e", b"y", b"J", _WORD), (b"-", b"B", b"E", b"G")),
            *((b"s", b"k", b"_", b"l"), (b"h", b"f", b"_", ascii_letters.encode()), (b"S", b"G", b".", _WORD)),
        ],
    ),
    # Password, passwd and passphrase; secret. Their wide forms have this bit, too.
    _Kind(frozenset({_PASSWORD}), [_any_case(b"a", b"s", b"s", b"wp"), _any_case(b"s", b"e", b"c", b"r")]),
    # API and access keys; tokens; the end of the second letter and the third letter of パスワード.
    _Kind(
        frozenset({_PASSWORD}),
        [
            _any_case(b"is_-", b"k", b"e", b"y"),
            _any_case(b"hs_-", b"t", b"o", b"k"),
            (b"\xb9", b"\xe3", b"\x83", b"\xaf"),
        ],
    ),
)
# Letters and signs of announcements that are written as JSON escapes: they could be any of them.
_HIDDEN = 1 << len(_KINDS)
_ESCAPES: Sequence[Four] = [(b"u", b"0fF", b"0fF", digits.encode())]
_SIGNS = ascii_letters + digits + "@-_."
# Wide forms, each with the bit of its kind: of @, and of letters of which each name has one that is given a value.
_WIDE_LEAD = 0xEF
_WIDE = {"＠": 1 << 0, **dict.fromkeys("ｓｗｋＳＷＫﾜ", 1 << 5)}


def codes_of(kinds: int) -> frozenset[str]:
    """The codes of findings that a line may be due, given its bits."""
    return frozenset().union(*(kind.codes for bit, kind in enumerate(_KINDS) if kinds & (1 << bit | _HIDDEN)))


def suspects(block: Located) -> Suspects:
    """The lines of a block that have an announcement."""
    data = block.lines.data
    places, kinds = _announcements(block.raw)
    if (escapes := (kinds & _HIDDEN) != 0).any():
        kinds[escapes] = kinds[escapes] & _HIDDEN - 1 | _hiding()[_escaped(data, places[escapes])]
    if stringzilla.find(block.raw, bytes([_WIDE_LEAD])) >= 0:
        wide = np.flatnonzero(data == _WIDE_LEAD)
        places, kinds = np.concatenate((places, wide)), np.concatenate((kinds, _hiding()[_wide(data, wide)]))
    places, kinds = places[kinds != 0], kinds[kinds != 0]
    if not len(places):
        return Suspects(places, kinds)
    order = np.argsort(places, kind="stable")
    on = np.searchsorted(block.lines.ends, places[order])
    first = np.flatnonzero(np.diff(on, prepend=-1))
    return Suspects(block.first_line + on[first], np.bitwise_or.reduceat(kinds[order], first))


def _announcements(view: memoryview) -> tuple[Ints, Bits]:
    """Where a block may have an announcement, and of which kinds."""
    places, kinds = [np.zeros(0, np.int64)], [np.zeros(0, np.uint8)]
    for start in range(0, len(view) - 3, _STEP):
        end = min(start + _STEP, len(view) - 3)
        marks = _translated(view[start:end], 0)
        for place in range(1, 4):
            marks = marks & _translated(view[start + place : end + place], place)
        if len(found := _set(marks)):
            places.append(found + start)
            kinds.append(marks[found])
    return np.concatenate(places), np.concatenate(kinds)


def _set(marks: Bits) -> Ints:
    """The places of what is not 0: searched for one by one while they are few, as they most often are."""
    few: list[int] = []
    at = stringzilla.find_first_not_of(marks.data, b"\0")
    while at >= 0 and len(few) < _FEW:
        few.append(at)
        at = stringzilla.find_first_not_of(marks.data, b"\0", at + 1)
    return np.array(few, np.int64) if at < 0 else np.flatnonzero(marks != 0)


def _translated(view: memoryview, place: int) -> Bits:
    return np.frombuffer(stringzilla.translate(view, _tables()[place]), np.uint8)


@cache
def _tables() -> tuple[bytes, ...]:
    """For each of four places, the kinds that each byte may announce there, as bits."""
    tables = np.zeros((4, 256), np.uint8)
    for bit, announced_by in enumerate([*(kind.announced_by for kind in _KINDS), _ESCAPES]):
        for four in announced_by:
            for place, values in enumerate(four):
                tables[place, list(values)] |= 1 << bit
    return tuple(map(bytes, tables))


def _escaped(data: NDArray[np.uint8], places: Ints) -> Ints:
    """The characters of the escapes whose ``u`` is at these places; 0 where there is no backslash before it."""
    four = data.take(places[:, None] + np.arange(1, 5), mode="clip")
    characters: Ints = _hexadecimal()[four] @ np.array([0x1000, 0x100, 0x10, 1])
    characters[data[places - 1] != BACKSLASH] = 0
    return characters


def _wide(data: NDArray[np.uint8], places: Ints) -> Ints:
    """The characters whose first of three bytes is at these places."""
    two = data.take(places[:, None] + np.arange(1, 3), mode="clip").astype(np.int64) & 0x3F
    return 0xF000 | two[:, 0] << 6 | two[:, 1]


@cache
def _hexadecimal() -> Ints:
    """The value of each byte as a hexadecimal digit; 0 for any other."""
    values = np.zeros(256, np.int64)
    for digit in hexdigits:
        values[ord(digit)] = int(digit, 16)
    return values


@cache
def _hiding() -> Bits:
    """For each character below U+10000 the kinds that it may announce when it is escaped or wide."""
    kinds = np.zeros(0x10000, np.uint8)
    kinds[list(map(ord, _SIGNS))] = _HIDDEN
    for wide, kind in _WIDE.items():
        kinds[ord(wide)] = kind
    return kinds
