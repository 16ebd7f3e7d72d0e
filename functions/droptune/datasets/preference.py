"""Preference rows: a prompt with ``"candidate_0": "…", "candidate_1": "…", "choice": 0|1``.

`choice` is the number of the better candidate. The prompt is `input_text`, or chat `messages` whose
last turn is the user's. Source: "RLHF model tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from . import chat
from .dialogue import Dialogue
from .fields import excerpt, shown, text_field, unknown_fields
from .rowformat import Example, Problem, RowFormat

CANDIDATES = ("candidate_0", "candidate_1")
PREFERENCE_FIELDS = frozenset({*CANDIDATES, "choice"})
DIALOGUE = Dialogue("CHAT", "author", "user", "assistant", last="user", last_turn="PREF-LAST-TURN")


class TextRow(msgspec.Struct, frozen=True, gc=False):
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


def _distinct(row: TextRow | ChatRow) -> bool:
    first, second = row.candidate_0, row.candidate_1
    return bool(first and second) and not first.isspace() and not second.isspace() and first != second


def _text_sound_keys(row: TextRow) -> int | None:
    return 4 if _distinct(row) and row.input_text and not row.input_text.isspace() else None


def _chat_sound_keys(row: ChatRow) -> int | None:
    optional = chat.context_keys(row.context)
    if optional is None or not _distinct(row) or not DIALOGUE.sound(chat.pairs(row.messages)):
        return None
    return 4 + optional + 2 * len(row.messages)


def _candidate_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    for key in CANDIDATES:
        yield from text_field(row, key, "", "PREF-MISSING-CANDIDATE", "PREF-CANDIDATE-TYPE", "PREF-EMPTY-CANDIDATE")
    first, second = (row.get(key) for key in CANDIDATES)
    if isinstance(first, str) and first == second and first and not first.isspace():
        yield Problem("PREF-IDENTICAL", "/candidate_1", found="the text of `candidate_0`", excerpt=excerpt(second))
    if "choice" not in row:
        yield Problem("PREF-MISSING-CHOICE", "", found="no `choice`")
    elif type(row["choice"]) is not int or row["choice"] not in (0, 1):
        yield Problem("PREF-CHOICE", "/choice", found=shown(row["choice"]))


def _text_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from text_field(row, "input_text", "", "PREF-MISSING-INPUT", "PREF-INPUT-TYPE", "PREF-EMPTY-INPUT")
    yield from _candidate_problems(row)
    yield from unknown_fields(row, PREFERENCE_FIELDS | {"input_text"}, "", "PREF-UNKNOWN-FIELD")


def _chat_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from chat.context_problems(row)
    yield from DIALOGUE.problems(row)
    yield from _candidate_problems(row)
    yield from unknown_fields(row, PREFERENCE_FIELDS | chat.FIELDS, "", "PREF-UNKNOWN-FIELD")


def _answer(row: TextRow | ChatRow) -> str:
    return f"{row.candidate_0}\n{row.candidate_1}"


PREFERENCE = RowFormat(
    name="preference",
    format="preference",
    row=TextRow,
    sound_keys=_text_sound_keys,
    problems=_text_problems,
    example=lambda row: Example(row.input_text, _answer(row)),
    one_answer_per_prompt=False,
    incomplete=frozenset({"prompts"}),
)
PREFERENCE_CHAT = RowFormat(
    name="preference_chat",
    format="preference",
    row=ChatRow,
    sound_keys=_chat_sound_keys,
    problems=_chat_problems,
    example=lambda row: Example(chat.joined(row.context, row.messages), _answer(row)),
    one_answer_per_prompt=False,
    incomplete=frozenset({"prompts_chat"}),
)
