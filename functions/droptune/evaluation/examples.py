"""Rows of a data set as (prompt, expected answer), streamed; what the training rows say about the task.

Validation has accepted the rows already, so a row that cannot be read is refused by its line number, never skipped.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ..errors import Refused
from ..events import Format, StoredFile
from ..ports import Objects, Prompt, StoredObject, Turn

if TYPE_CHECKING:
    from ..datasets.formats.parts import Part

Task = Literal["classification", "generation"]


@dataclass(frozen=True)
class Example:
    """One row: `line` is physical and 1-based, `expected` the last answer, `prompt` all that comes before it."""

    line: int
    prompt: Prompt
    expected: str


@cache
def _decoder(fmt: Format) -> msgspec.json.Decoder[Any]:
    """What decodes a row of a format. Formats bring numpy along, which a function should not wait for at its start."""
    from ..datasets.formats import FORMATS

    return msgspec.json.Decoder(FORMATS[fmt].row)


def _from_text(line: int, data: bytes) -> Example:
    row = _decoder("text").decode(data)
    return Example(line, (Turn("user", row.input_text),), row.output_text)


def _from_truth(line: int, data: bytes) -> Example:
    row = _decoder("ground_truth").decode(data)
    return Example(line, (Turn("user", row.prompt),), row.ground_truth)


def _from_messages(line: int, data: bytes) -> Example:
    *before, answer = _decoder("gemini_messages").decode(data).messages
    return Example(line, tuple(Turn(turn.role, turn.content) for turn in before), answer.content)


def _from_contents(line: int, data: bytes) -> Example:
    row = _decoder("gemini_contents").decode(data)
    *before, answer = row.contents
    system: tuple[Turn, ...] = ()
    if not isinstance(row.systemInstruction, msgspec.UnsetType):
        system = (Turn("system", _joined(row.systemInstruction.parts)),)
    return Example(line, system + tuple(Turn(turn.role, _joined(turn.parts)) for turn in before), _joined(answer.parts))


def _joined(parts: Sequence[Part]) -> str:
    texts = [part.text for part in parts]
    if msgspec.UNSET in texts:
        raise ValueError("a part is no text, and only text is compared")
    return "".join(map(str, texts))


READERS: Mapping[Format, Callable[[int, bytes], Example]] = {
    "text": _from_text,
    "ground_truth": _from_truth,
    "gemini_messages": _from_messages,
    "gemini_contents": _from_contents,
}


def read_examples(objects: Objects, file: StoredFile, fmt: Format) -> Iterator[Example]:
    """The rows of exactly that generation, in order. Refused for a format that has no single expected answer."""
    reader = READERS.get(fmt)
    if reader is None:
        raise Refused(f"rows of format {fmt} cannot be evaluated; formats that can: {', '.join(READERS)}")
    stored = StoredObject(file.bucket, file.name, file.generation, file.size_bytes)
    with objects.stream(stored) as stream:
        for number, data in enumerate(stream, start=1):
            if not data.strip():
                continue
            try:
                yield reader(number, data.removeprefix(b"\xef\xbb\xbf"))
            except ValueError as error:  # msgspec's errors are ValueErrors; they name the place, not the text
                raise Refused(f"{file.uri}, line {number}: cannot be evaluated as {fmt}: {error}") from error


def held_out(objects: Objects, file: StoredFile, fmt: Format, max_rows: int) -> list[Example]:
    """All rows when there are at most `max_rows`, otherwise a sample that is the same every time; in file order."""
    rows = heapq.nsmallest(max_rows, read_examples(objects, file, fmt), key=_rank)
    return sorted(rows, key=lambda row: row.line)


MAX_LABELS = 100
MAX_LABEL_CHARACTERS = 64
MIN_ROWS_PER_LABEL = 2
CANDIDATES = 40  # examples kept for few-shot prompts of generation tasks


@dataclass(frozen=True)
class Profile:
    """What the training rows say: the task, the labels in alphabetical order, and examples worth showing.

    `candidates` come in a fixed arbitrary order: one per label for classification, otherwise a sample.
    """

    task: Task
    labels: tuple[str, ...]
    longest_answer_bytes: int
    candidates: tuple[Example, ...]


def profile(rows: Iterator[Example]) -> Profile:
    """One pass over the training rows, in memory that does not grow with them."""
    count = longest = 0
    short = True
    per_label: dict[str, Example] = {}
    sample: list[tuple[int, int, Example]] = []  # the lowest ranks, as a heap of negated ones
    for row in rows:
        count += 1
        longest = max(longest, len(row.expected.encode()))
        rank = _rank(row)
        label = row.expected.strip()
        short = short and len(label) <= MAX_LABEL_CHARACTERS
        if short and len(per_label) <= MAX_LABELS and (label not in per_label or rank < _rank(per_label[label])):
            per_label[label] = row
        item = (-rank, row.line, row)
        if len(sample) < CANDIDATES:
            heapq.heappush(sample, item)
        elif item > sample[0]:
            heapq.heapreplace(sample, item)
    if short and len(per_label) <= MAX_LABELS and count >= MIN_ROWS_PER_LABEL * len(per_label):
        shown = tuple(sorted(per_label.values(), key=_rank))
        return Profile("classification", tuple(sorted(per_label)), longest, shown)
    return Profile("generation", (), longest, tuple(row for _, _, row in sorted(sample, reverse=True)))


def _rank(row: Example) -> int:
    """A number that is arbitrary but always the same for a line, so that samples need no random state."""
    return int.from_bytes(hashlib.blake2b(str(row.line).encode(), digest_size=8).digest())
