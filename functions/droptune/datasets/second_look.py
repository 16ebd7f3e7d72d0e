"""What a second look at a file shows whose bytes are not plain UTF-8: its encoding, or that it is damaged."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import BinaryIO

from .blocks import blocks, lines_of
from .findings import Findings
from .legacy_encodings import Guess, guessed

SAMPLED_LINES = 500  # that are no UTF-8, to tell their encoding
SAMPLED_BYTES_OF_LINE = 16 * 1024
READ_BYTES = 256 * 1024
UNPACKED_AT_ONCE = 4 * 1024 * 1024
MOST_UNPACKED = 4 << 30  # bytes; a larger file is not looked through for damage


def look_again(file: str, findings: Findings, reopen: Callable[[], AbstractContextManager[BinaryIO]]) -> None:
    """Add what a second look at a file shows, where what was found in it gives reason for one."""
    if bad := findings.offsets("BAD-UTF8", file):
        with reopen() as stream:
            guess = guessed(list(_lines_at(stream, bad[:SAMPLED_LINES])))
        if guess.certain is not None:
            findings.add("FILE-ENCODING", {"found": guess.certain}, file=file)
        elif guess.possible:
            names, first = ", ".join(guess.possible), guess.possible[0]
            findings.add("FILE-ENCODING-UNSURE", {"found": names, "first": first}, file=file)
    if findings.offsets("FILE-GZIP", file):
        with reopen() as stream:
            if is_cut(stream):
                findings.add("FILE-GZIP-DAMAGED", file=file)


def encoding_of(stream: BinaryIO) -> Guess:
    """What the first lines of a stream that are no UTF-8 are in."""
    return guessed(list(islice(_bad_lines(stream), SAMPLED_LINES)))


def is_cut(stream: BinaryIO) -> bool:
    """Whether a gzip file ends early or is damaged within; False for one too large to look through."""
    inflate = zlib.decompressobj(wbits=31)
    unpacked, within = 0, False
    while unpacked < MOST_UNPACKED:
        piece = stream.read(READ_BYTES)
        if not piece:
            return within
        while piece:
            within = True
            try:
                unpacked += len(inflate.decompress(piece, UNPACKED_AT_ONCE))
            except zlib.error:
                return True
            piece = inflate.unconsumed_tail
            if inflate.eof:  # further members may follow, and zeros that fill up a block
                piece = inflate.unused_data.lstrip(b"\0")
                inflate = zlib.decompressobj(wbits=31)
                within = False
    return False


def _lines_at(stream: BinaryIO, offsets: Iterable[int]) -> Iterator[bytes]:
    for offset in sorted(offsets):
        stream.seek(offset)
        line, end, _ = stream.read(SAMPLED_BYTES_OF_LINE).partition(b"\n")
        # A quotation mark is no part of another character in any encoding: the line is not cut within one.
        yield line if end or len(line) < SAMPLED_BYTES_OF_LINE else line.rpartition(b'"')[0]


def _bad_lines(stream: BinaryIO) -> Iterator[bytes]:
    for block in blocks(stream):
        if not block.huge and not _is_utf8(block.data):
            yield from (line for _, _, line in lines_of(block) if not _is_utf8(line))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
