"""A piece of a file put right, as far as that is certain: what is written of it, and what is wrong with the rest."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

from ..blocks import MAX_LINE_BYTES
from ..judging import Judge, errors
from ..lines import judge
from ..rowformat import Problem, RowFormat, Values
from .pieces import Piece
from .reading import PieceReading, read_piece
from .rows import drop_unknown, repair_row
from .syntax import Unreadable, Value, as_json
from .texts import without_nul

_NO_PLACE: Values = {"position": 1, "found": "", "reason": "not certain"}


class Options(NamedTuple):
    """What is done only when asked for: `encoding` is that of lines that are no UTF-8."""

    encoding: str | None = None
    drop_unknown: bool = False
    deduplicate: bool = False


DEFAULT = Options()


class MendedRow(NamedTuple):
    """A row as one line, the kinds of what was put right in it, and the errors for which it is to be set aside.

    `raw` are its bytes as they stand in the file.
    """

    line: bytes
    raw: bytes
    changes: frozenset[str] = frozenset()
    wrong: tuple[Problem, ...] = ()


class MendedPiece(NamedTuple):
    """The rows of a piece, none where it is blank, and the kinds of what was put right to read them."""

    rows: tuple[MendedRow, ...]
    changes: frozenset[str] = frozenset()

    @property
    def is_right(self) -> bool:
        """Whether every row of the piece can be written."""
        return not any(row.wrong for row in self.rows)


class Mender:
    """Puts pieces of one format right."""

    def __init__(self, fmt: RowFormat, options: Options = DEFAULT) -> None:
        self.judge = Judge(fmt)
        self._options = options

    def piece(self, piece: Piece) -> MendedPiece:
        """The rows of a piece, put right or with what is wrong with them."""
        if piece.huge:
            return _wrong(piece.raw, [Problem("LINE-TOO-LONG", "", {"most": MAX_LINE_BYTES})])
        reading = read_piece(piece.raw, self._options.encoding)
        if reading.is_blank:
            return MendedPiece((), reading.changes)
        if not reading.values:
            return _wrong(piece.raw, errors(judge(piece.raw)[1]))
        try:
            rows = tuple(self._row(value, reading, piece.raw) for value in reading.values)
        except Unreadable:
            return _wrong(piece.raw, errors(judge(piece.raw)[1]))
        return MendedPiece(rows, reading.changes)

    def _row(self, value: Value, reading: PieceReading, whole: bytes) -> MendedRow:
        """One row; Unreadable where what was read cannot be written."""
        text = value.text.encode("utf-8", "surrogatepass")
        line = _encoded(value.value) if reading.is_rewritten else text
        raw = whole if len(reading.values) == 1 else text
        found = self.judge.line(line)[1]
        if found and isinstance(value.value, dict):
            try:
                better, kinds = self._put_right(value.value, found)
            except (Unreadable, RecursionError):  # nested too deeply to be copied
                return MendedRow(line, raw, wrong=tuple(errors(found)))
            if kinds and not errors(self.judge.line(better)[1]):
                return MendedRow(better, raw, frozenset(kinds))
        return MendedRow(line, raw, wrong=tuple(errors(found)))

    def _put_right(self, value: dict[str, Any], found: list[Problem]) -> tuple[bytes, set[str]]:
        """A row with all repairs of its format, and their kinds."""
        row = deepcopy(value)
        kinds = repair_row(row, self.judge.format.name)
        if any(problem.code == "NUL-ESCAPE" for problem in found):
            row = without_nul(row)
            kinds.add("nul")
        if self._options.drop_unknown:
            kinds |= drop_unknown(row, self.judge.row(row))
        return _encoded(row), kinds


def _wrong(raw: bytes, problems: list[Problem]) -> MendedPiece:
    """A piece that cannot be read with certainty."""
    return MendedPiece((MendedRow(raw, raw, wrong=tuple(problems or [Problem("JSON-SYNTAX", "", _NO_PLACE)])),))


def _encoded(value: Any) -> bytes:
    """A value as one line of JSON; half a surrogate pair is written as an escape, to be found there."""
    text = as_json(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return as_json(value, ascii_only=True).encode("ascii")
