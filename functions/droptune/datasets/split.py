"""Rows held out for evaluation: chosen by a hash of their prompts, so that equal prompts never land on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec

from .blocks import blocks
from .rowformat import RowFormat
from .scan import lines_of

SHARE = 0.1
LEAST_HELD_OUT, MOST_HELD_OUT = 10, 250
LEAST_TRAINED = 10
LEAST_ROWS = LEAST_HELD_OUT + LEAST_TRAINED


class CannotSplit(Exception):
    """No choice of prompts leaves enough rows on either side; the message says what there is."""


@dataclass
class Part:
    """One side: its lines as they were, in order, and what was counted in them."""

    data: bytearray = field(default_factory=bytearray)
    rows: int = 0
    characters: int = 0

    def add(self, line: bytes, characters: int) -> None:
        self.data += line + b"\n"
        self.rows += 1
        self.characters += characters


def held_out_prompts(counts: Counter[bytes]) -> frozenset[bytes]:
    """The digests of the prompts to hold out: those that come first, until about `SHARE` of the rows are reached.

    `counts` says how many rows each prompt has. The choice depends on the prompts alone, not on their order.
    """
    rows = counts.total()
    wanted = min(max(round(rows * SHARE), LEAST_HELD_OUT), MOST_HELD_OUT)
    most = min(MOST_HELD_OUT, rows - LEAST_TRAINED)
    chosen: set[bytes] = set()
    taken = 0
    for digest in sorted(counts):
        if taken >= wanted:
            break
        if taken + counts[digest] <= most:
            chosen.add(digest)
            taken += counts[digest]
    if taken < LEAST_HELD_OUT:
        raise CannotSplit(f"{rows:,} rows have {len(counts):,} different prompts")
    return frozenset(chosen)


def prompt_counts(stream: BinaryIO, fmt: RowFormat) -> Counter[bytes]:
    """How many rows each prompt has, by its digest. The file is known to have no errors."""
    decode = msgspec.json.Decoder(fmt.row).decode
    counts: Counter[bytes] = Counter()
    for block in blocks(stream):
        for _, _, line in lines_of(block):
            if line and not line.isspace():
                counts[_digest(fmt.example(decode(line)).prompt)] += 1
    return counts


def split(stream: BinaryIO, fmt: RowFormat, held_out: frozenset[bytes]) -> tuple[Part, Part]:
    """The training part and the held-out part of a file, line by line as they stand."""
    decode = msgspec.json.Decoder(fmt.row).decode
    train, evaluation = Part(), Part()
    for block in blocks(stream):
        for _, _, line in lines_of(block):
            if not line or line.isspace():
                continue
            example = fmt.example(decode(line))
            part = evaluation if _digest(example.prompt) in held_out else train
            part.add(line.removesuffix(b"\r"), len(example.prompt) + len(example.answer))
    return train, evaluation


def _digest(prompt: str) -> bytes:
    return hashlib.blake2b(prompt.encode("utf-8"), digest_size=8).digest()
