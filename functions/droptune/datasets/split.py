"""Rows held out for evaluation: chosen by a hash of their prompts, so that equal prompts never land on both sides.

The choice depends on the prompts and the seed alone: not on the order of the rows, and not on the machine. The file is
read twice and never held: once to find out how often each prompt comes, once to take the sides apart.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np

from .blocks import blocks, lines_of
from .judging import UNDECODABLE, Judge, errors
from .keys import read_row
from .layout import BOM
from .rowformat import Example, RowFormat

SHARE = 0.1
LEAST_HELD_OUT, MOST_HELD_OUT = 10, 250
LEAST_TRAINED = 10
CANDIDATES = 1 << 15
CHUNK_BYTES = 256 << 10
_GATHERED_ROWS = 1 << 15
_DIGEST_BYTES = 8


class NotARow(Exception):
    """A line is no row of the file's format; the message says which, and why."""


class CannotSplit(Exception):
    """No choice among the candidates leaves enough rows on either side."""

    def __init__(self, rows: int, prompts: int) -> None:
        super().__init__(f"{rows:,} rows have {prompts:,} different prompts")
        self.rows = rows
        self.prompts = prompts


class Size(NamedTuple):
    """How many rows to hold out: about `wanted`, at least `least` and at most `most`."""

    wanted: int
    least: int
    most: int


@dataclass(frozen=True)
class Quota:
    """What part of a file to hold out: `size` gives it for a number of rows.

    Only the `candidates` prompts whose digests come first are remembered and may be chosen; None for all of them.
    """

    size: Callable[[int], Size]
    candidates: int | None


def _usual_size(rows: int) -> Size:
    wanted = min(max(round(rows * SHARE), LEAST_HELD_OUT), MOST_HELD_OUT)
    return Size(wanted, LEAST_HELD_OUT, min(MOST_HELD_OUT, rows - LEAST_TRAINED))


# What a run holds out of a file that came alone. Prompts are passed over when their rows would be too many; for these
# candidates to leave too few, each would have to come hundreds of times, in a file of millions of rows.
USUAL = Quota(_usual_size, CANDIDATES)


def share_of_rows(share: float) -> Quota:
    """About a share of the rows, above 0 and below 1."""
    return Quota(lambda rows: Size(max(round(rows * share), 1), 1, rows - 1), None)


def number_of_rows(wanted: int) -> Quota:
    """About so many rows."""
    # All prompts of a file that has no more than twice as many rows, and of a larger one enough: there, only a prompt
    # with at least half of all rows is passed over.
    return Quota(lambda rows: Size(wanted, 1, rows - 1), 2 * wanted + 2)


@dataclass(frozen=True)
class HeldOut:
    """The prompts held out, those with the lowest digests but for some with too many rows; and what this leaves."""

    rows: int
    trained_rows: int
    trained_characters: int
    highest: int
    passed_over: frozenset[int]
    key: bytes

    def holds(self, prompt: str) -> bool:
        """Whether the rows with this prompt are held out."""
        digest = _digest(prompt, self.key)
        return digest <= self.highest and digest not in self.passed_over


