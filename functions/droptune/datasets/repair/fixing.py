"""The pass over a file that writes its corrected copy, block by block."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from ..blocks import Block
from ..formats import commonest_format
from ..layout import wrong_layout
from ..rowformat import Problem, RowFormat
from ..setaside import SetAside
from .arrays import elements
from .encodings import Layers
from .mending import DEFAULT, MendedRow, Mender, Options
from .outcome import Fixed
from .pieces import Lines, Piece
from .reading import read_piece
from .tables import Opened, fix_table, is_table

LOOKED_AT = 64 * 1024  # of a file's bytes, to find out whether it has lines
FIRST_VALUES = 2_000  # among which a row of a known format is looked for, where the file need not be corrected
_NOT_TEXT = frozenset({"FILE-ZIP", "FILE-PARQUET"})
_NOTHING = codecs.BOM_UTF8 + b" \t\r\n\0"
MOST_EXACT = 2.0**53  # larger whole numbers are no longer told apart by `float`


def fix_stream(
    opened: Opened,
    out: BinaryIO,
    removed: SetAside,
    options: Options = DEFAULT,
    fmt: RowFormat | None = None,
) -> Fixed:
    """Write the right rows of a file to `out`, those that can be put right among them, and the others to `removed`.

    The file is opened twice: first for a look at its format, unless `fmt` says it.
    """
    result = Fixed()
    with opened() as stream:
        head = Layers(stream).stream.read(LOOKED_AT)
        layout = wrong_layout(head)
    if layout in _NOT_TEXT:
        result.refused = layout
        return result
    if fmt is None and is_table(head):
        return fix_table(opened, out, removed)
    is_array = layout == "FILE-ARRAY"
    fmt = fmt or _format(opened, options, is_array=is_array)
    if fmt is None:
        result.refused = "FORMAT-UNKNOWN" if head.strip(_NOTHING) else "FILE-EMPTY"
        return result
    result.format = fmt.name
    with opened() as stream:
        layers = Layers(stream)
        result.changes.add(layers.changes, 1)
        fixer = _Fixer(fmt, options, out, removed, result)
        if is_array:
            fixer.take_array(layers.stream)
        else:
            fixer.take_lines(layers.stream)
        result.damaged = layers.damaged
    result.removed = removed.rows
    return result


def format_to_fix(opened: Opened) -> RowFormat | None:
    """The format of a file's first rows as they read once they are put right; None when it is none that is known."""
    with opened() as stream:
        layout = wrong_layout(Layers(stream).stream.read(LOOKED_AT))
    return None if layout in _NOT_TEXT else _format(opened, DEFAULT, is_array=layout == "FILE-ARRAY", most=FIRST_VALUES)


def _format(opened: Opened, options: Options, *, is_array: bool, most: int | None = None) -> RowFormat | None:
    with opened() as stream:
        return commonest_format(islice(_values(Layers(stream).stream, is_array, options), most))


def _values(stream: BinaryIO, is_array: bool, options: Options) -> Iterator[Any]:
    """What can be read in a file, value by value, and None for what cannot be."""
    lines = Lines(stream)
    pieces = elements(stream) if is_array else chain.from_iterable(map(lines.pieces, lines))
    readings = (read_piece(piece.raw, options.encoding) for piece in pieces if not piece.huge)
    for reading in readings:
        if reading.values:
            yield from (value.value for value in reading.values)
        else:
            yield None


class _Fixer:
    def __init__(self, fmt: RowFormat, options: Options, out: BinaryIO, removed: SetAside, result: Fixed) -> None:
        self._mender = Mender(fmt, options)
        self._options = options
        self._out = out
        self._removed = removed
        self._result = result
        self._seen: dict[bytes, int] = {}  # digests of rows, and the line of each

    def take_array(self, stream: BinaryIO) -> None:
        self._result.changes.add(["array"], 1)
        for piece in elements(stream):
            self._take(piece)

    def take_lines(self, stream: BinaryIO) -> None:
        lines = Lines(stream)
        for block in lines:
            if block.huge or not (self._take_as_it_is(block) or lines.cut(block)):
                for piece in lines.pieces(block):
                    self._take(piece)
        if lines.ends_within_line:
            self._result.changes.add(["final_newline"], lines.lines)

    def _take_as_it_is(self, block: Block) -> bool:
        """Write a block of right rows; False when some may not be right, or have to be compared."""
        data = block.data
        returns = data.count(b"\r\n")
        if returns:
            data = data.replace(b"\r\n", b"\n")
        if self._options.deduplicate or not self._mender.judge.all_right(data):
            return False
        self._out.write(data if data.endswith(b"\n") else data + b"\n")
        self._result.kept += data.count(b"\n") + (not data.endswith(b"\n"))
        if returns:
            line = block.first_line + block.data.count(b"\n", 0, block.data.index(b"\r\n"))
            self._result.changes.add(["crlf"], line, returns)
        return True

    def _take(self, piece: Piece) -> None:
        mended = self._mender.piece(piece)
        if not mended.rows:
            self._result.changes.add(["blank"], piece.line)
        elif any([self._take_row(piece, row) for row in mended.rows]):
            self._result.changes.add(mended.changes, piece.line)

    def _take_row(self, piece: Piece, row: MendedRow) -> bool:
        """Write a row, or set it aside; whether it was written."""
        wrong = row.wrong or self._repeated(row.line, piece)
        if wrong:
            self._removed.add_problems(piece.line, piece.offset, row.raw, wrong)
        else:
            self._result.changes.add(row.changes, piece.line)
            self._out.write(row.line + b"\n")
            self._result.kept += 1
        return not wrong

    def _repeated(self, line: bytes, piece: Piece) -> list[Problem]:
        """What is wrong with a row that was there before, if that is asked for."""
        if not self._options.deduplicate:
            return []
        value = json.loads(line, parse_int=_comparable, parse_float=_comparable)
        digest = hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).digest()
        if digest not in self._seen:
            self._seen[digest] = piece.line
            return []
        return [Problem("DUPLICATE-ROW", "", {"found": self._seen[digest]})]


def _comparable(digits: str) -> float | list[str]:
    """A number, or its digits in a list where it is too large to be told from others."""
    number = float(digits)
    return number if abs(number) < MOST_EXACT else [digits]
