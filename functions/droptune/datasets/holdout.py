"""Which rows of a file of any size are held out: by a hash of their prompts, so that equal prompts stay together.

The choice depends on the prompts and the seed alone: not on the order of the rows, and not on the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from .blocks import blocks, lines_of
from .rowformat import RowFormat
from .split import LEAST_HELD_OUT, LEAST_TRAINED, MOST_HELD_OUT, SHARE

DIGEST_BYTES = 8
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class NotARow(Exception):
    """A line is no row of the file's format; the message says which, and why."""


class CannotHoldOut(Exception):
    """No choice of prompts leaves enough rows on either side; the message says what there is."""


@dataclass(frozen=True)
class Size:
    """How many rows to hold out: about `wanted`, at least `least` and at most `most`."""

    wanted: int
    least: int
    most: int


def usual_size(rows: int) -> Size:
    """What a run holds out of a file for which there are no evaluation rows."""
    wanted = min(max(round(rows * SHARE), LEAST_HELD_OUT), MOST_HELD_OUT)
    return Size(wanted, LEAST_HELD_OUT, min(MOST_HELD_OUT, rows - LEAST_TRAINED))


def size_of_share(share: float) -> Callable[[int], Size]:
    """A share of the rows, above 0 and below 1."""
    return lambda rows: Size(max(round(rows * share), 1), 1, rows - 1)


def size_of_rows(wanted: int) -> Callable[[int], Size]:
    """A number of rows."""
    return lambda rows: Size(wanted, 1, rows - 1)


@dataclass(frozen=True)
class HeldOut:
    """The prompts held out: those with the lowest digests, but for some that have too many rows."""

    highest: int
    passed_over: frozenset[int]

    def __contains__(self, digest: int) -> bool:
        return digest <= self.highest and digest not in self.passed_over


def digests(stream: BinaryIO, fmt: RowFormat, seed: str | None) -> Iterator[tuple[int, bytes]]:
    """Every row of a file as the digest of its prompt and its line; blank lines are left out."""
    decode, example = msgspec.json.Decoder(fmt.row).decode, fmt.example
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES, key=_key(seed))
    for block in blocks(stream):
        for number, _, line in lines_of(block):
            if not line or line.isspace():
                continue
            try:
                prompt = example(decode(line)).prompt
            except _UNDECODABLE as error:
                raise NotARow(f"line {number:,}: {error}") from error
            hashed = hasher.copy()
            hashed.update(prompt.encode("utf-8"))
            yield int.from_bytes(hashed.digest(), "big"), line.removesuffix(b"\r")


def choose(found: Iterator[int], size_for: Callable[[int], Size]) -> HeldOut:
    """The prompts to hold out, from the digests of all rows. It takes 8 bytes a row."""
    every = np.fromiter(found, np.uint64)
    size = size_for(len(every))
    prompts, rows = np.unique(every, return_counts=True)
    taken, highest = 0, -1
    passed_over: set[int] = set()
    for digest, count in _pairs(prompts, rows):
        if taken >= size.wanted:
            break
        if taken + count <= size.most:
            taken += count
            highest = digest
        else:
            passed_over.add(digest)
    if taken < size.least or taken >= len(every):
        raise CannotHoldOut(f"{len(every):,} rows have {len(prompts):,} different prompts")
    return HeldOut(highest, frozenset(digest for digest in passed_over if digest < highest))


def _key(seed: str | None) -> bytes:
    """Without a seed, the digests are those by which a run holds out."""
    return b"" if seed is None else hashlib.blake2b(seed.encode("utf-8", "surrogatepass")).digest()


def _pairs(prompts: NDArray[np.uint64], rows: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    for at in range(len(prompts)):
        yield int(prompts[at]), int(rows[at])