class Prompts:
    """How many rows and characters there are, in total and for each prompt among the candidates.

    With another `seed`, other prompts come first.
    """

    def __init__(self, quota: Quota = USUAL, seed: str | None = None) -> None:
        self.rows = 0
        self.characters = 0
        self._quota = quota
        self._key = b"" if seed is None else hashlib.blake2b(seed.encode("utf-8", "surrogatepass")).digest()
        self._last: int | None = None  # of the candidates, once some prompts have been left out
        self._new = array("Q"), array("q")
        # Of the candidates, by their digests in order.
        self._digests = np.empty(0, np.uint64)
        self._rows = self._characters = np.empty(0, np.int64)

    def add(self, prompt: str, characters: int) -> None:
        """One row more, of so many characters."""
        self.rows += 1
        self.characters += characters
        digest = _digest(prompt, self._key)
        if self._last is not None and digest > self._last:
            return
        digests, sizes = self._new
        digests.append(digest)
        sizes.append(characters)
        if len(digests) >= max(_GATHERED_ROWS, len(self._digests)):  # so that gathering takes a constant time per row
            self._gather()

    def held_out(self) -> HeldOut:
        """The candidates in the order of their digests, until about as many rows are reached as wanted.

        CannotSplit when this leaves too few rows on a side.
        """
        self._gather()
        size = self._quota.size(self.rows)
        taken, end = 0, 0
        passed_over: list[int] = []
        for at, rows in enumerate(self._rows.tolist()):
            if taken >= size.wanted:
                break
            if taken + rows <= size.most:
                taken += rows
                end = at + 1
            else:
                passed_over.append(at)
        if taken < size.least:
            raise CannotSplit(self.rows, len(self._digests))
        left = [at for at in passed_over if at < end]
        characters = int(self._characters[:end].sum() - self._characters[left].sum())
        return HeldOut(
            rows=taken,
            trained_rows=self.rows - taken,
            trained_characters=self.characters - characters,
            highest=int(self._digests[end - 1]),
            passed_over=frozenset(self._digests[left].tolist()),
            key=self._key,
        )

    def _gather(self) -> None:
        """Take in the new rows, and leave out the prompts that are no candidates any more."""
        new_digests, new_sizes = self._new
        self._new = array("Q"), array("q")
        rows = np.concatenate((self._rows, np.ones(len(new_digests), np.int64)))
        characters = np.concatenate((self._characters, np.frombuffer(new_sizes, np.int64)))
        every = np.concatenate((self._digests, np.frombuffer(new_digests, np.uint64)))
        digests, at = np.unique(every, return_inverse=True)
        self._digests = digests[: self._quota.candidates].copy()
        self._rows, self._characters = (
            np.bincount(at, weights, len(digests))[: self._quota.candidates].astype(np.int64)
            for weights in (rows, characters)
        )
        if len(self._digests) < len(digests):
            self._last = int(self._digests[-1])


def held_out_of(stream: BinaryIO, fmt: RowFormat, quota: Quota = USUAL, seed: str | None = None) -> HeldOut:
    """What to hold out of a file. NotARow when a line is none, CannotSplit when too few rows are left on a side."""
    prompts = Prompts(quota, seed)
    for _, example in _examples(stream, fmt):
        prompts.add(example.prompt, len(example.prompt) + len(example.answer))
    return prompts.held_out()


def divided(stream: BinaryIO, fmt: RowFormat, held_out: HeldOut) -> Iterator[tuple[bool, bytes]]:
    """Every row of a file: whether it is held out, and its line.

    Lines stay as they are and in order; only blank lines, CRs and a byte-order mark are left out.
    """
    for line, example in _examples(stream, fmt):
        yield held_out.holds(example.prompt), line + b"\n"


class Sides:
    """The lines of the training side, in chunks as they are asked for; the others gather in `evaluation` meanwhile."""

    def __init__(self, stream: BinaryIO, fmt: RowFormat, held_out: HeldOut) -> None:
        self.evaluation = bytearray()
        self._lines = divided(stream, fmt, held_out)

    def __iter__(self) -> Iterator[bytes]:
        chunk = bytearray()
        for held, line in self._lines:
            side = self.evaluation if held else chunk
            side += line
            if len(chunk) >= CHUNK_BYTES:
                yield bytes(chunk)
                chunk.clear()
        if chunk:
            yield bytes(chunk)


def _digest(prompt: str, key: bytes) -> int:
    digest = hashlib.blake2b(prompt.encode("utf-8"), digest_size=_DIGEST_BYTES, key=key).digest()
    return int.from_bytes(digest, "big")


def _examples(stream: BinaryIO, fmt: RowFormat) -> Iterator[tuple[bytes, Example]]:
    decode = msgspec.json.Decoder(fmt.row).decode
    judge = Judge(fmt)
    for block in blocks(stream):
        lines: list[tuple[int, bytes]] = []
        rows: list[Any] = []
        for number, offset, line in lines_of(block):
            text = (line if offset else line.removeprefix(BOM)).removesuffix(b"\r")
            if not text or text.isspace():
                continue
            try:
                rows.append(read_row(fmt, decode, text))
            except UNDECODABLE as error:
                raise NotARow(f"line {number:,}: {error}") from error
            lines.append((number, text))
        measured = fmt.measure(rows) if rows else []
        for number, text in (lines[at] for at in measured) if isinstance(measured, list) else ():
            if wrong := errors(judge.line(text)[1]):
                raise NotARow(f"line {number:,}: {wrong[0].code}")
        for (_, text), row in zip(lines, rows, strict=True):
            yield text, fmt.example(row)
