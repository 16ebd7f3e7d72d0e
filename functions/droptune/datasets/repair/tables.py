"""A corrected copy of the labels of an embedding data set: tabs between columns, their names, right lines only."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple

from ..blocks import blocks, lines_of
from ..labels import COLUMNS, CORPUS, QUERY, SCORE, SEPARATORS
from ..rowformat import Problem, Values
from ..setaside import SetAside
from .encodings import Layers
from .outcome import Fixed

Opened = Callable[[], AbstractContextManager[BinaryIO]]


class _Line(NamedTuple):
    number: int
    offset: int
    raw: bytes
    text: str


def is_table(head: bytes) -> bool:
    """Whether a file that begins so is a table of labels with a header."""
    first = head.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].lower().replace(b"_", b"-")
    return QUERY.encode() in first and not first.lstrip().startswith((b"{", b"["))


def fix_table(opened: Opened, out: BinaryIO, removed: SetAside) -> Fixed:
    """Write the right lines of a table to `out`, and the others to `removed`."""
    result = Fixed("embedding_labels")
    with opened() as stream:
        layers = Layers(stream)
        result.changes.add(layers.changes, 1)
        _Table(out, removed, result).take(layers.stream)
        result.damaged = layers.damaged
    result.removed = removed.rows
    return result


class _Table:
    def __init__(self, out: BinaryIO, removed: SetAside, result: Fixed) -> None:
        self._out = out
        self._removed = removed
        self._result = result
        self._separator = "\t"
        self._names: list[str] = []
        self._seen: dict[tuple[str, str, str], int] = {}  # what lines say, and the first that says it

    def take(self, stream: BinaryIO) -> None:
        """Write the header, and every right line."""
        for line in self._lines(stream):
            if self._names:
                self._row(line)
            elif not self._header(line):
                return
        if not self._names:
            self._result.refused = "FILE-EMPTY"

    def _lines(self, stream: BinaryIO) -> Iterator[_Line]:
        """The lines that say something, as text."""
        add = self._result.changes.add
        for block in blocks(stream):
            for number, offset, raw in lines_of(block):
                line = raw.removesuffix(b"\r")
                if line != raw:
                    add(["crlf"], number)
                if number == 1 and line.startswith(codecs.BOM_UTF8):
                    add(["bom"], number)
                    line = line.removeprefix(codecs.BOM_UTF8)
                if not line.strip():
                    add(["blank"], number)
                elif block.huge:
                    self._removed.add_problems(number, offset, raw, [Problem("LABELS-LINE-TOO-LONG")])
                else:
                    yield from self._decoded(number, offset, raw, line)

    def _decoded(self, number: int, offset: int, raw: bytes, line: bytes) -> Iterator[_Line]:
        try:
            yield _Line(number, offset, raw, line.decode("utf-8"))
        except UnicodeDecodeError as error:
            values: Values = {"found": f"0x{line[error.start]:02X}", "position": error.start + 1}
            self._removed.add_problems(number, offset, raw, [Problem("LABELS-ENCODING", "", values)])

    def _header(self, line: _Line) -> bool:
        """Write the header, with a line that is none after it; False when a column is missing or there twice."""
        add = self._result.changes.add
        for separator in SEPARATORS:
            cells = line.text.split(separator)
            names = [_name(cell) for cell in cells]
            if QUERY in names or CORPUS in names:
                break
        else:
            separator = next((each for each in SEPARATORS if len(line.text.split(each)) in (2, 3)), "\t")
            names = cells = list(COLUMNS)
            add(["header"], line.number)
        self._separator, self._names = separator, names
        if QUERY not in names or CORPUS not in names:
            self._result.refused = "LABELS-MISSING-COLUMN"
            return False
        if any(names.count(name) > 1 for name in COLUMNS):
            self._result.refused = "LABELS-COLUMN-TWICE"
            return False
        if separator != "\t":
            add(["separator"], line.number)
        if names != cells:
            add(["column_name"], line.number)
        self._write(names)
        if cells == list(COLUMNS) and _name(line.text.split(separator)[0]) != QUERY:
            self._row(line)
        return True

    def _row(self, line: _Line) -> None:
        cells = line.text.split(self._separator)
        problems = list(self._problems(cells, line.number))
        if problems:
            self._removed.add_problems(line.number, line.offset, line.raw, problems)
        else:
            self._write(cells)
            self._result.kept += 1

    def _problems(self, cells: list[str], number: int) -> Iterator[Problem]:
        """Why a line is set aside."""
        names = self._names
        width = sum(cell.count("\t") + 1 for cell in cells)  # as it would be written
        values = {"found": width, "width": len(names)}
        if width > len(cells) or width > len(names):  # a tab within a cell would begin another one
            yield Problem("LABELS-CELLS-MANY", "", values)
            return
        given = dict(zip(names, cells, strict=False))
        if QUERY not in given or CORPUS not in given:
            yield Problem("LABELS-CELLS-FEW", "", values)
            return
        for name in (QUERY, CORPUS):
            if not given[name].strip():
                yield Problem("LABELS-EMPTY-ID", "", {"found": name})
        score = given.get(SCORE, "").strip()
        digits = score.removeprefix("-")
        if digits and not (digits.isascii() and digits.isdigit()):
            yield Problem("LABELS-SCORE-TYPE", "", {"found": score})
        elif score.startswith("-"):
            yield Problem("LABELS-SCORE-NEGATIVE", "", {"found": score})
        first = self._seen.setdefault((given[QUERY], given[CORPUS], score or "1"), number)
        if first != number:
            yield Problem("LABELS-DUPLICATE", "", {"found": given[QUERY], "corpus": given[CORPUS], "first": first})

    def _write(self, cells: list[str]) -> None:
        self._out.write("\t".join(cells).encode("utf-8") + b"\n")


def _name(cell: str) -> str:
    """A column's own name, if it is one in another spelling."""
    name = cell.strip().lower().replace("_", "-")
    return name if name in COLUMNS else cell.replace("\t", " ")
