"""Early Gemini rows: ``{"messages": [{"role": "system"|"user"|"model", "content": "…"}, …]}``, for Gemini 1.0.

Source: "Supervised tuning of Gemini 1.0 Pro", Google Cloud blog, Gemini text tuning best practice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from .dialogue import Dialogue
from .fields import unknown_fields
from .rowformat import Example, Problem, RowFormat

DIALOGUE = Dialogue("MESSAGES", "role", "user", "model", last="model", last_turn="MESSAGES-LAST-TURN", system="system")


class Turn(msgspec.Struct, frozen=True, gc=False):
    role: Literal["system", "user", "model"]
    content: str


class Row(msgspec.Struct, frozen=True, gc=False):
    messages: list[Turn]


def _sound_keys(row: Row) -> int | None:
    turns = row.messages
    return 1 + 2 * len(turns) if DIALOGUE.sound([(turn.role, turn.content) for turn in turns]) else None


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from DIALOGUE.problems(row)
    yield from unknown_fields(row, frozenset({"messages"}), "", "MESSAGES-UNKNOWN-FIELD")


def _example(row: Row) -> Example:
    return Example("\n".join(turn.content for turn in row.messages[:-1]), row.messages[-1].content)


GEMINI_MESSAGES = RowFormat(
    name="gemini_messages",
    format="gemini_messages",
    row=Row,
    sound_keys=_sound_keys,
    problems=_problems,
    example=_example,
    incomplete=frozenset({"open_chat", "messages_prompts"}),
)
