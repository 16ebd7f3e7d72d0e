"""The bytes of a row as values: decoded, and read with what can be put right without guessing."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from .syntax import Unreadable, Value, read_values

_READ_ANEW = frozenset({"python", "control", "duplicate_key"})


class PieceReading(NamedTuple):
    """What a row's bytes hold: no value where they are blank, or cannot be read with certainty."""

    values: list[Value]
    changes: frozenset[str] = frozenset()
    is_blank: bool = False

    @property
    def is_rewritten(self) -> bool:
        """Whether the text of the values is not itself one line of JSON each."""
        return bool(self.changes & _READ_ANEW) or "several_lines" in self.changes


def read_piece(raw: bytes, encoding: str | None = None) -> PieceReading:
    """The values in the bytes of a row; those that are no UTF-8 are read in the encoding, if one is given."""
    changes: set[str] = set()
    if raw.startswith(codecs.BOM_UTF8):
        changes.add("bom")
        raw = raw.removeprefix(codecs.BOM_UTF8)
    if raw.endswith(b"\r") or b"\r\n" in raw:
        changes.add("crlf")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = raw.decode(encoding) if encoding else ""
        except UnicodeError:
            text = ""
        if not text:
            return PieceReading([])
        changes.add("encoding")
    if "\0" in text:
        changes.add("nul")
        text = text.replace("\0", "")
    text = text.strip(" \t\r\n")
    if not text:
        return PieceReading([], is_blank=True)
    try:
        reading = read_values(text)
    except Unreadable:
        return PieceReading([])
    if any("\n" in value.text or "\r" in value.text for value in reading.values):
        changes.add("several_lines")
    return PieceReading(reading.values, frozenset(changes | reading.changes))
