"""Rows held out for evaluation: chosen by a hash of their prompts, so that equal prompts never land on both sides.

The file is read twice and never held: once to find out how often each prompt comes, once to take the sides apart.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from .blocks import blocks, lines_of
from .rowformat import Example, RowFormat

SHARE = 0.1
LEAST_HELD_OUT, MOST_HELD_OUT = 10, 250
LEAST_TRAINED = 10
LEAST_ROWS = LEAST_HELD_OUT + LEAST_TRAINED
# So many prompts are candidates for being held out: those whose digests come first. Prompts are passed over only when
# they have hundreds of rows each, so a file would need many millions of rows for these not to be enough.
CANDIDATES = 1 << 15
CHUNK_BYTES = 256 << 10


class CannotSplit(Exception):
    """No choice among the candidates leaves enough rows on either side."""

    def __init__(self, rows: int, prompts: int) -> None:
        super().__init__(f"{rows:,} rows have {prompts:,} different prompts")
        self.rows = rows
        self.prompts = prompts


@dataclass(frozen=True)
class HeldOut:
    """The prompts to hold out, by their digests, and what either side amounts to."""

    digests: frozenset[bytes]
    rows: int
    trained_rows: int
    trained_characters: int


class Prompts:
    """How many rows and characters there are, in total and for each of the prompts whose digests come first."""

    def __init__(self, candidates: int = CANDIDATES) -> None:
        self.rows = 0
        self.characters = 0
        self._candidates = candidates
        self._last: bytes | None = None  # of the candidates, once some prompts have been left out
        self._rows: Counter[bytes] = Counter()
        self._characters: Counter[bytes] = Counter()

    def add(self, prompt: bytes, characters: int) -> None:
        """One row more of the prompt with this digest."""
        self.rows += 1
        self.characters += characters
        if self._last is not None and prompt > self._last:
            return
        self._rows[prompt] += 1
        self._characters[prompt] += characters
        if len(self._rows) >= 2 * self._candidates:
            self._leave_out()

    def held_out(self) -> HeldOut:
        """The prompts that come first by their digests, until about `SHARE` of the rows are reached.

        The choice depends on the prompts alone, not on their order. CannotSplit when it leaves too few on a side.
        """
        wanted = min(max(round(self.rows * SHARE), LEAST_HELD_OUT), MOST_HELD_OUT)
        most = min(MOST_HELD_OUT, self.rows - LEAST_TRAINED)
        chosen: set[bytes] = set()
        taken = 0
        for digest in sorted(self._rows)[: self._candidates]:
            if taken >= wanted:
                break
            if taken + self._rows[digest] <= most:
                chosen.add(digest)
                taken += self._rows[digest]
        if taken < LEAST_HELD_OUT:
            raise CannotSplit(self.rows, len(self._rows))
        return HeldOut(
            digests=frozenset(chosen),
            rows=taken,
            trained_rows=self.rows - taken,
            trained_characters=self.characters - sum(self._characters[digest] for digest in chosen),
        )

    def _leave_out(self) -> None:
        kept = sorted(self._rows)[: self._candidates]
        self._last = kept[-1]
        self._rows = Counter({digest: self._rows[digest] for digest in kept})
        self._characters = Counter({digest: self._characters[digest] for digest in kept})


def prompts_of(stream: BinaryIO, fmt: RowFormat) -> Prompts:
    """The prompts of a file, which is known to have no errors."""
    found = Prompts()
    for _, example in _examples(stream, fmt):
        found.add(_digest(example.prompt), len(example.prompt) + len(example.answer))
    return found


class Sides:
    """The lines of the training side, in chunks as they are asked for; those passed meanwhile gather in `evaluation`.

    Lines stay as they are and in order; only blank lines and CRs are left out.
    """

    def __init__(self, stream: BinaryIO, fmt: RowFormat, held_out: HeldOut) -> None:
        self.evaluation = bytearray()
        self._lines = _examples(stream, fmt)
        self._held_out = held_out.digests

    def __iter__(self) -> Iterator[bytes]:
        chunk = bytearray()
        for line, example in self._lines:
            side = self.evaluation if _digest(example.prompt) in self._held_out else chunk
            side += line + b"\n"
            if len(chunk) >= CHUNK_BYTES:
                yield bytes(chunk)
                chunk.clear()
        if chunk:
            yield bytes(chunk)


def _examples(stream: BinaryIO, fmt: RowFormat) -> Iterator[tuple[bytes, Example]]:
    decode = msgspec.json.Decoder(fmt.row).decode
    for block in blocks(stream):
        for _, _, line in lines_of(block):
            if line and not line.isspace():
                yield line.removesuffix(b"\r"), fmt.example(decode(line))


def _digest(prompt: str) -> bytes:
    return hashlib.blake2b(prompt.encode("utf-8"), digest_size=8).digest()
