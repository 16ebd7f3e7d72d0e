"""Whether rows of a known format are right: a block of them at a glance, or one line with all that is wrong with it."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from .batches import each_key
from .blocks import blocks, lines_of
from .formats import AMBIGUOUS, commonest_format, detect
from .lines import judge
from .rowformat import Batch, Problem, RowFormat
from .rules import rule
from .structure import lines_of_bytes

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Judge:
    """Judges rows of one format."""

    def __init__(self, fmt: RowFormat) -> None:
        self.format = fmt
        self._decode_lines = msgspec.json.Decoder(fmt.row).decode_lines

    def all_right(self, data: bytes) -> bool:
        """Whether each line of a block is a right row with no field too many; False means "look closer"."""
        lines = lines_of_bytes(data if data.endswith(b"\n") else data + b"\n")
        if not lines.objects().all() or lines.returns().any() or lines.escaped_nul():
            return False
        try:
            rows = self._decode_lines(data)
        except UNDECODABLE:
            return False
        if len(rows) != len(lines):
            return False
        batch = self.format.measure(rows)
        if not isinstance(batch, Batch):
            return False
        return not lines.with_more_keys(each_key(batch, len(rows)))

    def line(self, line: bytes) -> tuple[dict[str, Any] | None, list[Problem]]:
        """The object in a line, if there is one, and everything wrong with the line."""
        value, problems = judge(line)
        if value is not None:
            problems = [*problems, *self.row(value)]
        return value, problems

    def row(self, value: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with a row, that it is of another format above all."""
        fmt, shape = self.format, detect(value)
        if shape is None or shape == fmt.name or shape in fmt.incomplete:
            return list(fmt.problems(value))
        if shape == AMBIGUOUS:
            return [Problem("ROW-AMBIGUOUS")]
        return [Problem("FORMAT-MIXED", "", {"found": shape, "format": fmt.name})]


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those with which no job can be right."""
    return [problem for problem in problems if rule(problem.code).severity == "error"]


def format_of(stream: BinaryIO) -> RowFormat | None:
    """The format of a file's first rows; None when they have none that is known."""
    return commonest_format(values_of(line for block in blocks(stream) for _, _, line in lines_of(block)))


def values_of(lines: Iterable[bytes]) -> Iterator[Any]:
    """What each line holds, None for what is no JSON. The fields of a row in another encoding tell its format, too."""
    decode = msgspec.json.Decoder().decode
    for line in lines:
        line = line.removeprefix(BOM_UTF8)
        try:
            yield decode(line)
        except UNDECODABLE:
            yield None if line.isascii() else _read_anyhow(line)


def _read_anyhow(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
