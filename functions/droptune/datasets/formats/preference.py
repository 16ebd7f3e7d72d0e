"""Preference rows: a prompt with ``"candidate_0": "…", "candidate_1": "…", "choice": 0|1``.

`choice` is the number of the better candidate. The prompt is `input_text`, or chat `messages` whose last turn is the
user's. Source: "RLHF model tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import eq
from typing import Any, Literal

import msgspec
import numpy as np

from ..bulk import lengths
from ..rowformat import Batch, Example, Problem, RowFormat
from . import chat
from .columns import blank_rows, small_numbers
from .dialogue import Dialogue
from .fields import blank, excerpt, fields_of, shown, text_field, unknown_fields

CANDIDATES = ("candidate_0", "candidate_1")
FIELDS = frozenset({*CANDIDATES, "choice"})
DIALOGUE = Dialogue("CHAT", "author", "user", "assistant", last="user", last_turn="PREF-LAST-TURN")


class Row(msgspec.Struct, frozen=True, gc=False):
    input_text: str
    candidate_0: str
    candidate_1: str
    choice: Literal[0, 1]


class ChatRow(msgspec.Struct, frozen=True, gc=False):
    messages: list[chat.Turn]
    candidate_0: str
    candidate_1: str
    choice: Literal[0, 1]
    context: str | msgspec.UnsetType = msgspec.UNSET


def measure(rows: Sequence[Row]) -> Batch | list[int]:
    """The columns of the rows, or the positions of those with a blank text or two equal candidates."""
    prompts = [row.input_text for row in rows]
    first, second = [row.candidate_0 for row in rows], [row.candidate_1 for row in rows]
    asked, in_first, in_second = lengths(prompts), lengths(first), lengths(second)
    doubtful = {*blank_rows(prompts, first, second)}
    doubtful.update(at for at in np.flatnonzero(in_first == in_second).tolist() if first[at] == second[at])
    if doubtful:
        return sorted(doubtful)
    return Batch(
        keys=4,
        hashed=prompts,
        prompt=asked,
        answer=in_first + in_second,
        fields={"input_text": asked, "candidate_0": in_first, "candidate_1": in_second},
        choices=small_numbers([row.choice for row in rows]),
    )


def measure_chat(rows: Sequence[ChatRow]) -> Batch | list[int]:
    """As `measure`, for rows whose prompt is a chat."""
    batch = chat.measure_dialogues(rows, DIALOGUE)
    first, second = [row.candidate_0 for row in rows], [row.candidate_1 for row in rows]
    doubtful = {*blank_rows(first, second), *_identical(first, second)}
    if not isinstance(batch, Batch):
        return sorted(doubtful.union(batch))
    if doubtful:
        return sorted(doubtful)
    in_first, in_second = lengths(first), lengths(second)
    return batch._replace(
        keys=batch.keys + 3,
        answer=in_first + in_second,
        fields={**batch.fields, "candidate_0": in_first, "candidate_1": in_second},
        choices=small_numbers([row.choice for row in rows]),
    )


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a preference row whose prompt is a text."""
    yield from text_field(row, "input_text", "", "PREF-MISSING-INPUT", "PREF-INPUT-TYPE", "PREF-EMPTY-INPUT")
    yield from _candidate_problems(row)
    yield from unknown_fields(row, FIELDS | {"input_text"}, "", "PREF-UNKNOWN-FIELD")


def chat_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a preference row whose prompt is a chat."""
    yield from chat.context_problems(row)
    yield from DIALOGUE.problems(row)
    yield from _candidate_problems(row)
    yield from unknown_fields(row, FIELDS | chat.FIELDS, "", "PREF-UNKNOWN-FIELD")


def _candidate_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    for key in CANDIDATES:
        yield from text_field(row, key, "", "PREF-MISSING-CANDIDATE", "PREF-CANDIDATE-TYPE", "PREF-EMPTY-CANDIDATE")
    first, second = (row.get(key) for key in CANDIDATES)
    if isinstance(first, str) and first == second and not blank(first):
        yield Problem("PREF-IDENTICAL", "/candidate_1", {"found": shown(second)}, excerpt(second))
    if "choice" not in row:
        yield Problem("PREF-MISSING-CHOICE", "", {"field": "choice", "found": fields_of(row)})
        return
    choice = row["choice"]
    if isinstance(choice, bool) or not isinstance(choice, int):
        yield Problem("PREF-CHOICE-TYPE", "/choice", {"field": "choice", "found": shown(choice)}, excerpt(choice))
    elif choice not in (0, 1):
        yield Problem("PREF-CHOICE", "/choice", {"field": "choice", "found": shown(choice)})


def _identical(first: Sequence[str], second: Sequence[str]) -> list[int]:
    return [at for at, equal in enumerate(map(eq, first, second)) if equal]


def _answer(row: Row | ChatRow) -> str:
    return f"{row.candidate_0}\n{row.candidate_1}"


PREFERENCE = RowFormat(
    name="preference",
    row=Row,
    measure=measure,
    problems=problems,
    example=lambda row: Example(row.input_text, _answer(row)),
    one_answer_per_prompt=False,
    incomplete=frozenset({"prompts"}),
)
CHAT_PREFERENCE = RowFormat(
    name="chat_preference",
    row=ChatRow,
    measure=measure_chat,
    problems=chat_problems,
    example=lambda row: Example(chat.joined(row.context, row.messages), _answer(row)),
    one_answer_per_prompt=False,
    incomplete=frozenset({"chat_prompts"}),
)
