"""Prompt rows, without answers: ``{"input_text": "…"}``, or a chat whose last turn is the user's.

They serve RLHF and unlabelled distillation. Source: "RLHF model tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from . import chat
from .dialogue import Dialogue
from .fields import text_field, unknown_fields
from .rowformat import Example, Problem, RowFormat

DIALOGUE = Dialogue("CHAT", "author", "user", "assistant", last="user", last_turn="PROMPT-LAST-TURN")


class TextRow(msgspec.Struct, frozen=True, gc=False):
    input_text: str


def _text_sound_keys(row: TextRow) -> int | None:
    return 1 if row.input_text and not row.input_text.isspace() else None


def _text_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from text_field(row, "input_text", "", "PROMPT-MISSING-INPUT", "PROMPT-INPUT-TYPE", "PROMPT-EMPTY-INPUT")
    yield from unknown_fields(row, frozenset({"input_text"}), "", "PROMPT-UNKNOWN-FIELD")


def _chat_sound_keys(row: chat.Row) -> int | None:
    optional = chat.context_keys(row.context)
    if optional is None or not DIALOGUE.sound(chat.pairs(row.messages)):
        return None
    return 1 + optional + 2 * len(row.messages)


def _chat_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from chat.context_problems(row)
    yield from DIALOGUE.problems(row)
    yield from unknown_fields(row, chat.FIELDS, "", "PROMPT-UNKNOWN-FIELD")


PROMPTS = RowFormat(
    name="prompts",
    format="prompts",
    row=TextRow,
    sound_keys=_text_sound_keys,
    problems=_text_problems,
    example=lambda row: Example(row.input_text, ""),
    has_answer=False,
)
PROMPTS_CHAT = RowFormat(
    name="prompts_chat",
    format="prompts",
    row=chat.Row,
    sound_keys=_chat_sound_keys,
    problems=_chat_problems,
    example=lambda row: Example(chat.joined(row.context, row.messages), ""),
    has_answer=False,
    incomplete=frozenset({"chat"}),
)
