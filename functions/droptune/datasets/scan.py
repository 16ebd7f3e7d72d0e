"""One pass over a file: every finding about its lines, and what its rows amount to.

Lines take a fast path, a typed decode and a few checks. A line that fails there is judged again from its raw value,
which lists all of its problems. Memory is bounded by one line, one read, and the index of prompts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

import msgspec

from . import FORMATS, OTHER_SHAPES, detect
from .blocks import MAX_LINE_BYTES, Block, blocks
from .findings import Findings, rules
from .layout import BOM, wrong_layout
from .lines import judge
from .rowformat import Problem, RowFormat
from .statistics import Rows

SAMPLED_ROWS = 200  # of the first block, to find out which format the file is in
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Scan:
    """What is known of a file; complete once `scan` returned it.

    `lines` are physical, `rows` those that are not blank. `shape` is the name of the rows' shape and `format` its
    format; both are None when no row has a known shape, the latter also for shapes that are known but not usable.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines = 0
        self.rows = 0
        self.size_bytes = 0
        self.shape: str | None = None
        self.format: RowFormat | None = None
        self.content = Rows()


def scan(stream: BinaryIO, file: str, findings: Findings) -> Scan:
    """Read the stream to its end, or to where it turns out to be no JSON Lines; findings name `file`."""
    result = Scan(file)
    scanner = _Scanner(result, findings)
    for block in blocks(stream):
        if block.first_line == 1 and (code := wrong_layout(block.data)):
            findings.add(code, file=file, line=1, offset=0)
            return result
        scanner.take(block)
    scanner.finish()
    return result


def lines_of(block: Block) -> Iterator[tuple[int, int, bytes]]:
    """Line number, byte offset and bytes without the line break, of each line of a block."""
    number, offset = block.first_line, block.offset
    pieces = block.data.split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    for piece in pieces:
        yield number, offset, piece
        number += 1
        offset += len(piece) + 1


class _Scanner:
    def __init__(self, result: Scan, findings: Findings) -> None:
        self._result = result
        self._findings = findings
        self._add = partial(findings.add, file=result.file)
        self._blank = 0
        self._seen_object = False
        self._right: list[tuple[Any, int, int]] = []  # of the block at hand: row, line, offset
        self._decode = msgspec.json.Decoder().decode

    def take(self, block: Block) -> None:
        result = self._result
        result.size_bytes = block.offset + len(block.data)
        if block.huge:
            self._too_long(block)
            return
        if result.shape is None:
            self._find_format(block)
        fmt = result.format
        # One search of the block spares every line its own: neither byte sequence is common.
        carriage_returns, nul_escapes = b"\r" in block.data, b"\\u0000" in block.data
        decode, right = self._decode, self._right
        for number, offset, line in lines_of(block):
            if carriage_returns and line.endswith(b"\r"):
                self._add("CRLF", line=number, offset=offset)
                line = line[:-1]
            if fmt is not None and not (nul_escapes and b"\\u0000" in line):
                try:
                    row = decode(line)
                except _UNDECODABLE:
                    pass
                else:
                    # In a text a quotation mark is escaped, so this counts keys (and misses those that have a space
                    # before their colon, which sends the line to the slow path).
                    if line.count(b'":') - line.count(b'\\":') == fmt.sound_keys(row):
                        right.append((row, number, offset))
                        continue
            if line and not line.isspace():
                self._judge(line, number, offset)
            else:
                self._blank += 1
                self._add("BLANK-LINE", line=number, offset=offset)
        result.lines = number
        result.rows = number - self._blank
        self._count_right()

    def finish(self) -> None:
        result = self._result
        if not result.rows:
            self._add("FILE-EMPTY", found=f"{result.size_bytes} bytes without a row")
        elif not self._seen_object:
            self._add("FILE-NOT-JSONL", found=f"none of {result.rows} lines is a JSON object")
        elif result.shape is None:
            self._add("FORMAT-UNKNOWN", found="no row with a known set of fields")
        elif result.format is None:
            self._add("FORMAT-UNAVAILABLE", found=OTHER_SHAPES[result.shape])

    def _too_long(self, block: Block) -> None:
        self._result.lines = block.first_line
        self._result.rows = block.first_line - self._blank
        self._add(
            "LINE-TOO-LONG",
            line=block.first_line,
            offset=block.offset,
            found=f"more than {MAX_LINE_BYTES:,} bytes",
            text=block.data.decode("utf-8", "replace"),
        )

    def _find_format(self, block: Block) -> None:
        """The commonest known shape among the first rows; ties go to the one seen first."""
        shapes: Counter[str] = Counter()
        decode = msgspec.json.Decoder().decode
        for number, _, line in lines_of(block):
            if number >= block.first_line + SAMPLED_ROWS and shapes:
                break
            try:
                row = decode(line.removeprefix(BOM))
            except _UNDECODABLE:
                continue
            if isinstance(row, dict) and (shape := detect(row)):
                shapes[shape] += 1
        if not shapes:
            return
        result = self._result
        result.shape = shapes.most_common(1)[0][0]
        result.format = FORMATS.get(result.shape)
        if result.format is not None:
            self._decode = msgspec.json.Decoder(result.format.row).decode

    def _judge(self, line: bytes, number: int, offset: int) -> None:
        """The slow path: everything that is wrong with a line."""
        add = partial(self._add, line=number, offset=offset)
        if number == 1 and line.startswith(BOM):
            add("BOM")
            line = line.removeprefix(BOM)
        value, problems = judge(line)
        if value is not None:
            self._seen_object = True
            problems += self._row_problems(value)
        for problem in problems:
            add(problem.code, found=problem.found, pointer=problem.pointer or None, text=problem.excerpt or None)
        fmt = self._result.format
        if value is None or fmt is None or any(rules()[p.code].severity == "error" for p in problems):
            return
        self._right.append((msgspec.convert(value, fmt.row), number, offset))

    def _row_problems(self, value: dict[str, Any]) -> list[Problem]:
        fmt = self._result.format
        if fmt is None:
            return []
        shape = detect(value)
        if shape is None or shape == fmt.name or shape in fmt.incomplete:
            return list(fmt.problems(value))
        if shape == "ambiguous":
            return [Problem("ROW-AMBIGUOUS", "", found="both `input_text` and `contents`")]
        return [Problem("FORMAT-MIXED", "", found=f"a row of shape {shape} in a file of {fmt.name} rows")]

    def _count_right(self) -> None:
        """Count the block's rows without error, and say which prompts were there before."""
        fmt, rows = self._result.format, self._right
        if fmt is None or not rows:
            return
        self._seen_object = True
        examples = [fmt.example(row) for row, _, _ in rows]
        for repeat in self._result.content.add(examples, [number for _, number, _ in rows]):
            _, number, offset = rows[repeat.position]
            if repeat.same_answer:
                self._add("DUPLICATE-ROW", line=number, offset=offset, found=f"line {repeat.first_line}")
            elif fmt.one_answer_per_prompt:
                self._add("CONFLICTING-ANSWERS", line=number, offset=offset, found=f"line {repeat.first_line}")
        rows.clear()
