"""Which rows are repeated, and which prompts two files share: exact, at the price of 12 bytes a row.

Every row has two numbers. The first comes from its prompt: the hash of its last text and the length of the whole. The
second comes from the lengths of the rest; those of the two candidates of a preference are added up, so that it is the
same whichever way round they stand and whichever is preferred. Rows whose numbers agree are read again and compared in
full, so that only one text of a row has to be hashed on the fast path.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from .bulk import hashes
from .judging import UNDECODABLE, errors
from .layout import BOM
from .lines import judge
from .opposites import MEANINGS
from .rowformat import Batch, RowFormat

# What repeated rows are looked for among: about 100 MB. Rows beyond are not compared, and the report says so.
MAX_ROWS = 8_000_000
MAX_COMPARED = 1_000_000
ANCHORED = 4
_PART_ROWS = 1 << 20
_MAYBE = np.uint64(1 << 16)
_MIX = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)  # odd numbers without pattern

Reopen = Callable[[], AbstractContextManager[BinaryIO]]
Ints = NDArray[np.int64]


class Place(NamedTuple):
    """Where rows stand: those from `first_row` on are lines of one block, at `lines` within it, or all of them.

    `starts` are the places of every `ANCHORED`-th line in the block, which has `size` bytes.
    """

    first_row: int
    first_line: int
    offset: int
    size: int
    lines: Ints | None
    starts: NDArray[np.int32] | Ints


class Repeat(NamedTuple):
    """A row at `line` and `offset` that an earlier one, at `first_line`, says too when `same`, or else contradicts.

    It contradicts it with another answer to one prompt, or with the opposite preference between the same candidates.
    """

    line: int
    offset: int
    first_line: int
    same: bool


class _Identity(NamedTuple):
    """Where a row stands, the hashes of its prompt and of all it says, and that of the opposite preference if any."""

    line: int
    offset: int
    prompt: int
    whole: int
    opposite: int | None


class Keys:
    """The keys of a file's good rows, at most `max_rows` of them."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.rows = 0
        self.left_out = 0
        self._max_rows = max_rows
        self._prompts = np.zeros(4096, np.uint64)
        self._rests = np.zeros(4096, np.uint32)
        self._places: list[Place] = []

    def add(self, batch: Batch, place: Place) -> None:
        """Take in rows in order; `place` is where they stand, with the starts of all lines and any `first_row`."""
        taken = min(len(batch.hashed), self._max_rows - self.rows)
        self.left_out += len(batch.hashed) - taken
        if not taken:
            return
        prompts, rests = _by_last_text(batch)
        self._reserve(taken)
        self._prompts[self.rows : self.rows + taken] = prompts[:taken]
        self._rests[self.rows : self.rows + taken] = rests[:taken]
        starts = place.starts[::ANCHORED].astype(np.int32)
        self._places.append(place._replace(first_row=self.rows, starts=starts))
        self.rows += taken

    def expect(self, rows: int) -> None:
        """Make room for about so many rows at once: memory that is not written to yet costs nothing."""
        self._reserve(min(rows + rows // 50, self._max_rows) - self.rows)

    def _reserve(self, more: int) -> None:
        if self.rows + more > len(self._prompts):
            size = max(self.rows + more, 5 * len(self._prompts) // 4)
            self._prompts, self._rests = (_grown(numbers, self.rows, size) for numbers in (self._prompts, self._rests))

    def __getstate__(self) -> dict[str, Any]:
        """Without the room for more rows."""
        return {**self.__dict__, "_prompts": self.prompts, "_rests": self._rests[: self.rows]}

    def merge(self, other: Keys, lines: int, offset: int) -> None:
        """Take in the rows of the part of the file that begins after `lines` lines and `offset` bytes."""
        taken = min(other.rows, self._max_rows - self.rows)
        self.left_out += other.left_out + other.rows - taken
        self._reserve(taken)
        self._prompts[self.rows : self.rows + taken] = other._prompts[:taken]
        self._rests[self.rows : self.rows + taken] = other._rests[:taken]
        for place in other._places:
            if place.first_row < taken:
                moved = place._replace(
                    first_row=place.first_row + self.rows,
                    first_line=place.first_line + lines,
                    offset=place.offset + offset,
                )
                self._places.append(moved)
        self.rows += taken

    @property
    def prompts(self) -> NDArray[np.uint64]:
        """The first number of each row."""
        return self._prompts[: self.rows]

    def repeats(self, fmt: RowFormat, reopen: Reopen) -> Iterator[Repeat]:
        """The rows whose prompt was there before, in line order.

        Where several answers to one prompt are usual, only those which are there before as a whole, and preferences
        whose opposite is.
        """
        keys = self.prompts
        if not fmt.one_answer_per_prompt:  # then it is the whole row that counts
            keys = keys ^ (self._rests[: self.rows].astype(np.uint64) * np.uint64(_MIX[2]))
        candidates = _not_alone(keys)
        if len(candidates) > MAX_COMPARED:
            self.left_out += len(candidates) - MAX_COMPARED
            candidates = candidates[:MAX_COMPARED]
        prompts: dict[int, int] = {}
        wholes: dict[int, int] = {}
        for line, offset, prompt, whole, opposite in self._identities(candidates, fmt, reopen):
            first = wholes.setdefault(whole, line)
            if first != line:
                yield Repeat(line, offset, first, same=True)
            elif opposite is not None and (contradicted := wholes.get(opposite)) is not None:
                yield Repeat(line, offset, contradicted, same=False)
            elif fmt.one_answer_per_prompt and (asked := prompts.setdefault(prompt, line)) != line:
                yield Repeat(line, offset, asked, same=False)

    def shared_with(
        self, other: Keys, fmt: RowFormat, reopen: Reopen, reopen_other: Reopen, fmt_other: RowFormat | None = None
    ) -> list[tuple[int, int]]:
        """Line and offset of each row here whose prompt is in the other file too, in line order.

        The rows of the other file may be of another format whose prompts are measured the same way.
        """
        if not other.rows:
            return []
        here = np.flatnonzero(_among(self.prompts, np.sort(other.prompts)))
        if not len(here):
            return []
        there = np.flatnonzero(_among(other.prompts, np.sort(self.prompts[here])))[:MAX_COMPARED]
        theirs = {their.prompt for their in other._identities(there, fmt_other or fmt, reopen_other)}
        ours = self._identities(here[:MAX_COMPARED], fmt, reopen)
        return [(our.line, our.offset) for our in ours if our.prompt in theirs]

    def read(self, fmt: RowFormat, reopen: Reopen) -> Iterator[Any]:
        """The typed rows that these keys are of, read once more."""
        return (row for _, _, row in self._read(np.arange(self.rows), fmt, reopen))

    @property
    def distinct_prompts(self) -> int:
        """How many different prompts there are, as far as their keys tell."""
        return len(np.unique(self.prompts))

    def _identities(self, rows: Ints, fmt: RowFormat, reopen: Reopen) -> Iterator[_Identity]:
        """What tells rows apart that are given by their numbers in order; in the order of their lines."""
        encode = msgspec.json.Encoder().encode
        meanings_of = MEANINGS.get(fmt.name)
        for line, offset, row in self._read(rows, fmt, reopen):
            prompt = hash(fmt.example(row).prompt)
            if meanings_of is None:
                yield _Identity(line, offset, prompt, hash(encode(row)), None)
                continue
            meant, opposite = map(encode, meanings_of(row))
            yield _Identity(line, offset, prompt, hash(meant), None if meant == opposite else hash(opposite))

    def _read(self, rows: Ints, fmt: RowFormat, reopen: Reopen) -> Iterator[tuple[int, int, Any]]:
        """Line, offset and the typed row itself of rows, given by their numbers in order; in the order of their lines.

        The rows of a block that were judged one by one have numbers after all others of it.
        """
        if not len(rows):
            return
        decode = msgspec.json.Decoder(fmt.row).decode
        with reopen() as stream:
            for _, of_block in groupby(self._by_place(rows), lambda each: each[0].offset):
                places, lines = zip(*((place, _within(place, some)) for place, some in of_block), strict=True)
                place, wanted = places[0], np.sort(np.concatenate(lines)).tolist()
                for index, begins, text in _read_lines(stream, place, wanted):
                    try:
                        row = read_row(fmt, decode, text)
                    except UNDECODABLE as error:
                        raise _changed(stream) from error
                    yield place.first_line + index, begins, row

    def _by_place(self, rows: Ints) -> Iterator[tuple[Place, Ints]]:
        firsts = [place.first_row for place in self._places]
        bounds = np.searchsorted(rows, [*firsts, self.rows]).tolist()
        for place, start, stop in zip(self._places, bounds, bounds[1:], strict=False):
            if start < stop:
                yield place, rows[start:stop]


def _within(place: Place, rows: Ints) -> Ints:
    """The lines of a block on which rows stand."""
    return rows - place.first_row if place.lines is None else place.lines[rows - place.first_row]


def _read_lines(stream: BinaryIO, place: Place, wanted: Sequence[int]) -> Iterator[tuple[int, int, bytes]]:
    """Lines of a block, given by their numbers within it: the number, the offset in the file, the bytes."""
    at, start, lines = -1, 0, [b""]
    for index in wanted:
        if index // ANCHORED != at:
            at = index // ANCHORED
            start = int(place.starts[at])
            end = int(place.starts[at + 1]) if at + 1 < len(place.starts) else place.size
            stream.seek(place.offset + start)
            lines = stream.read(end - start).split(b"\n")
        before = index % ANCHORED
        if before >= len(lines):
            raise _changed(stream)
        offset = place.offset + start + sum(map(len, lines[:before])) + before
        yield index, offset, lines[before]


def _changed(stream: BinaryIO) -> OSError:
    return OSError(errno.ESTALE, "it was changed while it was checked", getattr(stream, "name", None))


def read_row(fmt: RowFormat, decode: Callable[[bytes], Any], line: bytes) -> Any:
    """The typed row on a line that was judged good, though perhaps not by a typed decode; else what a decode raises."""
    try:
        return decode(line)
    except UNDECODABLE:
        value, problems = judge(line.removeprefix(BOM))
        if value is None or errors(problems):
            raise
        return msgspec.convert(value, fmt.row)


def _by_last_text(batch: Batch) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    prompts = (hashes(batch.hashed) ^ (batch.prompt.astype(np.uint64) * np.uint64(_MIX[0]))) * np.uint64(_MIX[1])
    return prompts, batch.answer.astype(np.uint32)


def _grown(numbers: NDArray[Any], used: int, size: int) -> NDArray[Any]:
    grown = np.empty(size, numbers.dtype)
    grown[:used] = numbers[:used]
    return grown


def _not_alone(keys: NDArray[np.uint64]) -> Ints:
    """The positions of the keys that occur more than once, in order; in parts, so that copies stay small."""
    parts = len(keys) // _PART_ROWS + 1
    found: list[Ints] = []
    for part in range(parts):
        at = _part(keys, part, parts) if parts > 1 else None
        own = keys if at is None else keys[at]
        ordered = np.sort(own)
        repeated = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(repeated):
            maybe = np.zeros(_MAYBE, np.bool_)  # a quick look by a few bits of each key, since most are alone
            maybe[repeated % _MAYBE] = True
            positions = np.flatnonzero(maybe[own % _MAYBE])
            positions = positions[_among(own[positions], repeated)]
            found.append(positions if at is None else at[positions])
    return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)


def _among(keys: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which keys are among others, which are in order."""
    places = np.searchsorted(ordered, keys)
    found: NDArray[np.bool_] = ordered[np.minimum(places, len(ordered) - 1)] == keys
    return found


def _part(keys: NDArray[np.uint64], part: int, parts: int) -> Ints:
    """The positions of one of several parts of the keys, equal ones together."""
    ranges = range(0, len(keys), _PART_ROWS)
    found = (np.flatnonzero(keys[start : start + _PART_ROWS] % np.uint64(parts) == part) + start for start in ranges)
    return np.concatenate(list(found))
