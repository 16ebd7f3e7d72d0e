"""What the good rows of a file amount to, counted by columns over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from .batches import candidates
from .bulk import counts
from .content.totals import Preferences, Totals
from .report import Bin, Summary
from .rowformat import Batch

MAX_LABELS = 100
MAX_LABEL_CHARACTERS = 80
PERCENTILES = (5, 25, 50, 75, 95, 99)
BINS = 24
_AT_ONCE = 1 << 14  # numbers are counted so many at once: a few thousand take as long as a few
_COUNTED = 1 << 16  # lengths below are counted in an array, the few above in a dictionary


class Lengths:
    """How often each length occurs."""

    def __init__(self) -> None:
        self._counts = np.zeros(256, np.int64)
        self._long: Counter[int] = Counter()
        self._waiting: list[NDArray[np.int32]] = []
        self._waiting_lengths = 0

    def add(self, lengths: NDArray[np.int32]) -> None:
        """Count lengths."""
        self._waiting.append(lengths)
        self._waiting_lengths += len(lengths)
        if self._waiting_lengths >= _AT_ONCE:
            self._count()

    def merge(self, other: Lengths) -> None:
        """Count what the other counted."""
        other._count()
        self._take(other._counts)
        self._long.update(other._long)

    def _count(self) -> None:
        if not self._waiting:
            return
        lengths = np.concatenate(self._waiting)
        self._waiting, self._waiting_lengths = [], 0
        if len(lengths) and lengths.max() >= _COUNTED:
            self._long.update(lengths[lengths >= _COUNTED].tolist())
            lengths = lengths[lengths < _COUNTED]
        self._take(np.bincount(lengths))

    def _take(self, counts: NDArray[np.int64]) -> None:
        if len(counts) > len(self._counts):
            grown = np.zeros(max(len(counts), 2 * len(self._counts)), np.int64)
            grown[: len(self._counts)] = self._counts
            self._counts = grown
        self._counts[: len(counts)] += counts

    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The lengths that occur, in order, and how often each does."""
        self._count()
        found = np.flatnonzero(self._counts)
        long = sorted(self._long.items())
        lengths = np.concatenate([found, np.array([length for length, _ in long], np.int64)])
        return lengths, np.concatenate([self._counts[found], np.array([count for _, count in long], np.int64)])

    @property
    def total(self) -> int:
        """The sum of all lengths."""
        lengths, counts = self._table()
        return int(lengths @ counts)

    def summary(self) -> Summary | None:
        """Exact figures (percentiles by nearest rank); None without values."""
        lengths, counts = self._table()
        if not len(lengths):
            return None
        seen = np.cumsum(counts)
        count, total = int(seen[-1]), int(lengths @ counts)
        ranks = [max(1, -(-count * percent // 100)) for percent in PERCENTILES]
        at = lengths[np.searchsorted(seen, ranks)]
        return Summary(
            count=count,
            total=total,
            min=int(lengths[0]),
            max=int(lengths[-1]),
            mean=round(total / count, 1),
            percentiles={f"p{percent}": int(value) for percent, value in zip(PERCENTILES, at, strict=True)},
            histogram=_histogram(lengths, counts),
        )


def _histogram(lengths: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[Bin, ...]:
    """Bins of one round width over nearly all values; the last takes what is far above the others."""
    seen = np.cumsum(counts)
    usual = int(lengths[np.searchsorted(seen, max(1, int(seen[-1] * 0.99)))])
    least = int(lengths[0])
    width = _round_up(max(1, -(-(usual - least + 1) // BINS)))
    start = least // width * width
    bins: list[Bin] = []
    places = np.minimum((lengths - start) // width, BINS - 1)
    for place in range(int(places[-1]) + 1):
        low, high = start + place * width, start + (place + 1) * width - 1
        if place == BINS - 1:
            high = max(high, int(lengths[-1]))
        bins.append(Bin(least=low, most=high, count=int(counts[places == place].sum())))
    return tuple(bins)


def _round_up(width: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= width:
                return factor * step
        step *= 10


class Pairs:
    """Of preferences, whether the better candidate is the longer one."""

    def __init__(self) -> None:
        self._sums = np.zeros(7, np.int64)  # pairs, longer, shorter, equal, first; the characters of better and worse
        self._waiting: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]] = []
        self._waiting_pairs = 0

    def add(self, first: NDArray[np.int32], second: NDArray[np.int32], choices: NDArray[np.uint8]) -> None:
        """Count pairs: the characters of both candidates, and which is the better one."""
        self._waiting.append((first, second, choices))
        self._waiting_pairs += len(choices)
        if self._waiting_pairs >= _AT_ONCE:
            self._count()

    def merge(self, other: Pairs) -> None:
        """Count what the other counted."""
        other._count()
        self._sums += other._sums

    def totals(self) -> Preferences | None:
        """What there is to say of them; None where there are none."""
        self._count()
        pairs, longer, shorter, equal, first, better, worse = self._sums.tolist()
        return Preferences(pairs, longer, shorter, equal, first, better / pairs, worse / pairs) if pairs else None

    def _count(self) -> None:
        if not self._waiting:
            return
        first, second, choices = map(np.concatenate, zip(*self._waiting, strict=True))
        self._waiting, self._waiting_pairs = [], 0
        chosen = choices != 0
        better, worse = np.where(chosen, second, first), np.where(chosen, first, second)
        compared = (better > worse, better < worse, better == worse, ~chosen)
        self._sums += [len(chosen), *map(np.count_nonzero, compared), better.sum(), worse.sum()]


class Rows:
    """The good rows of a file so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.prompt, self.answer = Lengths(), Lengths()
        self.fields: dict[str, Lengths] = {}
        self.turns = Lengths()
        self.answers: Counter[str] | None = Counter()
        self._pairs = Pairs()

    def add(self, batch: Batch) -> None:
        """Count the rows of a batch."""
        self.rows += len(batch.hashed)
        self.prompt.add(batch.prompt)
        self.answer.add(batch.answer)
        for name, lengths in batch.fields.items():
            if name not in self.fields:
                self.fields[name] = Lengths()
            self.fields[name].add(lengths)
        if batch.turns is not None:
            self.turns.add(batch.turns)
        if self.answers is not None:
            self._count_answers(batch)
        if batch.choices is not None:
            self._pairs.add(*candidates(batch), batch.choices)

    def _count_answers(self, batch: Batch) -> None:
        assert self.answers is not None
        if batch.answers is None or int(batch.answer.max()) > MAX_LABEL_CHARACTERS:
            self.answers = None
            return
        self.answers.update(counts(batch.answers))
        if len(self.answers) > MAX_LABELS:
            self.answers = None

    def merge(self, other: Rows) -> None:
        """Count what the other counted."""
        self.rows += other.rows
        self.prompt.merge(other.prompt)
        self.answer.merge(other.answer)
        for name, lengths in other.fields.items():
            self.fields.setdefault(name, Lengths()).merge(lengths)
        self.turns.merge(other.turns)
        if self.answers is not None:
            self.answers = None if other.answers is None else self.answers + other.answers
            if self.answers is not None and len(self.answers) > MAX_LABELS:
                self.answers = None
        self._pairs.merge(other._pairs)

    @property
    def characters(self) -> int:
        """The characters of all rows together."""
        return self.prompt.total + self.answer.total

    @property
    def turn_count(self) -> int:
        """The turns of all rows together."""
        return self.turns.total

    def totals(self) -> Totals:
        """What rules about content are told of all rows."""
        preferences = self._pairs.totals()
        return Totals(answers=self.answers) if preferences is None else Totals(preferences=preferences)

    @property
    def labels(self) -> Mapping[str, int] | None:
        """Counts of the answers when they look like labels: short, few, and each on average used twice or more."""
        if not self.answers or self.answers.total() < 2 * len(self.answers) or set(self.answers) <= {""}:
            return None
        return dict(sorted(self.answers.items(), key=lambda item: (-item[1], item[0])))


def summaries(fields: Iterable[tuple[str, Lengths]]) -> dict[str, Summary]:
    """The fields that have values, in order."""
    found = ((name, lengths.summary()) for name, lengths in fields)
    return {name: summary for name, summary in found if summary is not None}
