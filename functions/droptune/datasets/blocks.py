"""A stream of bytes cut into blocks of whole lines, with their line numbers and byte offsets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

READ_BYTES = 256 * 1024
# No row that any model takes comes near; it bounds the memory that a file without line breaks can ask for.
MAX_LINE_BYTES = 16 * 1024 * 1024
KEPT_OF_HUGE_LINE = 256


class Block(NamedTuple):
    """Whole lines; only the file's last may lack its line break. `first_line` counts from 1.

    `huge` means that `data` is just the start of one line of more than `MAX_LINE_BYTES`, and the rest was passed over.
    """

    first_line: int
    offset: int
    data: bytes
    huge: bool = False


def blocks(stream: BinaryIO) -> Iterator[Block]:
    """The stream's lines in order, in one pass, holding no more than a line and a read."""
    line, offset = 1, 0
    tail = bytearray()
    while chunk := stream.read(READ_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            tail += chunk
            if len(tail) > MAX_LINE_BYTES:
                yield Block(line, offset, bytes(tail[:KEPT_OF_HUGE_LINE]), huge=True)
                passed, rest = _pass_over(stream, len(tail))
                line, offset, tail = line + 1, offset + passed, bytearray(rest)
            continue
        data = bytes(tail) + chunk[:cut] if tail else chunk[:cut]
        yield Block(line, offset, data)
        line += data.count(b"\n")
        offset += len(data)
        tail = bytearray(chunk[cut:])
    if tail:
        yield Block(line, offset, bytes(tail))


def _pass_over(stream: BinaryIO, length: int) -> tuple[int, bytes]:
    """Read up to the end of a line: its length with the line break, and what was read after it."""
    while chunk := stream.read(READ_BYTES):
        cut = chunk.find(b"\n") + 1
        if cut:
            return length + cut, chunk[cut:]
        length += len(chunk)
    return length, b""
