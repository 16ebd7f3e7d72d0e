"""Gemini preferences: a prompt, and two completions of which one is preferred.

``{"contents": […, user], "completions": [{"score": 1, "completion": Content}, {"score": 0, "completion": Content}]}``
The completion with score 1 is the preferred one. Text only.
Source: "Prepare preference tuning data for Gemini models", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from ..rowformat import Batch, Example, Problem, RowFormat
from .columns import small_numbers
from .contents import Conversation, Conversed, joined
from .contents_columns import doubtful, read, says, texts_of
from .fields import excerpt, fields_of, shown, unknown_fields
from .parts import Part, said

COMPLETIONS = 2
CONVERSATION = Conversation(
    answers="model", last="user", last_turn="GPREF-LAST-TURN", text_only="GPREF-NOT-TEXT", unknown="GPREF-UNKNOWN-FIELD"
)


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A turn that can only be the model's, and may therefore lack its role."""

    parts: list[Part]
    role: Literal["model"] | msgspec.UnsetType = msgspec.UNSET


class Completion(msgspec.Struct, frozen=True, gc=False):
    score: Literal[0, 1]
    completion: Answer


class Row(Conversed, frozen=True, gc=False, kw_only=True):
    completions: list[Completion]


def measure(rows: Sequence[Any]) -> Batch | list[int]:
    """The columns of preferences between texts, or the positions of rows to look at."""
    columns = read(rows, CONVERSATION)
    flat = [completion for row in rows for completion in row.completions]
    scores = [completion.score for completion in flat]
    turns = [completion.completion for completion in flat]
    told = texts_of(turns)
    pairs = [len(row.completions) for row in rows].count(COMPLETIONS) == len(rows)
    roles = [turn.role for turn in turns].count("model") == len(turns)
    if columns is None or told is None or not pairs or not roles:
        return _doubtful(rows)
    texts, sizes, parts = told
    if parts is None:
        parts = np.ones(len(flat), np.int32)
    firsts, seconds = texts[0::2], texts[1::2]
    choices = scores[1::2]
    if any(map(int.__eq__, scores[0::2], choices)) or any(map(str.__eq__, firsts, seconds)):
        return _doubtful(rows)
    answer = (sizes[0::2] + sizes[1::2]).astype(np.int32)
    return Batch(
        # There is `completions`, and for each one `score`, `completion`, `role` and `parts`, and each part's `text`.
        columns.keys + 1 + 4 * COMPLETIONS + parts[0::2] + parts[1::2],
        columns.from_last(0),
        columns.prompt,
        answer,
        {**columns.fields, "completion": sizes},
        turns=columns.turns,
        choices=small_numbers(choices),
    )


def _doubtful(rows: Sequence[Row]) -> list[int]:
    found = {at for at, row in enumerate(rows) if not _decides(row.completions)}
    return sorted(found.union(doubtful(rows, CONVERSATION)))


def _decides(completions: Sequence[Completion]) -> bool:
    """Whether one of two texts of the model is preferred to the other."""
    if len(completions) != COMPLETIONS or completions[0].score == completions[1].score:
        return False
    first, second = (completion.completion for completion in completions)
    if not (first.role == second.role == "model" and says(first.parts) and says(second.parts)):
        return False
    return said(first.parts) != said(second.parts)


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a preference row."""
    yield from CONVERSATION.problems(row, frozenset({"completions"}))
    at = "/completions"
    if "completions" not in row:
        yield Problem("GPREF-MISSING-COMPLETIONS", "", {"found": fields_of(row)})
        return
    completions = row["completions"]
    if not isinstance(completions, list):
        yield Problem("GPREF-COMPLETIONS-TYPE", at, {"found": shown(completions)}, excerpt(completions))
        return
    if len(completions) != COMPLETIONS:
        yield Problem("GPREF-COMPLETIONS-COUNT", at, {"found": len(completions)})
    for index, completion in enumerate(completions):
        yield from _completion_problems(completion, f"{at}/{index}")
    if len(completions) == COMPLETIONS:
        yield from _pair_problems(*completions)


def _completion_problems(entry: Any, at: str) -> Iterator[Problem]:
    if not isinstance(entry, dict):
        yield Problem("GPREF-ENTRY-TYPE", at, {"found": shown(entry)}, excerpt(entry))
        return
    if "score" not in entry:
        yield Problem("GPREF-MISSING-SCORE", at, {"found": fields_of(entry)})
    elif type(entry["score"]) is not int:
        yield Problem("GPREF-SCORE-TYPE", f"{at}/score", {"found": shown(entry["score"])})
    elif entry["score"] not in (0, 1):
        yield Problem("GPREF-SCORE", f"{at}/score", {"found": entry["score"]})
    if "completion" not in entry:
        yield Problem("GPREF-MISSING-COMPLETION", at, {"found": fields_of(entry)})
    elif not isinstance(entry["completion"], dict):
        found = shown(entry["completion"])
        yield Problem("GPREF-COMPLETION-TYPE", f"{at}/completion", {"found": found}, excerpt(entry["completion"]))
    else:
        for problem in CONVERSATION.turn(entry["completion"], f"{at}/completion", ("model",)):
            yield problem._replace(code=_OF_COMPLETIONS.get(problem.code, problem.code))
    yield from unknown_fields(entry, frozenset({"score", "completion"}), at, "GPREF-UNKNOWN-FIELD")


# What is said of turns in general, as it is said of completions.
_OF_COMPLETIONS: Mapping[str, str] = {
    "GEMINI-EMPTY-TEXT": "GPREF-EMPTY-COMPLETION",
    "GEMINI-EMPTY-PARTS": "GPREF-EMPTY-COMPLETION",
    "GEMINI-MISSING-ROLE": "GPREF-MISSING-ROLE",
    "GEMINI-SYSTEM-TURN": "GPREF-ROLE",
    "GEMINI-ROLE": "GPREF-ROLE",
    "GEMINI-UNKNOWN-ROLE": "GPREF-ROLE",
}


def _pair_problems(first: Any, second: Any) -> Iterator[Problem]:
    """What is wrong with two completions as a pair, as far as each is right by itself."""
    scores = [entry.get("score") if isinstance(entry, dict) else None for entry in (first, second)]
    if all(type(score) is int and score in (0, 1) for score in scores) and scores[0] == scores[1]:
        yield Problem("GPREF-TIE", "/completions", {"found": str(scores[0])})
    text = _text(first)
    if text and text == _text(second):
        yield Problem("GPREF-IDENTICAL", "/completions/1/completion", {}, excerpt(text))


def _text(entry: Any) -> str:
    """The text of a completion, as far as it has any."""
    content = entry.get("completion") if isinstance(entry, dict) else None
    parts = content.get("parts") if isinstance(content, dict) else None
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return "".join([text for text in texts if isinstance(text, str)])


def _example(row: Row) -> Example:
    answers = [said(completion.completion.parts) for completion in row.completions]
    return Example(joined(row, row.contents), "\n".join(answers))


GEMINI_PREFERENCE = RowFormat(
    name="gemini_preference",
    row=Row,
    measure=measure,
    problems=problems,
    example=_example,
    one_answer_per_prompt=False,
    incomplete=frozenset({"gemini_prompts"}),
)
