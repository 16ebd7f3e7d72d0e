"""A stream of bytes cut into windows of whole lines, read into one buffer that is used again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

# Smaller reads cost more calls, larger ones no longer stay in the processor's cache with the rows made of them.
READ_BYTES = 1024 * 1024
# No row that any model takes comes near; it bounds the memory that a file without line breaks can ask for.
MAX_LINE_BYTES = 16 * 1024 * 1024
KEPT_OF_HUGE_LINE = 256


class Window(NamedTuple):
    """Whole lines; only the file's last may lack its line break. `data` is valid until the next window is asked for.

    `huge` means that `data` is just the start of one line of more than `MAX_LINE_BYTES`, and the rest was passed over.
    """

    offset: int
    data: memoryview
    huge: bool = False


class Block(NamedTuple):
    """A window of one's own, with the number of its first line, counted from 1."""

    first_line: int
    offset: int
    data: bytes
    huge: bool = False


def windows(stream: BinaryIO, read_bytes: int = READ_BYTES) -> Iterator[Window]:
    """The stream's lines in order, in one pass, holding no more than a line and a read."""
    buffer = bytearray(2 * read_bytes)
    offset = held = 0  # bytes before the buffer; bytes of an unfinished line at its start
    while True:
        if held + read_bytes > len(buffer):
            buffer = buffer[:held] + bytearray(held + read_bytes)
        view = memoryview(buffer)
        filled = _fill(stream, view, held, held + read_bytes)
        if filled == held:
            break
        cut = buffer.rfind(b"\n", held, filled) + 1
        if cut:
            yield Window(offset, view[:cut])
            offset += cut
            held = filled - cut
            buffer[:held] = buffer[cut:filled]
        elif filled > MAX_LINE_BYTES:
            yield Window(offset, view[:KEPT_OF_HUGE_LINE], huge=True)
            passed, rest = _pass_over(stream, filled)
            offset, held = offset + passed, len(rest)
            buffer = bytearray(2 * max(read_bytes, READ_BYTES))
            buffer[:held] = rest
        else:
            held = filled
    if held:
        yield Window(offset, view[:held])


def blocks(stream: BinaryIO, read_bytes: int = READ_BYTES) -> Iterator[Block]:
    """The stream's lines as blocks of bytes that may be kept."""
    line = 1
    for window in windows(stream, read_bytes):
        data = bytes(window.data)
        yield Block(line, window.offset, data, window.huge)
        line += 1 if window.huge else data.count(b"\n")


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


def _fill(stream: BinaryIO, view: memoryview, start: int, end: int) -> int:
    """Read until the view is full to `end`, or the stream ends: networks give less than they are asked for."""
    while start < end:
        count: int = stream.readinto(view[start:end])  # type: ignore[attr-defined]
        if not count:
            break
        start += count
    return start


def _pass_over(stream: BinaryIO, length: int) -> tuple[int, bytes]:
    """Read up to the end of a line: its length with the line break, and what was read after it."""
    while chunk := stream.read(READ_BYTES):
        cut = chunk.find(b"\n") + 1
        if cut:
            return length + cut, chunk[cut:]
        length += len(chunk)
    return length, b""
