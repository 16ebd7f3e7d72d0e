"""What was changed in a file, by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

# Every kind of change, as the user is told. None of them changes what a row means.
CHANGES: Mapping[str, str] = {
    "gzip": "unpacked from gzip",
    "utf16": "written as UTF-8, which was UTF-16 or UTF-32",
    "array": "the array that held all rows is taken off: one row a line",
    "bom": "byte-order mark removed",
    "crlf": "line ends CR LF made LF",
    "final_newline": "last line ended",
    "blank": "blank lines removed",
    "header": "header with the names of the columns written",
    "column_name": "columns called by their own names",
    "separator": "columns separated by tabs",
    "several_lines": "values over several lines put on one",
    "two_values": "several values on a line put on lines of their own",
    "trailing_comma": "commas after the last value removed",
    "control": "tabs and other control characters in texts written as escapes",
    "python": "Python dictionaries written as JSON",
    "nul": "NUL characters removed",
    "duplicate_key": "fields given twice with one value, once",
    "encoding": "bytes that were no UTF-8 read in the encoding given",
    "text": "numbers and truth values written as texts where texts are needed",
    "number": "0 and 1 written as numbers where numbers are needed",
    "role": "roles called by the format's own names",
    "turn_fields": "members of turns called by the format's own names",
    "system": "system turns moved to where the format has its instruction",
    "neighbours": "neighbouring turns of one speaker joined, with a blank line between",
    "empty_turn": "empty turns at the start or end of a conversation removed",
    "empty_part": "empty parts removed from turns that say something",
    "empty_optional": "optional fields that say nothing removed",
    "parts": "texts and single values put into the lists or objects that hold them",
    "snake_case": "fields in snake case called by their own names",
    "arguments": "arguments of function calls written as JSON text",
    "unknown_field": "unknown fields removed",
}


class Change(NamedTuple):
    """How often something was changed, and the line of the first time."""

    times: int
    first_line: int


class Changes:
    """Counts what was changed."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Change] = {}

    def add(self, kinds: Iterable[str], line: int, times: int = 1) -> None:
        for kind in kinds:
            before = self._by_kind.get(kind)
            self._by_kind[kind] = (
                Change(times, line) if before is None else Change(before.times + times, before.first_line)
            )

    def listed(self) -> list[tuple[str, Change]]:
        """Every kind that occurred, in the order of `CHANGES`."""
        return [(kind, self._by_kind[kind]) for kind in CHANGES if kind in self._by_kind]
