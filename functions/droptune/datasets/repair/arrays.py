"""A file that is one array cut into the pieces of its elements, however long its lines are."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from ..blocks import MAX_LINE_BYTES, READ_BYTES
from .pieces import Piece
from .syntax import Unreadable, decode_at

_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_NEXT_OBJECT = re.compile(r"\}\s*,\s*(?=\{)")
_LONGEST_TOKEN = 8  # which has to be whole for the decoder to know it: -Infinity, an escape


def elements(stream: BinaryIO) -> Iterator[Piece]:
    """The elements in order. What is no value goes up to where the next object seems to begin."""
    text = _Text(stream)
    while text.skip(_BETWEEN):
        end = _end_of_value(text)
        yield text.take(end)


class _Text:
    """The part of a text that is being looked at. Bytes that are no UTF-8 come through it unchanged."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._line, self._offset = 1, 0
        self._read_bytes = READ_BYTES
        self.held = ""
        self.at = 0
        self.ended = False

    def more(self) -> bool:
        """Hold more of the text, each time twice as much; False at its end."""
        piece = self._stream.read(self._read_bytes)
        self._read_bytes = min(2 * self._read_bytes, MAX_LINE_BYTES)
        self.ended = not piece
        self.held = self.held[self.at :] + self._decoder.decode(piece, self.ended)
        self.at = 0
        return not self.ended

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Pass over what the pattern matches; False when the text ends with it."""
        while True:
            match = pattern.match(self.held, self.at)
            assert match is not None, "the pattern matches nothing, too"
            self._pass(match.end())
            if self.at < len(self.held):
                return True
            if not self.more() and not self.held:
                return False

    def take(self, end: int) -> Piece:
        """The piece up to a position."""
        line, offset = self._line, self._offset
        raw = self.held[self.at : end].encode("utf-8", "surrogateescape")
        self._pass(end)
        self._read_bytes = READ_BYTES
        # A decoder's error counts the lines before it, so what was passed is let go of, though not at every element.
        if self.at > max(16 * 1024, len(self.held) // 16):
            self.held, self.at = self.held[self.at :], 0
        return Piece(line, offset, raw, self._line - line + 1)

    def _pass(self, end: int) -> None:
        passed = self.held[self.at : end]
        self._line += passed.count("\n")
        self._offset += len(passed.encode("utf-8", "surrogateescape"))
        self.at = end


def _end_of_value(text: _Text) -> int:
    """Where the value ends that begins here, or else where the next object may begin."""
    while True:
        try:
            _, end, _ = decode_at(text.held, text.at)
            return end
        except json.JSONDecodeError as error:
            cut_off = error.pos >= len(text.held) - _LONGEST_TOKEN or "Unterminated" in error.msg
            if not (cut_off and len(text.held) - text.at < MAX_LINE_BYTES and text.more()):
                break
        except (Unreadable, RecursionError):
            break
    match = _NEXT_OBJECT.search(text.held, text.at)
    return match.start() + 1 if match else len(text.held)
