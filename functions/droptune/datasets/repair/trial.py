"""What a correction would do with a file, or with some of its lines, without writing anything."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from ..rowformat import RowFormat
from ..setaside import SetAside
from .fixing import fix_stream
from .mending import Mender
from .outcome import Fixed
from .pieces import Lines
from .tables import Opened, fix_table

MOST_BYTES = 4 * 1024 * 1024  # of a corrected copy, which is held in memory
MOST_WRITES = 10_000  # of blocks as they were, and of rows that had to be read one by one: under a second


class Trial(NamedTuple):
    """What came of a trial: the corrected copy, None where rows would be lost or where it was given up for its size."""

    copy: bytes | None = None
    given_up: bool = False


def lost_lines(raw: bytes, mender: Mender) -> set[int]:
    """Which of these lines, counted from 0, hold something that would be set aside."""
    lost: set[int] = set()
    lines = Lines(io.BytesIO(raw), len(raw))
    for block in lines:
        for piece in lines.pieces(block):
            if not mender.piece(piece).is_right:
                lost.update(range(piece.line - 1, piece.line - 1 + piece.lines))
    return lost


def try_to_fix(opened: Opened, fmt: RowFormat) -> Trial:
    """The trial on a whole file of rows, up to the first that would be set aside."""
    return _tried(lambda copy, aside: fix_stream(opened, copy, aside, fmt=fmt))


def try_to_fix_table(opened: Opened) -> Trial:
    """The trial on a table of labels."""
    return _tried(lambda copy, aside: fix_table(opened, copy, aside))


def _tried(fix: Callable[[BinaryIO, SetAside], Fixed]) -> Trial:
    copy = _Copy()
    try:
        result = fix(copy, SetAside(_lost))
    except _Lost:
        return Trial()
    except _TooMuch:
        return Trial(given_up=True)
    return Trial(None if result.refused or result.damaged else copy.getvalue())


class _Lost(Exception):
    """A row would be set aside."""


class _TooMuch(Exception):
    """The copy became too large, or took too many writes."""


def _lost() -> BinaryIO:
    raise _Lost


class _Copy(io.BytesIO):
    def __init__(self) -> None:
        super().__init__()
        self._writes = 0

    def write(self, data: Any) -> int:
        self._writes += 1
        if self._writes > MOST_WRITES or self.tell() + len(data) > MOST_BYTES:
            raise _TooMuch
        return super().write(data)
