"""A file as a stream of UTF-8, whatever it was: compressed, in UTF-16 or UTF-32, with a byte-order mark."""

from __future__ import annotations

import codecs
import io
import zlib
from abc import abstractmethod
from typing import BinaryIO, cast

READ_BYTES = 256 * 1024
MOST_LAYERS = 3  # a compressed file of UTF-16, compressed once more by the browser: and nobody has more
_GZIP = b"\x1f\x8b"
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Layers:
    """The stream of UTF-8 under a file's layers, which are named in `changes` as they are taken off."""

    def __init__(self, stream: BinaryIO) -> None:
        self.changes: list[str] = []
        self._unpacked: list[_Unpacked] = []
        self.stream: BinaryIO = io.BufferedReader(cast(io.RawIOBase, stream), READ_BYTES)
        for _ in range(MOST_LAYERS):
            head = cast(io.BufferedReader, self.stream).peek(4)[:4]
            if head.startswith(_GZIP):
                self.changes.append("gzip")
                unpacked = _Unpacked(self.stream)
                self._unpacked.append(unpacked)
                self._put(unpacked)
            elif encoding := _wide_encoding(head):
                self.changes.append("utf16")
                self._put(_Recoded(self.stream, encoding))
            else:
                break

    @property
    def damaged(self) -> bool:
        """Whether a compressed layer ended early or had to be given up; known at the end of the stream."""
        return any(unpacked.damaged for unpacked in self._unpacked)

    def _put(self, raw: io.RawIOBase) -> None:
        self.stream = io.BufferedReader(raw, READ_BYTES)


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 by its mark, or UTF-16 by the zeros beside the first two letters, which are ASCII in JSON."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if len(head) == 4 and head[1] == head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    return "utf-16-be" if len(head) == 4 and head[0] == head[2] == 0 and head[1] and head[3] else None


class _Stage(io.RawIOBase):
    """A stream made of another, piece by piece."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        while not self._ready and not self._ended:
            piece = self._source.read(READ_BYTES)
            self._ended = not piece
            self._ready = memoryview(self._made_of(piece))
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    @abstractmethod
    def _made_of(self, piece: bytes) -> bytes:
        """What becomes of a piece of the source; it is empty once, at the end."""


class _Unpacked(_Stage):
    """A gzip file's content, of all its members, up to where it is damaged."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__(source)
        self.damaged = False
        self._inflate = zlib.decompressobj(wbits=31)
        self._within = False

    def _made_of(self, piece: bytes) -> bytes:
        if not piece:
            self.damaged = self.damaged or self._within
            return b""
        made = bytearray()
        try:
            while piece:
                self._within = True
                made += self._inflate.decompress(piece)
                piece = b""
                if self._inflate.eof:
                    piece = self._inflate.unused_data.lstrip(b"\0")
                    self._inflate = zlib.decompressobj(wbits=31)
                    self._within = False
        except zlib.error:
            self._ended = self.damaged = True
        return bytes(made)


class _Recoded(_Stage):
    """Text in another Unicode encoding as UTF-8. Half a surrogate pair becomes bytes that are no UTF-8."""

    def __init__(self, source: BinaryIO, encoding: str) -> None:
        super().__init__(source)
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")

    def _made_of(self, piece: bytes) -> bytes:
        if not piece:
            return "\ufffd".encode() if self._decoder.getstate()[0] else b""
        try:
            text = self._decoder.decode(piece)
        except UnicodeDecodeError as error:  # of UTF-32 only: a number that is no character
            self._decoder.reset()
            text = error.object.decode(error.encoding, "replace")
        return text.encode("utf-8", "surrogatepass")
