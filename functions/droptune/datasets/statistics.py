"""What a file's rows amount to: lengths, labels, and an index of their prompts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import add
from typing import NamedTuple

import msgspec

from .rowformat import Example

# Prompts are told apart by a 64-bit hash, about 100 bytes of memory each: past this many the index stops growing.
MAX_INDEXED_ROWS = 1_000_000
MAX_LABELS = 100
MAX_LABEL_CHARACTERS = 80
PERCENTILES = (5, 25, 50, 75, 95)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Lengths of a field in characters."""

    min: int
    max: int
    mean: float
    percentiles: dict[str, int]


class Lengths:
    """How long a field's values are, in characters and in UTF-8 bytes, and where the longest is."""

    def __init__(self) -> None:
        self.characters: Counter[int] = Counter()
        self.size_bytes: Counter[int] = Counter()
        self.longest_bytes = 0
        self.longest_line = 0

    def add(self, characters: Sequence[int], sizes: Sequence[int], lines: Sequence[int]) -> None:
        """Count values, given by their lengths in characters and bytes, and the lines where they stand."""
        self.characters.update(characters)
        self.size_bytes.update(sizes)
        longest = max(sizes)
        if longest > self.longest_bytes:
            self.longest_bytes, self.longest_line = longest, lines[sizes.index(longest)]

    @property
    def total_characters(self) -> int:
        return sum(length * count for length, count in self.characters.items())

    def over_bytes(self, limit: int) -> int:
        """How many values have more bytes than that."""
        return sum(count for size, count in self.size_bytes.items() if size > limit)

    def over_characters(self, limit: float) -> int:
        """How many values have more characters than that."""
        return sum(count for length, count in self.characters.items() if length > limit)

    def summary(self) -> Summary | None:
        """Exact percentiles (nearest rank); None without values."""
        total = self.characters.total()
        if not total:
            return None
        lengths = sorted(self.characters.items())
        ranks = {percent: max(1, -(-total * percent // 100)) for percent in PERCENTILES}
        percentiles: dict[str, int] = {}
        seen = 0
        for length, count in lengths:
            seen += count
            for percent, rank in ranks.items():
                if rank <= seen:
                    percentiles.setdefault(f"p{percent}", length)
        mean = round(self.total_characters / total, 1)
        return Summary(min=lengths[0][0], max=lengths[-1][0], mean=mean, percentiles=percentiles)


class Repeat(NamedTuple):
    """The prompt of the row at `position` was there before, at `first_line`, with the same answer or another."""

    position: int
    first_line: int
    same_answer: bool


class Rows:
    """The rows of one file so far. Exact about repeated prompts for the first `max_indexed` different ones."""

    def __init__(self, max_indexed: int = MAX_INDEXED_ROWS) -> None:
        self._max_indexed = max_indexed
        self.prompt, self.answer, self.whole = Lengths(), Lengths(), Lengths()
        self.indexed_all = True
        self.answers: Counter[str] | None = Counter()
        self._positions: dict[int, int] = {}
        self._lines = array("Q")
        self._answers = array("q")

    def add(self, examples: Sequence[Example], lines: Sequence[int]) -> list[Repeat]:
        """Count rows, given with the lines where they stand; which of them repeat a prompt. By columns, for speed."""
        if not examples:
            return []
        prompts = [example.prompt for example in examples]
        answers = [example.answer for example in examples]
        prompt_lengths, answer_lengths = list(map(len, prompts)), list(map(len, answers))
        prompt_sizes, answer_sizes = list(map(_utf8_length, prompts)), list(map(_utf8_length, answers))
        self.prompt.add(prompt_lengths, prompt_sizes, lines)
        self.answer.add(answer_lengths, answer_sizes, lines)
        self.whole.add(
            list(map(add, prompt_lengths, answer_lengths)), list(map(add, prompt_sizes, answer_sizes)), lines
        )
        if self.answers is not None:
            self.answers.update(answers)
            if len(self.answers) > MAX_LABELS or max(answer_lengths) > MAX_LABEL_CHARACTERS:
                self.answers = None
        return self._index(prompts, answers, lines)

    def _index(self, prompts: Sequence[str], answers: Sequence[str], lines: Sequence[int]) -> list[Repeat]:
        repeats: list[Repeat] = []
        positions = self._positions
        for at, (prompt, answer) in enumerate(zip(map(hash, prompts), map(hash, answers), strict=True)):
            position = positions.get(prompt)
            if position is not None:
                repeats.append(Repeat(at, self._lines[position], self._answers[position] == answer))
            elif len(positions) < self._max_indexed:
                positions[prompt] = len(positions)
                self._lines.append(lines[at])
                self._answers.append(answer)
            else:
                self.indexed_all = False
        return repeats

    @property
    def characters(self) -> int:
        return self.whole.total_characters

    @property
    def labels(self) -> Mapping[str, int] | None:
        """Counts of the answers when they look like labels: short, few, and each on average used twice or more."""
        if self.answers is None or self.answers.total() < 2 * len(self.answers) or set(self.answers) <= {""}:
            return None
        return dict(sorted(self.answers.items(), key=lambda item: (-item[1], item[0])))

    def lines_shared_with(self, other: Rows) -> list[int]:
        """Lines here, in order, whose prompt is in the other file too."""
        shared = self._positions.keys() & other._positions.keys()
        return sorted(self._lines[self._positions[prompt]] for prompt in shared)

    @property
    def distinct_prompts(self) -> int:
        return len(self._positions)


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8"))
