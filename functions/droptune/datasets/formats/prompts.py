"""Prompt rows, without answers: ``{"input_text": "…"}``, or a chat whose last turn is the user's.

They serve RLHF and unlabelled distillation. Source: "RLHF model tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..rowformat import Example, Problem, RowFormat
from . import chat
from .columns import measure_prompts
from .dialogue import Dialogue
from .fields import text_field, unknown_fields

DIALOGUE = Dialogue("CHAT", "author", "user", "assistant", last="user", last_turn="PROMPT-LAST-TURN")


class Row(msgspec.Struct, frozen=True, gc=False):
    input_text: str


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a prompt row."""
    yield from text_field(row, "input_text", "", "PROMPT-MISSING-INPUT", "PROMPT-INPUT-TYPE", "PROMPT-EMPTY-INPUT")
    yield from unknown_fields(row, frozenset({"input_text"}), "", "PROMPT-UNKNOWN-FIELD")


def chat_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a chat that awaits an answer."""
    yield from chat.context_problems(row)
    yield from DIALOGUE.problems(row)
    yield from unknown_fields(row, chat.FIELDS, "", "PROMPT-UNKNOWN-FIELD")


PROMPTS = RowFormat(
    name="prompts",
    row=Row,
    measure=measure_prompts("input_text"),
    problems=problems,
    example=lambda row: Example(row.input_text, ""),
    has_answer=False,
)
CHAT_PROMPTS = RowFormat(
    name="chat_prompts",
    row=chat.Row,
    measure=lambda rows: chat.measure_dialogues(rows, DIALOGUE),
    problems=chat_problems,
    example=lambda row: Example(chat.joined(row.context, row.messages), ""),
    has_answer=False,
    incomplete=frozenset({"chat"}),
)
