"""A file cut into pieces of one row each: lines, and values that go over several lines."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from ..blocks import READ_BYTES, Block, blocks, lines_of
from .syntax import Unreadable, decode_at, skip_between

# Of a block with a fault, so many lines are looked at together: few enough that most such pieces have none.
LINES_TOGETHER = 32
# Of a value over several lines. Beyond it the first line is taken for a broken row, and the next are looked at again.
MOST_BYTES_OF_VALUE = 1024 * 1024
# Lines may be looked at in vain so often for each line of the file, and some more. It bounds the time that a file of
# nothing but broken values takes.
VAIN_LOOKS, FREE_LOOKS = 4, 10_000


class Piece(NamedTuple):
    """The bytes of a row without its last line break, and the physical lines that it takes.

    `huge` says that the bytes are only the start of a line that is too long.
    """

    line: int
    offset: int
    raw: bytes
    lines: int = 1
    huge: bool = False


class Lines:
    """The blocks of a file, each of which may be asked for its pieces, or to be cut into smaller blocks."""

    def __init__(self, stream: BinaryIO, read_bytes: int = READ_BYTES) -> None:
        self._blocks = blocks(stream, read_bytes)
        self._cut: deque[Block] = deque()
        self._passed = self._vain = 0  # pieces given out; lines looked at for values that did not come to an end
        self.lines = 0  # so far
        self.ends_within_line = False

    def __iter__(self) -> Iterator[Block]:
        while (block := self._next()) is not None:
            yield block

    def cut(self, block: Block) -> bool:
        """Cut a block into smaller ones, which come next; False when it is small already."""
        lines = lines_of(block)
        smaller = []
        while some := list(islice(lines, LINES_TOGETHER)):
            first_line, offset, _ = some[0]
            smaller.append(Block(first_line, offset, b"".join(raw + b"\n" for _, _, raw in some)))
        if len(smaller) < 2:
            return False
        if not block.data.endswith(b"\n"):
            last = smaller[-1]
            smaller[-1] = last._replace(data=last.data.removesuffix(b"\n"))
        self._cut.extendleft(reversed(smaller))
        return True

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The pieces that begin in a block; the last may take lines from the blocks after it."""
        if block.huge:
            yield Piece(block.first_line, block.offset, block.data, huge=True)
            return
        waiting = _pieces(block)
        while waiting:
            piece = waiting.popleft()
            self._passed += 1
            may_look = self._vain <= VAIN_LOOKS * self._passed + FREE_LOOKS
            if may_look and not piece.huge and _is_open(piece.raw):
                yield self._completed(piece, waiting)
            else:
                yield piece

    def _completed(self, first: Piece, waiting: deque[Piece]) -> Piece:
        """A line with those after it that complete its value; the line alone when none do."""
        taken, size, wanted = [first], len(first.raw), 2
        while size < MOST_BYTES_OF_VALUE:
            while len(taken) < wanted and (waiting or self._more(waiting)) and not waiting[0].huge:
                taken.append(waiting.popleft())
                size += len(taken[-1].raw) + 1
            lines = _lines_of_value(taken)
            if lines is None and len(taken) == wanted:
                wanted *= 2  # so that each line is read again only a few times
                continue
            if not lines:
                break
            waiting.extendleft(reversed(taken[lines:]))
            return Piece(first.line, first.offset, b"\n".join(piece.raw for piece in taken[:lines]), lines)
        self._vain += len(taken)
        waiting.extendleft(reversed(taken[1:]))
        return first

    def _more(self, waiting: deque[Piece]) -> bool:
        """Take in the lines of the next block, if there is one."""
        block = self._next()
        if block is not None:
            waiting.extend(_pieces(block))
        return block is not None

    def _next(self) -> Block | None:
        if self._cut:
            return self._cut.popleft()
        block = next(self._blocks, None)
        if block is not None:
            self.ends_within_line = not block.huge and not block.data.endswith(b"\n")
            self.lines = block.first_line + block.data.count(b"\n") - (not self.ends_within_line)
        return block


def _pieces(block: Block) -> deque[Piece]:
    if block.huge:
        return deque([Piece(block.first_line, block.offset, block.data, huge=True)])
    return deque(Piece(number, offset, raw) for number, offset, raw in lines_of(block))


def _is_open(raw: bytes) -> bool:
    """Whether a line may begin a value that the next lines complete."""
    if raw.lstrip()[:1] not in (b"{", b"["):
        return False
    return raw.count(b"{") > raw.count(b"}") or raw.count(b"[") > raw.count(b"]")


def _lines_of_value(pieces: list[Piece]) -> int | None:
    """How many of these lines the value takes that begins with the first; None for more, 0 for a broken value."""
    text = "\n".join(piece.raw.decode("utf-8", "surrogateescape") for piece in pieces)
    at = skip_between(text, 0)
    while True:
        try:
            _, end, _ = decode_at(text, at)
        except json.JSONDecodeError as error:
            return None if error.pos >= len(text.rstrip()) else 0
        except (Unreadable, RecursionError):
            return 0
        at = skip_between(text, end)
        if at == len(text) or "\n" in text[end:at]:
            return text[:end].count("\n") + 1
