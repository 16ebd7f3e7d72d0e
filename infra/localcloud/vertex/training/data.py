"""Rows of a data set as token ids, and the order in which they are seen."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..chat import ChatError, ChatFormat, Marked, Role, Turn
from .job import JobError

# The names that the row formats give to the sides of a chat.
_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "model": "assistant", "assistant": "assistant"}
_POOL_BATCHES = 8
IGNORED = -100  # the label of a token that is not predicted; what torch's cross_entropy skips


class RowError(ValueError):
    """A row that cannot be tuned on."""


@dataclass(frozen=True)
class Batch:
    """Right-padded rows: `ids` and `labels` are (rows, length); labels are `IGNORED` where nothing is predicted.

    No attention mask: attention is causal, so a row never sees the padding at its end.
    """

    ids: Tensor
    labels: Tensor

    @property
    def predictions(self) -> int:
        return int((self.labels[:, 1:] != IGNORED).sum())


@dataclass(frozen=True)
class Examples:
    """Encoded rows; `truncated` of them lost their oldest tokens to the length limit."""

    rows: Sequence[Marked]
    truncated: int

    @property
    def tokens(self) -> int:
        return sum(len(row.ids) for row in self.rows)


def turns_of_row(row: Mapping[str, Any]) -> list[Turn]:
    """The chat that a row of any of the four supervised formats stands for. RowError when it is none of them.

    Text: ``input_text``, ``output_text``. Chat: ``context``, ``messages[].author``. Gemini: ``messages[].role`` or
    ``systemInstruction`` and ``contents[].parts[].text``.
    """
    try:
        if "contents" in row:
            system = row.get("systemInstruction") or row.get("system_instruction")
            turns = [Turn("system", _text_of_parts(system))] if system else []
            turns += [Turn(_ROLES[content["role"]], _text_of_parts(content)) for content in row["contents"]]
        elif "messages" in row:
            turns = [Turn("system", str(row["context"]))] if row.get("context") else []
            for message in row["messages"]:
                turns.append(Turn(_ROLES[message.get("role") or message["author"]], _text(message["content"])))
        else:
            turns = [Turn("user", _text(row["input_text"])), Turn("assistant", _text(row["output_text"]))]
    except (KeyError, TypeError, AttributeError) as error:
        raise RowError(
            f"not a supervised row ({type(error).__name__}: {error}); allowed are input_text and output_text, "
            "messages with author or role and content, or contents with role and parts"
        ) from error
    if not turns or turns[-1].role != "assistant":
        raise RowError("the last turn must be the model's answer")
    return turns


def read_examples(path: Path, chat: ChatFormat, max_tokens: int) -> Examples:
    """Every row of a JSON Lines file, encoded. JobError naming the line that cannot be used."""
    rows, truncated = [], 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    row = chat.training_ids(turns_of_row(json.loads(line)))
                except (ValueError, ChatError) as error:
                    raise JobError("INVALID_ARGUMENT", f"{path.name} line {number}: {error}") from error
                truncated += len(row.ids) > max_tokens
                rows.append(Marked(row.ids[-max_tokens:], row.target[-max_tokens:]))
    except OSError as error:
        raise JobError("INVALID_ARGUMENT", f"{path} cannot be read: {error}") from error
    if not rows:
        raise JobError("INVALID_ARGUMENT", f"{path.name} holds no rows")
    return Examples(rows, truncated)


def batch_order(lengths: Sequence[int], batch_size: int, seed: int) -> Iterator[list[int]]:
    """Endless batches of row numbers: shuffled epochs one after another, rows of like length side by side.

    A pure function of its arguments, so a resumed job continues with the batch it would have seen. Sorting inside
    pools of a few batches saves most of the padding and leaves the order random enough.
    """
    chance = random.Random(seed)

    def shuffled() -> Iterator[int]:
        numbers = list(range(len(lengths)))
        while True:
            chance.shuffle(numbers)
            yield from numbers

    stream = shuffled()
    # A pool never holds much more than an epoch, or sorting would put copies of one row side by side.
    pool_batches = max(1, min(_POOL_BATCHES, len(lengths) // batch_size))
    while True:
        pool = sorted(itertools.islice(stream, batch_size * pool_batches), key=lambda row: lengths[row])
        batches = [pool[start : start + batch_size] for start in range(0, len(pool), batch_size)]
        chance.shuffle(batches)
        yield from batches


def collate(rows: Sequence[Marked], pad_id: int, device: torch.device) -> Batch:
    """The rows as one batch."""
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), pad_id)
    labels = torch.full((len(rows), length), IGNORED)
    for number, row in enumerate(rows):
        values = torch.tensor(row.ids)
        ids[number, : len(row.ids)] = values
        labels[number, : len(row.ids)] = torch.where(torch.tensor(row.target), values, IGNORED)
    return Batch(ids.to(device), labels.to(device))


def split_by_tokens(rows: Sequence[Marked], max_tokens: int) -> Iterator[list[Marked]]:
    """The rows, longest first, in groups whose padded size is at most `max_tokens`; a longer row is alone."""
    group: list[Marked] = []
    for row in sorted(rows, key=lambda row: -len(row.ids)):
        if group and len(group[0].ids) * (len(group) + 1) > max_tokens:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _text_of_parts(content: Mapping[str, Any]) -> str:
    return "".join(_text(part["text"]) for part in content["parts"])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {type(value).__name__}")
    return value
