"""A file of one format written as a file of another, block by block; rows that cannot be are set aside with reasons."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import msgspec

from ..blocks import MAX_LINE_BYTES, Block, blocks, lines_of
from ..judging import Judge, errors
from ..rowformat import Problem, RowFormat
from ..setaside import SetAside
from . import CannotConvert, Loss, converted


class Tally(NamedTuple):
    """How many rows something concerns, and the line of the first."""

    rows: int
    first_line: int


@dataclass
class Converted:
    """What became of a file."""

    written: int = 0
    rejected: int = 0
    blank: int = 0
    lost: dict[Loss, Tally] = field(default_factory=dict)


class _Row(NamedTuple):
    line: int
    offset: int
    raw: bytes
    value: Any


def convert_stream(
    stream: BinaryIO, source: RowFormat, target: RowFormat, out: BinaryIO, rejected: SetAside
) -> Converted:
    """Write every row that has a form in the target's format to `out`, and the others to `rejected`."""
    return _Conversion(source, target, out, rejected).run(stream)


class _Conversion:
    def __init__(self, source: RowFormat, target: RowFormat, out: BinaryIO, rejected: SetAside) -> None:
        self._source, self._target = Judge(source), Judge(target)
        self._out, self._rejected = out, rejected
        self._decode_lines = msgspec.json.Decoder().decode_lines
        self._encode = msgspec.json.Encoder().encode_lines
        self._result = Converted()

    def run(self, stream: BinaryIO) -> Converted:
        for block in blocks(stream):
            self._convert(self._rows(block))
        self._result.rejected = self._rejected.rows
        return self._result

    def _rows(self, block: Block) -> Iterator[_Row]:
        """The right rows of a block; the others are set aside."""
        if block.huge:
            huge = Problem("LINE-TOO-LONG", "", {"limit": MAX_LINE_BYTES})
            self._rejected.add_problems(block.first_line, block.offset, block.data, [huge])
        elif self._source.all_right(block.data):
            for (number, offset, raw), value in zip(lines_of(block), self._decode_lines(block.data), strict=True):
                yield _Row(number, offset, raw, value)
        else:
            yield from self._judged(block)

    def _judged(self, block: Block) -> Iterator[_Row]:
        for number, offset, raw in lines_of(block):
            line = raw.removeprefix(BOM_UTF8) if number == 1 else raw
            if not line.strip():
                self._result.blank += 1
                continue
            value, problems = self._source.line(line)
            if wrong := errors(problems):
                self._rejected.add_problems(number, offset, raw, wrong)
            else:
                yield _Row(number, offset, raw, value)

    def _convert(self, rows: Iterator[_Row]) -> None:
        """Write a block's rows. What was written is judged as a whole, and row by row only if that finds something."""
        source, target = self._source.format.name, self._target.format.name
        done: list[tuple[_Row, dict[str, object], set[Loss]]] = []
        for row in rows:
            lost: set[Loss] = set()
            try:
                done.append((row, converted(row.value, source, target, lost), lost))
            except CannotConvert as reason:
                self._rejected.add(row.line, row.offset, row.raw, str(reason))
        written = self._encode([value for _, value, _ in done])
        if not self._target.all_right(written):
            done = [one for one in done if self._fits(one[0], one[1])]
            written = self._encode([value for _, value, _ in done])
        self._out.write(written)
        self._result.written += len(done)
        for row, _, lost in done:
            if lost:
                self._note(lost, row.line)

    def _fits(self, row: _Row, value: dict[str, object]) -> bool:
        """Whether a converted row breaks no rule of the target's format; it is set aside if it does."""
        wrong = errors(self._target.row(value))
        if wrong:
            self._rejected.add_problems(row.line, row.offset, row.raw, wrong)
        return not wrong

    def _note(self, lost: set[Loss], line: int) -> None:
        for loss in lost:
            before = self._result.lost.get(loss)
            self._result.lost[loss] = Tally(1, line) if before is None else before._replace(rows=before.rows + 1)
