"""The pass over a file that writes its corrected copy, block by block."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple

from ..blocks import MAX_LINE_BYTES, Block
from ..judging import SAMPLED_ROWS, Judge, commonest_format
from ..layout import wrong_layout
from ..lines import judge
from ..rowformat import Problem, RowFormat, Values
from ..rules import rule
from ..setaside import SetAside
from .arrays import elements
from .encodings import Layers
from .outcome import Fixed
from .pieces import Lines, Piece
from .reading import PieceReading, read_piece
from .rows import drop_unknown, repair_row
from .syntax import Value
from .tables import fix_table, is_table
from .texts import without_nul

LOOKED_AT = 64 * 1024  # of a file's bytes, to find out whether it has lines
_NOT_TEXT = frozenset({"FILE-ZIP", "FILE-PARQUET"})
_NOTHING = codecs.BOM_UTF8 + b" \t\r\n\0"
_NO_PLACE: Values = {"position": 1, "found": "", "reason": "not certain"}


class Options(NamedTuple):
    """What is done only when asked for: `encoding` is that of lines that are no UTF-8."""

    encoding: str | None = None
    drop_unknown: bool = False
    deduplicate: bool = False


DEFAULT = Options()


def fix_stream(
    opened: Callable[[], BinaryIO],
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
    if fmt is None:
        with opened() as stream:
            fmt = commonest_format(_first_rows(Layers(stream).stream, is_array, options))
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


def _first_rows(stream: BinaryIO, is_array: bool, options: Options) -> Iterator[dict[str, Any]]:
    """The first objects that can be read in a file."""
    lines = Lines(stream)
    pieces = elements(stream) if is_array else chain.from_iterable(map(lines.pieces, lines))
    readings = (read_piece(piece.raw, options.encoding) for piece in pieces if not piece.huge)
    values = (value.value for reading in readings for value in reading.values)
    return islice((value for value in values if isinstance(value, dict)), SAMPLED_ROWS)


class _Fixer:
    def __init__(self, fmt: RowFormat, options: Options, out: BinaryIO, removed: SetAside, result: Fixed) -> None:
        self._judge = Judge(fmt)
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
        if self._options.deduplicate or not self._judge.all_right(data):
            return False
        self._out.write(data if data.endswith(b"\n") else data + b"\n")
        self._result.kept += data.count(b"\n") + (not data.endswith(b"\n"))
        if returns:
            line = block.first_line + block.data.count(b"\n", 0, block.data.index(b"\r\n"))
            self._result.changes.add(["crlf"], line, returns)
        return True

    def _take(self, piece: Piece) -> None:
        if piece.huge:
            self._remove(piece, piece.raw, [Problem("LINE-TOO-LONG", "", {"most": MAX_LINE_BYTES})])
            return
        reading = read_piece(piece.raw, self._options.encoding)
        if reading.is_blank:
            self._result.changes.add(["blank"], piece.line)
        elif not reading.values:
            self._remove(piece, piece.raw, _wrong(judge(piece.raw)[1]) or [Problem("JSON-SYNTAX", "", _NO_PLACE)])
        else:
            kept = [self._take_row(piece, value, reading) for value in reading.values]
            if any(kept):
                self._result.changes.add(reading.changes, piece.line)

    def _take_row(self, piece: Piece, value: Value, reading: PieceReading) -> bool:
        """Write a row as it is or put right, or set it aside; whether it was written."""
        line = _encoded(value.value) if reading.is_rewritten else value.text.encode("utf-8", "surrogatepass")
        found = self._judge.line(line)[1]
        if found and isinstance(value.value, dict):
            better, kinds = self._put_right(value.value, found)
            if kinds and not _wrong(self._judge.line(better)[1]):
                self._result.changes.add(kinds, piece.line)
                line, found = better, []
        wrong = _wrong(found) or self._repeated(line, piece)
        if wrong:
            raw = piece.raw if len(reading.values) == 1 else value.text.encode("utf-8", "surrogatepass")
            self._remove(piece, raw, wrong)
        else:
            self._out.write(line + b"\n")
            self._result.kept += 1
        return not wrong

    def _put_right(self, value: dict[str, Any], found: list[Problem]) -> tuple[bytes, set[str]]:
        """A row with all repairs of its format, and their kinds."""
        row = deepcopy(value)
        kinds = repair_row(row, self._judge.format.name)
        if any(problem.code == "NUL-ESCAPE" for problem in found):
            row = without_nul(row)
            kinds.add("nul")
        if self._options.drop_unknown:
            kinds |= drop_unknown(row, self._judge.row(row))
        return _encoded(row), kinds

    def _repeated(self, line: bytes, piece: Piece) -> list[Problem]:
        """What is wrong with a row that was there before, if that is asked for."""
        if not self._options.deduplicate:
            return []
        same = json.dumps(json.loads(line), sort_keys=True).encode()
        digest = hashlib.blake2b(same, digest_size=16).digest()
        if digest not in self._seen:
            self._seen[digest] = piece.line
            return []
        return [Problem("DUPLICATE-ROW", "", {"found": self._seen[digest]})]

    def _remove(self, piece: Piece, raw: bytes, problems: list[Problem]) -> None:
        self._removed.add_problems(piece.line, piece.offset, raw, problems)


def _wrong(problems: Iterable[Problem]) -> list[Problem]:
    """Those for which a row is set aside: errors, and what the rules say to remove."""
    definitions = ((problem, rule(problem.code)) for problem in problems)
    return [problem for problem, its in definitions if its.severity == "error" or its.remedy == "remove"]


def _encoded(value: Any) -> bytes:
    """A value as one line of JSON; half a surrogate pair is written as an escape, to be found there."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")
